"""Compiled functions of arrays: every kind, every shape, whole-array functions."""

import math

import numpy as np
import pytest
from compiled_functions import energy
from jit_cases import close, frozen, table
from tiers import BACKENDS, agree, bits, plain

import autograd as ag
from autograd import (
    grad,
    hessian,
    jit,
    value_and_grad,
)


def shuffled(a):
    """The same numbers behind negative strides and with gaps between them."""
    room = np.full([3 * k for k in a.shape], np.nan)
    view = room[tuple([slice(None, None, -3)] * a.ndim)]
    view[...] = a
    return view


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
