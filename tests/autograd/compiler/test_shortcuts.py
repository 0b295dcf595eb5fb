"""Calls that take a shortcut return what all others do; what is unusual takes none."""

import copy
import pickle
import warnings
from dataclasses import dataclass
from unittest import mock

import numpy as np
import pytest
from tiers import BACKENDS

import autograd as ag
from autograd import Value, jit, mean, tanh, value_and_grad, vmap
from autograd.compiler.jit import Compiled
from autograd.errors import ShapeError
from autograd.graph.modes import observed


def error(w, x, y):
    return (tanh(w[0] * x[0] + w[1] * x[1] + w[2]) - y) ** 2


def loss(w, X, y):
    return mean(vmap(error, in_axes=(None, 0, 0))(w, X, y))


@pytest.fixture
def compiled():
    return jit(value_and_grad(loss), backend="numpy")


@pytest.fixture
def args():
    rng = np.random.default_rng(0)
    return rng.normal(size=3), rng.normal(size=(7, 2)), rng.normal(size=7)


class Own(np.ndarray):
    pass


def has_shortcut(f):
    return type(f) is not Compiled


def in_full(f, *args, **kwargs):
    """The same call without shortcuts."""
    return Compiled.__call__(f, *args, **kwargs)


def same(a, b):
    return a[0] == b[0] and type(a[0]) is type(b[0]) and np.array_equal(a[1], b[1])


def unusual(args):
    """Calls that are not exactly like the first one."""
    w, X, y = args
    read_only = w.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"." + w.tobytes(), np.uint8)[1:].view(float)
    return {
        "the same": (w, X, y),
        "read-only": (read_only, X, y),
        "reversed": (w[::-1], X[::-1], y[::-1]),
        "Fortran order": (w, np.asfortranarray(X), y),
        "float32": (w.astype(np.float32), X, y),
        "big endian": (w.astype(">f8"), X, y),
        "integers": (w, X, np.arange(7)),
        "lists": (w.tolist(), X, y),
        "a subclass": (w, X, y.view(Own)),
        "unaligned": (unaligned, X, y),
        "fewer rows": (w, X[:4], y[:4]),
    }


@pytest.mark.parametrize("name", unusual((np.zeros(3), np.zeros((7, 2)), np.zeros(7))))
def test_unusual_calls(compiled, args, name):
    compiled(*args)
    assert has_shortcut(compiled)
    given = unusual(args)[name]
    found = compiled(*given)
    assert same(found, in_full(compiled, *given))
    assert same(compiled(*args), in_full(compiled, *args))


def test_names_and_errors(compiled, args):
    w, X, y = args
    expected = compiled(*args)
    assert same(compiled(w, X=X, y=y), expected)
    with pytest.raises(TypeError, match="y"):
        compiled(w, X)
    with pytest.raises(ShapeError):
        compiled(w, X, y[:3])


def test_out(compiled, args):
    value, slopes = compiled(*args)
    for room in (np.zeros(3), np.zeros(6)[::2], np.zeros(3, np.float32)):
        out = np.zeros(()), room
        assert compiled(*args, out=out) is out
        assert out[0] == value and np.array_equal(room, slopes.astype(room.dtype))
    with pytest.raises(ShapeError, match="give an array for each"):
        compiled(*args, out=np.zeros(4))
    with pytest.raises(ShapeError, match="room for 5 number"):
        compiled(*args, out=(np.zeros(()), np.zeros(5)))
    with pytest.raises(TypeError, match="int64"):
        compiled(*args, out=(np.zeros(()), np.zeros(3, int)))
    with pytest.raises(TypeError, match="out="):
        compiled(*args, out=3.0)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        compiled(*args, out=(np.zeros(()), frozen))


def test_out_that_is_an_argument(compiled, args):
    w, X, y = args
    _, slopes = compiled(*args)
    compiled(w, X, y, out=(np.zeros(()), w))
    assert np.array_equal(w, slopes)


def test_observers_see_every_node(compiled, args):
    expected = compiled(*args)
    seen = []
    with observed(lambda *node: seen.append(node)):
        value, slopes = compiled(*args)
    assert len(seen) > 7
    assert float(value) == pytest.approx(expected[0])
    assert np.allclose(slopes, expected[1])


def test_copies_and_pickles(compiled, args):
    expected = compiled(*args)
    for twin in (
        copy.copy(compiled),
        copy.deepcopy(compiled),
        pickle.loads(pickle.dumps(compiled)),
    ):
        assert type(twin) is Compiled and same(twin(*args), expected)
        assert has_shortcut(twin)


def test_what_takes_more_than_numbers_has_none():
    bias = Value(1.0)
    f = jit(lambda x: x[0] * bias, backend="numpy")
    assert f(np.ones(2)).data == 1.0 and not has_shortcut(f)
    bias.data = 3.0
    assert f(np.ones(2)).data == 3.0


# -- Any number of structures ----------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [np.ones, lambda n: [1.0] * n], ids=["array", "list"])
def test_every_structure_has_an_entry(make, backend):
    f = jit(lambda xs: ag.sum([2.0 * x for x in xs]), backend=backend)
    prepare = Compiled._prepare
    if backend == "numpy" and make is not np.ones:
        pytest.skip("lists have entries in machine code only")
    sizes = [*range(1, 20)]
    with mock.patch.object(Compiled, "_prepare", autospec=True) as slow:
        slow.side_effect = prepare
        for _ in range(3):
            for n in sizes:
                assert f(make(n)) == 2.0 * n
        assert slow.call_count == len(sizes)  # to compile; no call afterwards


def test_equal_static_arguments_share_a_plan():
    @dataclass(frozen=True)
    class Options:
        power: int

    class Own:
        def __init__(self, name):
            self.name = name

        def __eq__(self, other):
            return self.name == other.name

        def __hash__(self):
            return hash(self.name)

    f = jit(lambda x, s: x * 2.0, static="s")
    for _ in range(5):
        for s in ("text", (1, 2.0), Options(3), Own("a"), frozenset({1})):
            assert f(3.0, s) == 6.0
    assert len(f.plans) == 5
    for s in (1, 1.0, True, (1,), (1.0,), 0.0, -0.0):
        f(3.0, s)
    assert len(f.plans) == 12


def test_many_compilations_are_said_once():
    f = jit(lambda xs: ag.sum(xs), backend="numpy")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(1, 40):
            f(np.ones(n))
    (only,) = caught
    assert "Pad to a few" in str(only.message) and only.filename == __file__
