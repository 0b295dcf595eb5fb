"""Compiled functions as their callers see them: arguments of every kind, good and bad."""

import copy
import importlib
import importlib.util
import math
import pickle
import random
import threading
from collections import namedtuple
from fractions import Fraction
from functools import partial

import compiled_functions as functions
import numpy as np
import pytest
from compiled_functions import energy
from numpy.lib.stride_tricks import as_strided
from tiers import BACKENDS, NO_LLVM, agree, bits, plain

import autograd as ag
import nn
from autograd import (
    MissingDependencyError,
    Primitive,
    ShapeError,
    TraceError,
    Value,
    detect_anomaly,
    grad,
    gradient,
    hessian,
    jit,
    jvp,
    no_grad,
    value_and_grad,
)
from autograd.transforms.tree import flatten

POINT = [0.5, -1.25, 2.0, 0.25, 1.0]


def close(found, expected, rel=1e-13):
    assert plain(found) == pytest.approx(plain(expected), rel=rel, nan_ok=True)


# -- Arrays of every kind ------------------------------------------------------------


def table(m=4, n=5):
    return np.array([[math.sin(3 * i + j) for j in range(n)] for i in range(m)])


def shuffled(a):
    """The same numbers behind negative strides and with gaps between them."""
    room = np.full([3 * k for k in a.shape], np.nan)
    view = room[tuple([slice(None, None, -3)] * a.ndim)]
    view[...] = a
    return view


def frozen(a):
    a = a.copy()
    a.setflags(write=False)
    return a


def unaligned(a):
    room = np.zeros(a.nbytes + 1, np.uint8)[1:]
    view = room.view(np.float64).reshape(a.shape)
    view[...] = a
    return view


class Special(np.ndarray):
    """A subclass, as masked arrays and matrices are."""


KINDS = {
    "as it is": lambda a: a,
    "Fortran": np.asfortranarray,
    "negative strides": shuffled,
    "transposed twice": lambda a: np.ascontiguousarray(a.T).T,
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "read-only": frozen,
    "not aligned": unaligned,
    "other byte order": lambda a: a.astype(">f8"),
    "float32": lambda a: a.astype(np.float32),
    "float16": lambda a: a.astype(np.float16),
    "long double": lambda a: a.astype(np.longdouble),
    "int64": lambda a: (10 * a).astype(np.int64),
    "int8": lambda a: (10 * a).astype(np.int8),
    "uint16": lambda a: (10 * abs(a)).astype(np.uint16),
    "bool": lambda a: a > 0,
    "subclass": lambda a: a.view(Special),
}


def of_table(a):
    return ag.sum([ag.tanh(ag.dot(row, row)) * row[0] + row[-1] for row in a])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first", ["as it is", None])
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_every_kind(kind, first, backend):
    """As the first argument a function meets, and after plain ones."""
    f = jit(value_and_grad(of_table), backend=backend)
    if first:
        for _ in range(3):
            f(table())
    a = KINDS[kind](table())
    before = a.copy()
    value, slope = f(a)
    expected = np.array(a, np.float64, order="C", subok=False)
    wanted, slopes = value_and_grad(of_table)(expected)
    assert value == pytest.approx(wanted, rel=1e-13, abs=1e-14)
    assert type(value) is float
    assert slope.shape == a.shape
    np.testing.assert_allclose(slope, slopes, rtol=1e-13)
    assert np.array_equal(a, before)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_of_every_kind(kind, backend):
    f = jit(grad(energy), backend=backend)
    f(table()[0])
    a = KINDS[kind](table())[1]
    slope = f(a)
    np.testing.assert_allclose(slope, grad(energy)(np.array(a, float)), rtol=1e-13)
    assert slope.shape == a.shape
    assert slope.dtype == np.float64


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_are_the_callers_own(backend):
    f = jit(grad(energy), backend=backend)
    a = table()[0]
    one = f(a)
    kept = one.copy()
    two = f(a + 1.0)
    assert np.array_equal(one, kept)
    assert not np.shares_memory(one, two)
    assert not np.shares_memory(one, a)
    one[:] = 0.0
    assert np.array_equal(f(a), kept)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_more_axes_and_of_one_number(backend):
    for shape in [(1,), (1, 1), (2, 1, 3), (1, 1, 1, 1)]:
        a = np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape)
        f = jit(
            value_and_grad(lambda a: ag.sum([x * x for x in a.ravel()])),
            backend=backend,
        )
        value, slope = f(a)
        assert value == (a * a).sum()
        assert np.array_equal(slope, 2.0 * a)


WHOLE = {
    "matrix times vector": lambda A, b: A @ b,
    "transposed": lambda A, b: (A.T @ (A @ b)) * 2.0,
    "sum": lambda A, b: A.sum() + ag.sum(b) + np.sum(A, axis=0)[0],
    "mean": lambda A, b: A.mean(axis=1) - b.std(),
    "ufunc": lambda A, b: np.exp(A) * np.tanh(b),
    "slices": lambda A, b: A[::-1, 1:] - A[..., :2] + A[0, 0],
    "reshaped": lambda A, b: A.reshape(3, 2)[1] * b[0] + A.ravel()[-1],
    "einsum": lambda A, b: np.einsum("ij,j->i", A, b),
    "dot": lambda A, b: ag.dot(A.ravel(), A.flatten()) + np.dot(b, b),
    "loops": lambda A, b: ag.sum([x * y for row in A for x, y in zip(row, b)]),
    "power": lambda A, b: (A - b) ** 2 / (1.0 + abs(A)) + (-A) % 3.0,
    "tanh": lambda A, b: ag.tanh(A),
    "sigmoid": lambda A, b: ag.sigmoid(A * b) + 1.0,
    "hypot": lambda A, b: ag.hypot(A, b),
    "where": lambda A, b: ag.where(A > 0.1, A, 0.5 * b),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WHOLE)
def test_functions_of_whole_arrays(name, backend):
    A, b = table(2, 3), table(1, 3)[0]
    found = jit(WHOLE[name], backend=backend)(A, b)
    np.testing.assert_allclose(found, WHOLE[name](A, b), rtol=1e-13)
    assert np.shape(found) == np.shape(WHOLE[name](A, b))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_functions_of_whole_arrays(backend):
    A, b = table(2, 3), table(1, 3)[0]

    def f(A, b):
        return (np.exp(A @ b) * A[:, 0]).sum() + (b * b * b).sum()

    found = jit(grad(f, (0, 1)), backend=backend)(A, b)
    for got, expected in zip(found, grad(f, (0, 1))(A, b)):
        np.testing.assert_allclose(got, expected.astype(float), rtol=1e-12)
    second = jit(hessian(lambda b: f(A, b)), backend=backend)(b)
    close(second, hessian(lambda b: f(A, b))(b), 1e-12)


EMPTY = [[], (), {}, np.zeros(0), np.zeros((0, 3)), np.zeros((3, 0)), [[], []]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("empty", EMPTY, ids=repr)
def test_empty_arguments(empty, backend):
    def f(nothing, x):
        return x * 2.0

    value, slopes = jit(value_and_grad(f, (0, 1)), backend=backend)(empty, 3.0)
    assert (value, slopes[1]) == (6.0, 2.0)
    assert type(slopes[0]) is type(empty)
    assert np.shape(slopes[0]) == np.shape(empty)
    assert jit(lambda nothing: nothing, backend=backend)(empty) is not None
    assert jit(lambda nothing: 2.0, backend=backend)(empty) == 2.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_sequences(backend):
    def options(**more):
        return {"backend": backend, **more}

    for xs in ([], np.zeros(0)):
        assert jit(lambda xs: ag.sum(xs), **options())(xs) == 0.0
        assert jit(lambda xs: ag.prod(xs), **options())(xs) == 1.0
        assert jit(lambda xs: ag.dot(xs, xs), **options())(xs) == 0.0
        assert jit(lambda xs: ag.dot(xs, xs, 2.0), **options())(xs) == 2.0
        assert jit(lambda xs: ag.logsumexp(xs), **options())(xs) == -math.inf
        with pytest.raises(ag.DataError, match="empty"):
            jit(lambda xs: ag.maximum(xs), **options())(xs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("size", [1, 2, 5, 8, 19])
def test_nan_and_infinities_anywhere(size, bad, backend):
    """One bad number spoils what it spoils in the eager engine, and nothing else."""

    def f(xs, ws):
        hidden = [ag.relu(x * w + 0.5) for x, w in zip(xs, ws)]
        return {"each": hidden, "all": ag.sum(hidden), "first": ag.tanh(xs[0])}

    compiled = jit(f, backend=backend)
    slopes = jit(grad(lambda xs, ws: f(xs, ws)["all"], (0, 1)), backend=backend)
    xs = [0.1 * i + 0.5 for i in range(size)]
    ws = [1.0 + 0.25 * i for i in range(size)]
    compiled(xs, ws)
    for i in range(size):
        for place in (0, 1):
            args = [list(xs), list(ws)]
            args[place][i] = bad
            for a, b in zip(plain(compiled(*args)), plain(f(*args))):
                assert agree(a, b)
            expected = grad(lambda xs, ws: f(xs, ws)["all"], (0, 1))(*args)
            for a, b in zip(plain(list(slopes(*args))), plain(list(expected))):
                assert agree(a, b)
    assert bits(compiled(xs, ws)) == bits(compiled(xs, ws))
    close(compiled(xs, ws), f(xs, ws))


# -- Numbers of every kind -----------------------------------------------------------

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
@pytest.mark.parametrize("bad", BAD, ids=repr)
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


# -- Structure -----------------------------------------------------------------------

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


# -- Keywords, static arguments, out -------------------------------------------------


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


# -- Inside and around other machinery -----------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_functions_inside_each_other(backend):
    inner = jit(lambda x: ag.tanh(x) * x, backend=backend)

    def outer(x, y):
        return inner(x) + inner(x * y) * 2.0

    def expected(x, y):
        return ag.tanh(x) * x + ag.tanh(x * y) * (x * y) * 2.0

    close(jit(outer, backend=backend)(0.5, 2.0), expected(0.5, 2.0))
    close(
        list(jit(grad(outer, (0, 1)), backend=backend)(0.5, 2.0)),
        list(grad(expected, (0, 1))(0.5, 2.0)),
    )
    twice = jit(jit(jit(energy, backend=backend), backend=backend), backend=backend)
    close(twice(POINT), energy(POINT))


@pytest.mark.parametrize("backend", BACKENDS)
def test_under_transforms(backend):
    f = jit(lambda x: ag.exp(ag.sin(x)) * x, backend=backend)
    g = f.__wrapped__
    f(0.5)
    close(grad(f)(0.5), grad(g)(0.5))
    close(grad(grad(f))(0.5), grad(grad(g))(0.5))
    close(grad(grad(grad(f)))(0.5), grad(grad(grad(g)))(0.5))
    close(list(jvp(f, (0.5,), (1.0,))), list(jvp(g, (0.5,), (1.0,))))
    close(list(jvp(grad(f), (0.5,), (1.0,))), list(jvp(grad(g), (0.5,), (1.0,))))
    many = jit(energy, backend=backend)
    close(hessian(many)(POINT), hessian(energy)(POINT))
    assert grad(lambda x: x * f(2.0))(3.0) == f(2.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_closing_over_numbers_of_a_transform(backend):
    """What is closed over is a number of a transform under way: no gradient is lost."""

    def f(x):
        return jit(lambda y: y * x, backend=backend)(2.0) + x

    assert grad(f)(3.0) == 3.0
    assert jvp(f, (3.0,), (1.0,)) == (9.0, 3.0)
    assert grad(grad(lambda x: f(x) * x))(3.0) == 6.0
    assert jit(f, backend=backend)(3.0) == 9.0
    assert jit(grad(f), backend=backend)(3.0) == 3.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_under_no_grad(backend):
    f = jit(energy, backend=backend)
    xs = [Value(x) for x in POINT]
    with no_grad():
        y = f(xs)
    assert plain(y) == pytest.approx([energy(POINT)])
    assert not isinstance(y, Value) or not y.operands
    assert isinstance(f(xs), Value)
    w = Value(2.0)
    g = jit(lambda x: x * w, backend=backend)
    with no_grad():
        assert plain(g(3.0)) == [6.0]
    g(3.0).backward()
    assert w.grad == 3.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_under_detect_anomaly(backend):
    f = jit(lambda x: ag.log(x) + 1.0, backend=backend)
    f(1.0)
    with detect_anomaly():
        assert f(1.0) == 1.0
        with pytest.raises(ag.AnomalyError, match="log"):
            f(Value(-1.0))
    assert math.isnan(f(-1.0))


def test_transforms_of_compiled_functions_of_transforms():
    f = jit(grad(lambda x: x**4))
    assert grad(f)(2.0) == pytest.approx(48.0)
    assert jit(grad(f))(2.0) == pytest.approx(48.0)
    assert jit(grad(jit(grad(jit(lambda x: x**4)))))(2.0) == pytest.approx(48.0)


# -- Values --------------------------------------------------------------------------


def nodes(xs):
    return [Value(x) for x in xs]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(5))
def test_values_give_nodes_with_the_eager_gradient(seed, backend):
    rng = random.Random(seed)
    point = [rng.gauss(0, 1) for _ in range(6)]
    f = jit(energy, backend=backend)
    for _ in range(2):
        found, expected = nodes(point), nodes(point)
        y = f(found)
        assert isinstance(y, Value)
        (ag.tanh(y) * 3.0).backward()
        (ag.tanh(energy(expected)) * 3.0).backward()
        close([x.grad for x in found], [x.grad for x in expected], 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_derivatives_that_can_be_differentiated_again(backend):
    f = jit(energy, backend=backend)
    found, expected = nodes(POINT), nodes(POINT)
    for xs, g in ((found, f), (expected, energy)):
        slopes = gradient(g(xs), xs, create_graph=True)
        ag.sum([s * s for s in slopes]).backward()
    close([x.grad for x in found], [x.grad for x in expected], 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_compiled_gradients(backend):
    f = jit(value_and_grad(energy), backend=backend)
    found, expected = nodes(POINT), nodes(POINT)
    for xs, g in ((found, f), (expected, value_and_grad(energy))):
        value, slopes = g(xs)
        (value + ag.dot(slopes, slopes)).backward()
    close([x.grad for x in found], [x.grad for x in expected], 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_among_numbers(backend):
    w = Value(3.0)
    f = jit(lambda x, ws, a: x * ws[0] + ws[1] * a[1], backend=backend)
    y = f(2.0, [w, 4.0], np.array([5.0, 6.0]))
    assert y.data == 30.0
    y.backward()
    assert w.grad == 2.0
    assert f(2.0, [3.0, 4.0], np.array([5.0, 6.0])) == 30.0
    z = f(w, [w, w], np.array([w, w], dtype=object))
    assert z.data == 18.0
    w.grad = 0.0
    z.backward()
    assert w.grad == 12.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_closed_over_values(backend):
    w, b = Value(3.0), Value(0.5)
    f = jit(lambda xs: [w * x + b for x in xs], backend=backend)
    ys = f([1.0, 2.0])
    assert plain(ys) == [3.5, 6.5]
    (ys[0] + 10.0 * ys[1]).backward()
    assert (w.grad, b.grad) == (21.0, 11.0)
    w.data = -1.0
    assert plain(f([1.0, 2.0])) == [-0.5, -1.5]
    assert plain(f([Value(1.0), 2.0])) == [-0.5, -1.5]
    assert "2 closed-over" in f.report()
    slope = jit(grad(lambda x: w * x * x), backend=backend)(3.0)
    assert isinstance(slope, Value)
    w.grad = 0.0
    slope.backward()
    assert w.grad == 6.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_value_twice(backend):
    f = jit(lambda x, y: x * y + x, backend=backend)
    w = Value(3.0)
    f(w, w).backward()
    assert w.grad == 7.0
    g = jit(lambda x: x * w, backend=backend)
    w.grad = 0.0
    g(w).backward()
    assert w.grad == 6.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_trees_of_nodes(backend):
    def f(p):
        return {"sum": p["x"] + p["y"][0], "parts": [p["x"] * 2.0, (p["y"][0], 5.0)]}

    p = {"x": Value(2.0), "y": [Value(3.0)]}
    found = jit(f, backend=backend)(p)
    assert plain(found) == [5.0, 4.0, 3.0, 5.0]
    (found["sum"] * found["parts"][0]).backward()
    assert p["x"].grad == 4.0 + 2.0 * 5.0
    assert p["y"][0].grad == 4.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_nodes_in_long_chains(backend):
    """Compiled steps inside an eager loop, as in training."""
    step = jit(lambda h, w: ag.tanh(h * w) + 0.1 * h, backend=backend)
    w, expected = Value(0.7), Value(0.7)
    h, g = Value(0.5), Value(0.5)
    for _ in range(30):
        h = step(h, w)
        g = ag.tanh(g * expected) + 0.1 * g
    h.backward()
    g.backward()
    assert w.grad == pytest.approx(expected.grad, rel=1e-12)


def test_backward_twice():
    x = Value(3.0)
    y = jit(lambda x: x * x)(x)
    y.backward()
    y.backward()
    assert x.grad == 12.0
    assert y.grad == 1.0


# -- Models --------------------------------------------------------------------------


def loss(model, xs, y):
    return (model(xs) - y) ** 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_as_arguments(backend):
    model = nn.MLP(3, [4, 4, 1], activation="tanh", seed=0)
    f = jit(value_and_grad(loss), backend=backend)
    xs = [0.5, -1.0, 2.0]
    for _ in range(2):
        value, slopes = f(model, xs, 1.0)
        wanted, expected = value_and_grad(loss)(model, xs, 1.0)
        assert type(value) is float
        assert list(slopes) == list(model.named_parameters())
        close(value, wanted)
        close(slopes, expected, 1e-12)
        for p in model.parameters():
            p.data += 0.1
    assert all(p.grad == 0.0 for p in model.parameters())


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_whose_loss_is_a_node(backend):
    model = nn.MLP(3, [4, 1], activation="relu", seed=1)
    xs = [0.5, -1.0, 2.0]
    compiled = jit(loss, backend=backend)
    for _ in range(2):
        model.zero_grad()
        compiled(model, xs, 1.0).backward()
        found = [p.grad for p in model.parameters()]
        model.zero_grad()
        loss(model, xs, 1.0).backward()
        close(found, [p.grad for p in model.parameters()], 1e-12)
        for p in model.parameters():
            p.data -= 0.1 * p.grad


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_closed_over(backend):
    model = nn.MLP(2, [3, 1], seed=2)
    f = jit(lambda xs: model(xs), backend=backend)
    close(f([0.5, 1.0]), model([0.5, 1.0]))
    f([0.5, 1.0]).backward()
    found = [p.grad for p in model.parameters()]
    model.zero_grad()
    model([0.5, 1.0]).backward()
    close(found, [p.grad for p in model.parameters()], 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_of_one_shape_and_of_others(backend):
    f = jit(value_and_grad(loss), backend=backend)
    for seed, sizes in ((0, [3, 1]), (1, [3, 1]), (2, [5, 1]), (3, [1]), (0, [3, 1])):
        model = nn.MLP(2, sizes, seed=seed)
        found = f(model, [0.5, 1.0], 1.0)
        close(list(found), list(value_and_grad(loss)(model, [0.5, 1.0], 1.0)), 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_that_grows(backend):
    f = jit(value_and_grad(lambda model: ag.sum(model.parameters())), backend=backend)
    model = nn.MLP(1, [1])
    assert list(f(model)[1].values()) == [1.0, 1.0]
    model.more = [Value(3.0), 5]
    value, slopes = f(model)
    assert value == 3.0 + model.parameters()[0].data + model.parameters()[1].data
    assert list(slopes) == list(model.named_parameters()) and len(slopes) == 3


def test_models_that_are_gone_are_not_confused():
    """Models of equally many parameters one after the other, each freed before."""
    f = jit(lambda model, xs: model(xs[: len(model.layers[0].neurons[0].w)]))
    for k in range(20):
        model = nn.MLP(1, [2]) if k % 2 else nn.MLP(3, [1])
        xs = [0.5, 1.0, -2.0]
        expected = model(xs[:1] if k % 2 else xs)
        found = f(model, xs)
        close(found, expected)
        del model


# -- Copies, pickles, threads --------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "slope", "both", "on_numpy", "exact"])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, None])
def test_copies_and_pickles(clone, warm, name):
    f = getattr(functions, name)
    if warm:
        f(POINT)
    twin = clone(f) if clone else pickle.loads(pickle.dumps(f))
    assert bits(twin(POINT)) == bits(f(POINT))
    assert bits(twin(POINT, 2.0)) == bits(f(POINT, 2.0))
    assert twin.__name__ == "energy"


@pytest.mark.parametrize(
    ("made", "args"),
    [
        (jit(grad(grad(functions.cube))), (2.0,)),
        (jit(value_and_grad(energy, (0, 1))), (POINT, 2.0)),
        (jit(hessian(energy)), (POINT,)),
        (jit(ag.jacobian(energy)), (POINT,)),
        (jit(ag.hvp(energy)), (POINT, POINT)),
        (jit(ag.vmap(energy)), (table(),)),
        (jit(energy, static="scale"), (POINT, 2.0)),
        (jit(jit(energy)), (POINT,)),
    ],
)
@pytest.mark.parametrize("clone", [copy.deepcopy, None])
def test_pickles_of_transforms(clone, made, args):
    twin = clone(made) if clone else pickle.loads(pickle.dumps(made))
    assert bits(twin(*args)) == bits(made(*args))


def test_functions_without_a_name_do_not_travel():
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(jit(lambda x: x))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
def test_threads_calling_one_function(warm, backend):
    f = jit(value_and_grad(energy), backend=backend)
    points = [[math.sin(7 * k + i) for i in range(40)] for k in range(40)]
    expected = [jit(value_and_grad(energy), backend=backend)(p) for p in points]
    arrays = [np.array(p) for p in points]
    if warm:
        f(points[0]), f(arrays[0])
    wrong = []

    def work(start):
        for k in range(start, start + 200):
            value, slopes = f(points[k % 40] if k % 3 else arrays[k % 40])
            if (value, list(slopes)) != expected[k % 40]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(7 * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(f.plans) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_leave_the_function_usable(backend):
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")
        return x * 2.0

    compiled = jit(f, backend=backend)
    with pytest.raises(RuntimeError, match="once"):
        compiled(1.0)
    assert compiled(1.0) == 2.0
    assert compiled(2.0) == 4.0
    assert len(calls) == 2


def test_a_function_is_traced_once():
    calls = []

    def f(xs):
        calls.append(1)
        return ag.sum(xs)

    compiled = jit(f)
    for k in range(5):
        assert compiled([1.0, float(k)]) == 1.0 + k
    assert len(calls) == 1
    compiled([1.0])
    assert len(calls) == 2


def test_a_function_that_calls_itself_compiled():
    """Recursion with another structure at each level."""

    @jit
    def total(xs):
        return xs[0] + total(xs[1:]) if len(xs) > 1 else xs[0]

    assert total([1.0, 2.0, 3.0, 4.0]) == 10.0
    assert grad(total)([1.0, 2.0]) == [1.0, 1.0]


# -- Reports -------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_reports(backend):
    f = jit(value_and_grad(energy), backend=backend)
    assert "not called yet" in f.report()
    assert "energy" in f.report()
    f(POINT)
    text = f.report()
    for part in (
        "energy",
        "5 inputs",
        "bulk operations",
        "instructions",
        "backend",
        backend,
    ):
        assert part in text
    assert "baked in" not in jit(lambda x: x * x).report()
    g = jit(lambda x: x * 2.5 + 7.25)
    g(1.0)
    assert "2 numbers baked in: 2.5, 7.25" in g.report()
    f([1.0, 2.0])
    assert len(f.report()) > len(text)
    assert f.report().count("re-rolled") == 2
    assert "2 plans" in repr(f)


def test_reports_say_why():
    f = jit(energy, strict=True)
    f(POINT)
    assert "strict" in f.report()


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_functions_look_like_the_original(backend):
    f = jit(energy, backend=backend)
    assert f.__name__ == "energy"
    assert f.__doc__ == energy.__doc__
    assert f.__wrapped__ is energy
    f(POINT)
    assert f.__name__ == "energy"
    assert callable(f)


@pytest.mark.parametrize("wrong", [3.0, None, "text", [energy]])
def test_only_functions_are_compiled(wrong):
    with pytest.raises(TypeError):
        jit(wrong)


def test_unknown_backends_are_refused():
    with pytest.raises(ValueError, match="cuda"):
        jit(energy, backend="cuda")
    with pytest.raises(ValueError, match="strict"):
        jit(energy, backend="llvm", strict=True)


def test_methods_and_partials():
    from functools import partial

    class Line:
        def __init__(self):
            self.slope = 3.0

        def at(self, x):
            return self.slope * x

    assert jit(Line().at)(2.0) == 6.0
    assert jit(partial(energy, scale=2.0))(POINT) == pytest.approx(energy(POINT, 2.0))
    assert jit(ag.tanh)(0.5) == pytest.approx(math.tanh(0.5))
    assert jit(grad(ag.tanh))(0.0) == 1.0


# -- Without llvmlite ----------------------------------------------------------------


@pytest.fixture
def without_llvmlite(monkeypatch):
    """As if llvmlite were not installed."""
    from autograd.compiler.llvm import engine

    right_import, right_find = importlib.import_module, importlib.util.find_spec

    def no_import(name, *more):
        if name.split(".")[0] == "llvmlite":
            raise ImportError(name)
        return right_import(name, *more)

    def no_find(name, *more):
        return None if name.split(".")[0] == "llvmlite" else right_find(name, *more)

    monkeypatch.setattr(importlib, "import_module", no_import)
    monkeypatch.setattr(importlib.util, "find_spec", no_find)
    import sys

    for name, module in list(sys.modules.items()):
        if name.startswith("autograd.compiler") and hasattr(module, "find_spec"):
            monkeypatch.setattr(module, "find_spec", no_find)
    monkeypatch.setattr(engine, "_engine", [])


def test_numpy_is_chosen_without_llvmlite(without_llvmlite):
    f = jit(value_and_grad(energy))
    value, slopes = f(POINT)
    assert value == pytest.approx(energy(POINT))
    assert slopes == pytest.approx(grad(energy)(POINT))
    assert "numpy" in f.report()
    assert "llvmlite is not installed" in f.report()
    assert f(np.array(POINT))[0] == pytest.approx(value)
    xs = nodes(POINT)
    jit(energy)(xs).backward()
    assert [x.grad for x in xs] == pytest.approx(slopes)


def test_llvm_is_an_error_without_llvmlite(without_llvmlite):
    with pytest.raises(MissingDependencyError, match="llvmlite"):
        jit(energy, backend="llvm")(POINT)
    with pytest.raises(MissingDependencyError, match=r"scalar-autograd\[compile\]"):
        jit(energy, backend="llvm")(POINT)


@NO_LLVM
def test_llvm_is_the_default_where_it_is_installed():
    f = jit(energy)
    f(POINT)
    assert "llvmlite is installed" in f.report()


# -- Users' own rows -----------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [1, 3, 20])
def test_users_elementwise_rows(count, backend):
    def f(xs):
        return ag.sum([functions.cube(x) * x for x in xs])

    xs = [0.5 * k - 1.0 for k in range(count)]
    compiled = jit(value_and_grad(f), backend=backend)
    close(list(compiled(xs)), list(value_and_grad(f)(xs)))
    close(
        jit(hessian(f), backend=backend)(xs[:2]),
        hessian(f)(xs[:2]),
    )
    assert "cube" in compiled.report()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_users_rows_of_many_operands(count, backend):
    def f(ws, xs):
        return functions.weighted(ws, xs) * xs[0]

    ws, xs = [1.0 + k for k in range(count)], [0.5 * k - 1.0 for k in range(count)]
    compiled = jit(value_and_grad(f, (0, 1)), backend=backend)
    close(list(compiled(ws, xs)), list(value_and_grad(f, (0, 1))(ws, xs)))
    assert "weighted" in compiled.report()


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_rows_of_three_operands(backend):
    lerp = Primitive(
        "lerp",
        lambda a, b, t: a + t * (b - a),
        lambda a, b, t, z: 1.0 - t,
        lambda a, b, t, z: t,
        lambda a, b, t, z: b - a,
    )
    f = jit(
        value_and_grad(lambda a, b, t: lerp(a, b, t) * t, (0, 1, 2)), backend=backend
    )
    assert f(1.0, 3.0, 0.5) == (1.0, (0.25, 0.25, 3.0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_rows_that_raise(backend):
    def refuse(x):
        if x < 0:
            raise ValueError("below zero")
        return x

    picky = Primitive("picky", refuse, lambda x, y: 1.0)
    f = jit(lambda x: picky(x) * 2.0, backend=backend)
    assert f(1.0) == 2.0
    with pytest.raises(ValueError, match="below zero"):
        f(-1.0)
    assert f(3.0) == 6.0
    with pytest.raises(ValueError, match="below zero"):
        f(-1.0)
    assert f(3.0) == 6.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("result", ["text", None, 1j, [1.0]])
def test_users_rows_that_return_no_number(result, backend):
    odd = Primitive("odd", lambda x: result if x > 5 else x, lambda x, y: 1.0)
    f = jit(lambda x: odd(x) * 2.0, backend=backend)
    assert f(1.0) == 2.0
    with pytest.raises((TypeError, ValueError)):
        f(9.0)
    assert f(1.0) == 2.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_rows_that_shadow_the_table(backend):
    """A row of your own is your own, whatever its name."""
    tanh = Primitive("tanh", lambda x: x + 1.0, lambda x, y: 1.0)
    total = Primitive(
        "sum", lambda xs: xs[0], joint=lambda xs, z: ([1.0, *[0.0] * (len(xs) - 1)],)
    )
    maximum = Primitive(
        "maximum", lambda xs: -1.0, joint=lambda xs, z: ([0.0] * len(xs),)
    )

    def f(x):
        return tanh(x) + ag.tanh(x) + total([x, 5.0]) + maximum([x, 7.0])

    found = jit(value_and_grad(f), backend=backend)(0.5)
    close(list(found), list(value_and_grad(f)(0.5)))


# -- Choosing by an input ------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_take(backend):
    xs = [0.5, -1.0, 2.0, 4.0]
    f = jit(value_and_grad(lambda xs, i: ag.take(xs, i) ** 2), backend=backend)
    for i in [*range(4), -1, -4]:
        value, slopes = f(xs, i)
        assert value == xs[i] ** 2
        expected = [0.0] * 4
        expected[i] = 2.0 * xs[i]
        assert slopes == expected
    for i in (4, -5, 1e300, math.inf, -math.inf, math.nan):
        assert math.isnan(f(xs, i)[0])
    table = [[float(10 * i + j) for j in range(3)] for i in range(5)]
    rows = jit(lambda table, i: ag.take(table, i), backend=backend)
    for i in (0, 3, 4, -2):
        assert rows(table, i) == table[i]


@pytest.mark.parametrize("backend", BACKENDS)
def test_tokens_vary_without_tracing_again(backend):
    traced = []

    def f(table, tokens):
        traced.append(1)
        return ag.sum([ag.tanh(x) for t in tokens for x in ag.take(table, t)])

    table = [[math.sin(3 * i + j) for j in range(4)] for i in range(6)]
    compiled = jit(value_and_grad(f), backend=backend)
    for tokens in ([0, 1, 2], [5, 5, 5], [3, 0, 3]):
        close(list(compiled(table, tokens)), list(value_and_grad(f)(table, tokens)))
    assert sum(traced) == 1 + 3


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
def test_takes_of_several_sequences_by_shared_indices(backend, strict):
    """Some of them without a slope: sign has none."""
    if strict and backend == "llvm":
        backend = None

    def f(xs, ys, places):
        pairs = [(ag.take(xs, k), ag.take(ys, k)) for k in places]
        total = ag.sum([x * x * ag.sign(y) for x, y in pairs])
        return total + ag.take(xs, places[0]) * ag.take(xs, -1) * ag.take(ys[1:], 0)

    xs, ys = [1.0, 2.0, 3.0], [-1.0, 1.5, 2.0]
    argnums = 0, 1
    compiled = jit(value_and_grad(f, argnums=argnums), backend=backend, strict=strict)
    for places in ([0, 2, -2, 1], [1, 1, 1, 1], [-1, -3, 0, 2]):
        expected = value_and_grad(f, argnums=argnums)(xs, ys, places)
        found = compiled(xs, ys, places)
        flat = [[value, *slopes[0], *slopes[1]] for value, slopes in (found, expected)]
        close(*flat)


@pytest.mark.parametrize("number", [int, float, np.float64])
def test_entries_take_integers(number):
    """Called three times: machine code may answer from the second time on."""
    f = jit(lambda xs, i, by: ag.take(xs, i) * by)
    xs = np.arange(5.0)
    for _ in range(3):
        assert f(xs, number(2), number(3)) == 6.0
    assert f(xs, -1, 10**300) == 4e300
    assert f(xs, 4, -1) == -4.0
    assert f(xs, 4, True) == 4.0
    for kind in (np.int64, np.longlong, np.int32, np.uint8, np.float32, bool):
        assert f(xs.astype(kind), 1, 3) == 3.0
    with pytest.raises(OverflowError, match="beyond the range of floats"):
        f(xs, 1, 10**400)
    assert f(xs, 1, 1) == 1.0
    empty = jit(lambda xs, nothing: ag.sum(xs) + len(nothing))
    for kind in (float, int, int):
        assert empty(np.ones(3, int), np.zeros(0, kind)) == 3.0


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "index", [-3, -2.5, -1.5, -1, -0.5, 0, 0.5, 1.5, 2.75, math.nan]
)
@pytest.mark.parametrize("count", [1, 3])
def test_takes_drop_fractions(backend, strict, index, count):
    """As int() does, in values and in slopes."""
    if strict and backend == "llvm":
        pytest.skip("strict runs on numpy")
    xs = [1.0, 2.0, 3.0][:count]
    inside = index == index and -count <= int(index) < count
    value = xs[int(index)] if inside else math.nan
    slope = [float(inside and k == int(index) % count) for k in range(count)]
    settings = {"backend": None if strict else backend, "strict": strict}
    np.testing.assert_equal(jit(ag.take, **settings)(xs, index), value)
    found = jit(grad(lambda p, i: ag.take(p, i)), **settings)(xs, index)
    assert [x if inside else 0.0 for x in found] == slope
    if inside:
        assert grad(lambda p: ag.take(p, index))(xs) == slope


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x,
        lambda x: x + x,
        lambda x: x * ag.sin(x) - x,
        lambda x: x - x * x * x,
        lambda x: ag.sum([x, x * x, -x, 2.0]),
    ],
)
def test_strict_nodes_have_all_their_slopes(f):
    a = Value(2.0)
    found = ag.gradient(jit(f, strict=True)(a), a)
    assert found == pytest.approx(grad(f)(2.0), rel=1e-15)
    closed = jit(lambda x: f(a) * x, strict=True)
    assert ag.gradient(closed(2.0), a) == pytest.approx(2.0 * grad(f)(2.0), rel=1e-15)


@pytest.mark.parametrize("f", [ag.maximum, ag.minimum, lambda *xs: ag.clip(*xs, 1.0)])
@pytest.mark.parametrize("xs", [(0.0, -0.0), (-0.0, 0.0)])
def test_strict_keeps_the_sign_of_the_first_zero(f, xs):
    assert str(jit(f, strict=True)(*xs)) == str(f(*map(Value, xs)).data)


@jit
def decorated(x):
    return ag.sin(x) * x


class Line:
    def __init__(self, slope):
        self.slope = slope

    @partial(jit, static="self")
    def at(self, x):
        return self.slope * x


def test_decorated_functions_are_pickled_by_name():
    assert decorated(2.0) == pytest.approx(2.0 * math.sin(2.0), rel=1e-15)
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert copy.deepcopy(decorated) is decorated
    twin = pickle.loads(pickle.dumps(jit(energy)))
    assert type(twin) is type(jit(energy))
    model = nn.MLP(1, [1], seed=0)  # a callable without a name
    twin = pickle.loads(pickle.dumps(jit(model)))
    assert twin([2.0]).data == pytest.approx(model([2.0]).data, rel=1e-14)


def test_methods():
    assert Line(2.0).at(3.0) == 6.0
    assert Line(-1.0).at(3.0) == -3.0


def test_methods_of_models():
    class Model(nn.Module):
        def __init__(self):
            self.w = Value(2.0)

        @jit
        def value(self, x):
            return self.w * x

    model = Model()
    y = model.value(3.0)
    y.backward()
    assert y.data == 6.0
    assert model.w.grad == 3.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_masked_arrays_are_refused(backend):
    f = jit(lambda x: ag.sum(x), backend=backend)
    assert f(np.ones(2)) == 2.0
    with pytest.raises(TypeError, match="masked arrays"):
        f(np.ma.masked_array([1.0, 2.0], mask=[False, True]))


NOT_CHOSEN = [
    lambda w: ag.tanh(ag.log(w - 5.0) + w),
    lambda w: ag.sin(w * math.nan),
    lambda w: ag.tanh(w * math.inf - w * math.inf),
    lambda w: ag.tanh(ag.take([w, 2.0 * w], w + 9.0) + w),
    lambda w: ag.exp(w * 4000.0) * w,
]


@pytest.mark.parametrize("other", NOT_CHOSEN)
@pytest.mark.parametrize("steps", [1, 3, 20])
@pytest.mark.parametrize("backend", BACKENDS)
def test_candidates_that_are_not_chosen_send_nothing(backend, steps, other):
    """NaN and infinite slopes among them, in loops over time too."""

    def f(w, places):
        x = w
        for place in places:
            x = ag.take([ag.sin(w), other(x + w)], place)
        return x

    places = [1.0] * (steps - 1) + [0.0]
    compiled = jit(value_and_grad(f), backend=backend)
    for _ in range(2):
        found = compiled(0.3, places)
        assert found == pytest.approx((math.sin(0.3), math.cos(0.3)), rel=1e-15)
    second = jit(hessian(lambda w: f(w, places)), backend=backend)(0.3)
    assert second == pytest.approx(-math.sin(0.3), rel=1e-15)


class Changing(nn.Module):
    def __init__(self):
        self.a, self.b, self.d = Value(2.0), Value(10.0), Value(0.5)

    def __call__(self, x):
        c = getattr(self, "c", 0.0)
        return self.a * x + getattr(self, "b", 0.0) * self.d + c**2


def renamed(model):
    del model.b
    model.c = Value(4.0)


def reordered(model):
    a = model.__dict__.pop("a")
    model.a = a


def moved(model):
    model.c = model.__dict__.pop("b")


def shared_otherwise(model):
    model.a, model.b, model.c = model.b, model.b, model.a


def replaced(model):
    model.b = Value(-1.0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "change", [renamed, reordered, moved, shared_otherwise, replaced]
)
def test_models_that_change_with_as_many_parameters(backend, change):
    def f(model, x):
        return model(x) * 1.0

    model = Changing()
    compiled = jit(value_and_grad(f), backend=backend)
    for _ in range(2):
        found, expected = compiled(model, 3.0), value_and_grad(f)(model, 3.0)
        assert found == expected
        assert list(found[1]) == list(expected[1])
        change(model) if len(compiled.plans) == 1 else None


def test_models_that_share_otherwise():
    model = Changing()
    model.c = model.a
    compiled = jit(value_and_grad(lambda m: m(3.0) * 1.0))
    assert compiled(model)[0] == 15.0
    model.c = model.b
    assert compiled(model)[0] == 111.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_all_candidates_read_is_chosen(backend):
    """A loss that takes one of many logarithms: no products are selected for it."""

    def f(xs, i):
        xs = [ag.tanh(2.0 * x) for x in xs]
        return -ag.take(ag.log_softmax(xs), i)

    compiled = jit(value_and_grad(f), backend=backend)
    xs = [0.3, -0.2, 0.9]
    slopes = compiled(xs, 1)[1]
    assert slopes == pytest.approx(value_and_grad(f)(xs, 1)[1], rel=1e-14)
    (plan,) = compiled.plans.values()
    rows = [
        op.primitive.name for op in plan.bulk.operations if hasattr(op, "primitive")
    ]
    assert rows.count("selected_multiply") <= 1  # the choice itself


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_side_that_is_reached_otherwise_too(backend):
    """Its slope is the one of the other way, NaN included."""

    def f(x, y):
        h = ag.tanh(ag.log(y) + x)
        return ag.where(x > 0.0, x * x, h) + h * 0.5

    for point in ((0.3, 2.0), (0.3, -1.0), (-0.3, 2.0)):
        found = jit(value_and_grad(f, argnums=(0, 1)), backend=backend)(*point)
        expected = value_and_grad(f, argnums=(0, 1))(*point)
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-14)
