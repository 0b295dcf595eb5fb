"""``out=``: results written into the arrays of the caller, or a clear refusal."""

import numpy as np
import pytest
from compiled_functions import energy
from jit_cases import POINT, frozen
from numpy.lib.stride_tricks import as_strided
from tiers import BACKENDS

import autograd as ag
from autograd import (
    ShapeError,
    TraceError,
    Value,
    grad,
    jit,
    value_and_grad,
)
from autograd.transforms.tree import flatten


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    "room",
    [
        *(np.zeros(4), np.zeros(6), np.zeros((5, 2)), [], [np.zeros(2), np.zeros(2)]),
        *([0.0] * 5, 1.0, "text", (np.zeros(5), np.zeros(1)), {"a": np.zeros(4)}),
        np.broadcast_to(0.0, 5),
        frozen(np.zeros(5)),
        np.zeros(5, complex)[:4],
    ],
    ids=repr,
)
def test_out_that_does_not_fit_is_refused(room, warm, backend):
    f = jit(grad(energy), backend=backend)
    a = np.array(POINT)
    if warm:
        f(a, out=np.zeros(5)), f(a)
    with pytest.raises((ShapeError, TypeError, ValueError)):
        f(a, out=room)
    assert np.isfinite(f(a)).all()


def both(xs, ys):
    return {"y": [x * y for x, y in zip(xs, ys)], "x": (ag.sum(xs), xs[0])}


BASE = np.zeros(12)


WRONG = {
    "sizes that sum up": (lambda: {"y": np.zeros(3), "x": np.zeros(1)}, "room for 3"),
    "one for all": (lambda: np.zeros(4), "give an array for each"),
    "another key": (lambda: {"y": np.zeros(2), "z": np.zeros(2)}, "'z'"),
    "too few keys": (lambda: {"y": np.zeros(2)}, r"\['y'\]"),
    "a list for a dict": (lambda: [np.zeros(2), np.zeros(2)], r"\[0, 1\]"),
    "too many": (lambda: {"y": [np.zeros(())] * 3, "x": np.zeros(2)}, r"\['y'\]"),
    "twice the same": (lambda: dict.fromkeys("yx", np.zeros(2)), "shares memory"),
    "overlapping": (lambda: {"y": BASE[:2], "x": BASE[1:3]}, "shares memory"),
    "interleaved": (lambda: {"y": BASE[:4:2], "x": BASE[2:6:2]}, "shares memory"),
    "folded": (
        lambda: {"y": as_strided(BASE, (2,), (0,)), "x": np.zeros(2)},
        "shares memory",
    ),
    "whole numbers": (lambda: {"y": np.zeros(2), "x": np.zeros(2, int)}, "int64"),
    "read-only": (lambda: {"y": np.zeros(2), "x": frozen(np.zeros(2))}, "read-only"),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(("room", "said"), WRONG.values(), ids=WRONG)
def test_each_array_of_out_is_compared(room, said, warm, backend):
    """Before anything is written: with its part of the result, and with the others."""
    f, out = jit(both, backend=backend), room()
    args = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    if warm:
        f(*args, out={"y": np.zeros(2), "x": np.zeros(2)}), f(*args)
    with pytest.raises((ShapeError, TypeError), match=said):
        f(*args, out=out)
    assert not any(np.any(array) for array in flatten(out)[0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
def test_out_that_fits(warm, backend):
    """Dicts by key, lists by place; arrays side by side, or between each other."""
    f = jit(both, backend=backend)
    args = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    if warm:
        f(*args, out={"y": np.zeros(2), "x": np.zeros(2)}), f(*args)
    for _ in range(2):
        whole = np.zeros(4)
        f(*args, out={"x": whole[:2], "y": whole[2:]})
        assert whole.tolist() == [5.0, 2.0, 10.0, 21.0]
        f(*args, out={"x": whole[::2], "y": whole[1::2]})
        assert whole.tolist() == [5.0, 10.0, 2.0, 21.0]
        points = [np.zeros(()) for _ in range(4)]
        f(*args, out={"x": points[:2], "y": tuple(points[2:])})
        assert points == [5.0, 2.0, 10.0, 21.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_out_of_two_gradients_may_not_be_one_array(backend):
    f = jit(value_and_grad(lambda x, y: ag.dot(x, y), (0, 1)), backend=backend)
    x, y, room = np.array([2.0, 3.0]), np.array([5.0, 7.0]), np.zeros(3)
    value, apart = np.zeros(()), (room[:2], np.zeros(2))
    for _ in range(3):
        assert f(x, y, out=(value, apart))[1] is apart
        assert room.tolist() == [5.0, 7.0, 0.0]
        with pytest.raises(ShapeError, match="shares memory"):
            f(x, y, out=(value, (room[:2], room[1:])))
        with pytest.raises(ShapeError, match="shares memory"):
            f(x, y, out=(room[1:2].reshape(()), apart))
        assert room.tolist() == [5.0, 7.0, 0.0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
def test_out_of_other_kinds(warm, backend):
    f = jit(grad(energy), backend=backend)
    a = np.array(POINT)
    if warm:
        f(a, out=np.zeros(5)), f(a, out=np.zeros(5))
    slope = f(a)
    backing = np.full(15, 7.0)
    f(a, out=backing[::-3])
    assert np.array_equal(backing[::-3], slope)
    assert (backing.reshape(5, 3)[:, :2] == 7.0).all()
    single = np.zeros(5, np.float32)
    f(a, out=single)
    assert np.array_equal(single, slope.astype(np.float32))
    square = np.zeros((2, 2))
    jit(lambda xs: [x * 2.0 for x in xs], backend=backend)(
        [1.0, 2.0, 3.0, 4.0], out=square
    )
    assert np.array_equal(square, [[2.0, 4.0], [6.0, 8.0]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_out_may_be_the_argument(backend):
    """Numbers are read before results are written."""
    f = jit(grad(energy), backend=backend)
    a = np.array(POINT)
    expected = f(a)
    for _ in range(2):
        b = a.copy()
        f(b, out=b)
        assert np.array_equal(b, expected)


def test_out_of_nodes_is_refused():
    f = jit(energy)
    with pytest.raises(TraceError, match="node"):
        f([Value(1.0), 2.0], out=np.zeros(()))
