"""Compiled functions and their arguments: numbers, structures, keywords, static ones."""

from collections import namedtuple
from fractions import Fraction

import numpy as np
import pytest
from compiled_functions import energy
from jit_cases import POINT, close
from tiers import BACKENDS, bits

import autograd as ag
from autograd import (
    ShapeError,
    TraceError,
    Value,
    grad,
    jit,
    value_and_grad,
)

NUMBERS = [
    *(2, True, 2.5, -3, Fraction(5, 2), np.float32(2.5), np.float64(2.5), np.int8(3)),
    *(np.bool_(True), np.array(2.5), np.array(3), np.array(1.5, np.float32), 10**20),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_numbers_of_every_kind(number, backend):
    f = jit(value_and_grad(lambda x: x * x), backend=backend)
    f(1.0)
    x = float(number)
    assert f(number) == (x * x, 2.0 * x)
    listed = jit(value_and_grad(lambda xs: xs[0] * xs[1]), backend=backend)
    assert listed([number, 2.0]) == (2.0 * x, [2.0, x])
    assert listed([1.0, 2.0]) == (2.0, [2.0, 1.0])
    assert listed([number, 2.0]) == (2.0 * x, [2.0, x])


BAD = ["text", "1.5", None, 1j, b"1", {1.0}, object(), ["1.5"], [None], [1j], ..., int]


BAD += [np.array(["1.5"]), np.array([1j]), np.array([None]), np.array(None)]


BAD += [(x for x in [1.0]), range, np.array("2020-01-01", "M8[D]")]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad).split(" at 0x")[0])
def test_what_is_not_a_number_is_refused(bad, warm, backend):
    f = jit(lambda x: 2.0, backend=backend)
    if warm:
        f(1.0), f([1.0]), f(np.array([1.0]))
    with pytest.raises((TraceError, TypeError, ValueError)):
        f(bad)
    assert f(1.0) == 2.0
    assert f([1.0]) == 2.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_integers_beyond_the_floats(backend):
    f = jit(lambda x: x * 2.0, backend=backend)
    f(1.0)
    with pytest.raises((OverflowError, TraceError)):
        f(10**400)
    assert f(2.0) == 4.0


Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize("backend", BACKENDS)
def test_changed_structures_are_traced_anew(backend):
    def f(tree):
        return ag.sum([x * (k + 1) for k, x in enumerate(_numbers(tree))])

    trees = [
        *([1.0], [1.0, 2.0], [1.0, 2.0, 3.0], (1.0, 2.0), [[1.0, 2.0]], [[1.0], 2.0]),
        *({"a": 1.0}, {"b": 1.0}, {"a": [1.0, 2.0]}, {"a": 1.0, "b": 2.0}, 1.0),
        *(Pair(1.0, 2.0), np.array([1.0, 2.0]), np.array([[1.0, 2.0]]), [np.ones(2)]),
        *(np.array([[1.0], [2.0]]), [], {}, [1.0, np.ones(3)]),
    ]
    compiled = jit(f, backend=backend)
    for _ in range(2):
        for tree in trees:
            assert compiled(tree) == f(tree)
    for tree in reversed(trees):
        slopes = jit(grad(f), backend=backend)(tree)
        assert type(slopes) is type(tree)
        assert bits(slopes) == bits(grad(f)(tree))


def _numbers(tree):
    if isinstance(tree, dict):
        return [x for part in tree.values() for x in _numbers(part)]
    if hasattr(tree, "__iter__"):
        return [x for part in tree for x in _numbers(part)]
    return [tree]


@pytest.mark.parametrize("backend", BACKENDS)
def test_dicts_are_read_by_name(backend):
    f = jit(lambda p: p["x"] - 2.0 * p["y"], backend=backend)
    assert f({"x": 1.0, "y": 2.0}) == -3.0
    assert f({"y": 2.0, "x": 1.0}) == -3.0
    assert f({"y": 5.0, "x": 1.0}) == -9.0
    with pytest.raises(KeyError):
        f({"x": 1.0, "z": 2.0})
    assert f({"x": 1.0, "y": 2.0}) == -3.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_wrong_lengths_are_the_functions_own_errors(backend):
    f = jit(lambda ws, xs: ag.dot(ws, xs), backend=backend)
    assert f([1.0, 2.0], [3.0, 4.0]) == 11.0
    with pytest.raises(ShapeError):
        f([1.0, 2.0], [3.0])
    with pytest.raises(ShapeError):
        f(np.ones(2), np.ones(3))
    assert f([1.0, 2.0], [3.0, 4.0]) == 11.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_wrong_numbers_of_arguments(backend):
    f = jit(lambda x, y: x * y, backend=backend)
    for args in ((), (1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(TypeError):
            f(*args)
    assert f(2.0, 3.0) == 6.0
    for args in ((), (1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(TypeError):
            f(*args)
    with pytest.raises((IndexError, TypeError)):
        jit(grad(lambda x: x), backend=backend)()


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_keep_their_containers(backend):
    def f(x, a):
        return {
            "pair": Pair(x, 2.0),
            "list": [x, (x * 2.0, [])],
            "array": np.array([[x, 1.0], [2.0, x]]),
            "given": a,
            "constant": 7,
        }

    found = jit(f, backend=backend)(3.0, np.ones(2))
    assert found["pair"] == Pair(3.0, 2.0)
    assert type(found["pair"]) is Pair
    assert found["list"] == [3.0, (6.0, [])]
    assert np.array_equal(found["array"], [[3.0, 1.0], [2.0, 3.0]])
    assert np.array_equal(found["given"], np.ones(2))
    assert found["constant"] == 7.0


@pytest.mark.parametrize("result", [None, "text", [1.0, None], 1j, {"a": object()}])
def test_results_that_are_no_numbers_are_refused(result):
    with pytest.raises((TraceError, TypeError)):
        jit(lambda x: result)(1.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_argnums_as_in_grad(backend):
    def f(x, y, z):
        return x * y + ag.sin(z) * x

    args = (2.0, 3.0, 0.5)
    for argnums in (0, 1, 2, -1, -3, (0,), (2, 0), (0, 1, 2), [1, 2], (-1, 0), ()):
        compiled = jit(value_and_grad(f, argnums), backend=backend)
        close(list(compiled(*args)), list(value_and_grad(f, argnums)(*args)))
    for argnums, error in ((5, IndexError), (-4, IndexError), ((0, 0), ValueError)):
        for derivative in (grad(f, argnums), value_and_grad(f, argnums)):
            with pytest.raises(error, match="argnums"):
                jit(derivative, backend=backend)(*args)
    with pytest.raises(ValueError, match="twice"):
        jit(grad(f, (0, -3)), backend=backend)(*args)


@pytest.mark.parametrize("result", [[1.0, 2.0], [1.0], (), {"a": 1.0}])
def test_gradients_of_several_numbers_are_refused(result):
    def f(x):
        return result if isinstance(result, dict) else [x * y for y in result]

    with pytest.raises(TypeError, match="jacobian or vjp"):
        jit(grad(f))(1.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_constants_and_leaves(backend):
    assert jit(value_and_grad(lambda x: 3), backend=backend)(1.0) == (3.0, 0.0)
    assert jit(value_and_grad(lambda x: x), backend=backend)(5.0) == (5.0, 1.0)
    found = jit(grad(lambda xs, y: xs[1], (0, 1)), backend=backend)([1.0, 2.0], 3.0)
    assert found == ([0.0, 1.0], 0.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_keyword_arguments(backend):
    def f(x, k=2.0, *, scale=1.0):
        return x * k + scale

    compiled = jit(f, backend=backend)
    for _ in range(2):
        assert compiled(3.0) == 7.0
        assert compiled(3.0, 4.0) == 13.0
        assert compiled(3.0, k=4.0) == 13.0
        assert compiled(k=4.0, x=3.0) == 13.0
        assert compiled(3.0, k=5.0, scale=10.0) == 25.0
        assert compiled(3.0, scale=10.0, k=5.0) == 25.0
    assert jit(grad(f), backend=backend)(3.0, k=4.0) == 4.0
    assert jit(lambda x, **more: x * more["a"], backend=backend)(2.0, a=3.0) == 6.0
    with pytest.raises(TypeError):
        compiled(3.0, unknown=1.0)
    with pytest.raises(TypeError):
        compiled(3.0, x=1.0)
    w = Value(3.0)
    compiled(w, k=4.0).backward()
    assert w.grad == 4.0


def power_or_sum(x, n, mode="power"):
    if mode == "power":
        return x**n if n > 2 else x
    return ag.sum([x] * n)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("static", [("n", "mode"), (1, 2), ("n", 2), ["mode", 1]])
def test_static_arguments(static, backend):
    f = jit(power_or_sum, static=static, backend=backend)
    for _ in range(2):
        assert f(2.0, 3) == 8.0
        assert f(2.0, 2) == 2.0
        assert f(2.0, n=4) == 16.0
        assert f(2.0, 4, mode="sum") == 8.0
        assert f(mode="sum", n=3, x=2.0) == 6.0
        assert f(2.0, 4, "sum") == 8.0
    w = Value(2.0)
    f(w, 3).backward()
    assert w.grad == 12.0


def test_static_by_one_name_or_place():
    def f(x, n):
        return ag.sum([x] * n)

    assert jit(f, static="n")(2.0, 3) == 6.0
    assert jit(f, static=1)(2.0, 3) == 6.0
    assert jit(f, static="n")(2.0, n=3) == 6.0


@pytest.mark.parametrize("static", ["m", 2, ("n", "m"), -1])
def test_static_names_that_do_not_exist(static):
    with pytest.raises((ValueError, TypeError, IndexError)):
        jit(lambda x, n: x * n, static=static)(1.0, 2)


def test_static_arguments_must_be_hashable():
    f = jit(lambda x, n: x * n[0], static="n")
    with pytest.raises(TypeError, match=r"hash"):
        f(2.0, [3])
    assert f(2.0, (3,)) == 6.0


def test_static_numbers_of_different_kinds_are_kept_apart():
    f = jit(lambda x, flag: x * (10 if flag is True else 2), static="flag")
    assert f(1.0, True) == 10.0
    assert f(1.0, 1) == 2.0
    assert f(1.0, 1.0) == 2.0
    assert f(1.0, True) == 10.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_out(backend):
    f = jit(value_and_grad(energy), backend=backend)
    a = np.array(POINT)
    value, slope = f(a)
    room = (np.zeros(()), np.zeros(5))
    for _ in range(3):
        returned = f(a, out=room)
        assert returned is room
        assert float(room[0]) == value
        assert np.array_equal(room[1], slope)
        room[1][:] = np.nan
    only = jit(grad(energy), backend=backend)
    buffer = np.zeros(5)
    assert only(a, out=buffer) is buffer
    assert np.array_equal(buffer, only(a))
