"""Zero is strong in compiled programs: singly, in batches, and in every kernel."""

from math import inf, nan

import numpy as np
import pytest
from strong_zeros import CASES, CURVED, SEVERAL, hard_operands, on_operands
from tiers import NO_LLVM

import autograd as ag
from autograd import grad, hessian, hvp, jacobian, jit, jvp, vjp, vmap
from autograd.table.primitives import TABLE

NAMES = [name for name, row in TABLE.items() if not row.predicate]
SETTINGS = [
    {"backend": "numpy"},
    pytest.param({"backend": "llvm"}, marks=NO_LLVM),
    {"strict": True},
]
settings = pytest.mark.parametrize("how", SETTINGS, ids=str)


# sums of products stay IEEE's where no choice stands between; strict=True guards them
PLAIN = {"multiply", "dot"}


def same(a, b):
    return np.allclose(a, b, rtol=1e-12, atol=0.0, equal_nan=True)


@settings
@pytest.mark.parametrize("name", NAMES)
def test_a_cotangent_of_0_sends_nothing(name, how):
    f, points = on_operands(name), hard_operands(name)
    if name in PLAIN and "strict" not in how:
        points = [xs for xs in points if np.isfinite(xs).all()]

    def unsent(zero, points):
        return ag.sum([f(*xs) * zero + xs[-1] for xs in points])

    slopes = np.array(jit(grad(unsent, 1), **how)(0.0, points))
    expected = np.zeros_like(slopes)
    expected[:, -1] = 1.0
    assert (slopes == expected).all()
    slope = jit(grad(lambda t, xs: t * f(*xs)), **how)  # the other factor's
    for xs in points[:10]:
        assert same(slope(0.0, xs), f(*xs))


@settings
@pytest.mark.parametrize("name", NAMES)
def test_a_tangent_of_0_sends_nothing(name, how):
    f, points = on_operands(name), hard_operands(name)

    def tangents(points):
        return [jvp(f, xs, [0.0] * len(xs))[1] for xs in points]

    assert jit(tangents, **how)(points) == [0.0] * len(points)


@settings
@pytest.mark.parametrize("name", NAMES)
def test_an_output_that_is_not_asked_for_sends_nothing(name, how):
    f, points = on_operands(name), hard_operands(name)

    def pulled(weight, points):
        _, pull = vjp(lambda p: [[f(*xs) for xs in p], [xs[-1] for xs in p]], points)
        return pull([[weight] * len(points), [2.0] * len(points)])[0]

    slopes = np.array(jit(pulled, **how)(0.0, points))
    expected = np.zeros_like(slopes)
    expected[:, -1] = 2.0
    assert (slopes == expected).all()


@settings
@pytest.mark.parametrize("case", CASES)
def test_gradients(case, how):
    f, xs, slopes = CASES[case]
    compiled = jit(grad(f, tuple(range(len(xs)))), **how)
    assert same(compiled(*xs), slopes)
    assert same(compiled(*xs), slopes)  # a second call, with all that was learnt


@settings
@pytest.mark.parametrize("case", CASES)
def test_gradients_in_batches(case, how):
    f, xs, slopes = CASES[case]
    places = tuple(range(len(xs)))
    columns = [np.full(12, x) for x in xs]
    found = jit(vmap(grad(f, places)), **how)(*columns)
    for column, slope in zip(found, slopes, strict=True):
        assert same(column, [slope] * 12)
    total = jit(grad(lambda *columns: ag.sum(vmap(f)(*columns)), places), **how)
    for column, slope in zip(total(*columns), slopes, strict=True):
        assert same(column, [slope] * 12)
    shared = grad(lambda *ys: ag.sum(vmap(lambda t: f(*ys) + 0.0 * t)(np.zeros(12))))
    assert same(jit(shared, **how)(*xs), 12 * slopes[0])


@settings
@pytest.mark.parametrize("case", CURVED)
def test_second_derivatives(case, how):
    f, xs, expected = CURVED[case]
    assert same(jit(hessian(f), **how)(xs), expected)
    for j in range(len(xs)):
        unit = [float(j == k) for k in range(len(xs))]
        assert same(jit(hvp(f), **how)(xs, unit), [row[j] for row in expected])
    slopes = [
        jit(grad(lambda xs, i=i: grad(f)(xs)[i]), **how)(xs) for i in range(len(xs))
    ]
    assert same(slopes, expected)


@settings
@pytest.mark.parametrize("case", SEVERAL)
def test_jacobians(case, how):
    f, xs, expected = SEVERAL[case]
    assert same(jit(jacobian(f), **how)(xs), expected)


# -- Contractions behind a choice: every kernel --------------------------------------


def layer(W, x):
    """Rectified dots: rows that are not chosen meet whatever is in x and W."""
    return [ag.relu(ag.dot(w, x)) for w in W]


def lengths(W):
    return [min(2 + 3 * i % 7, len(W[0])) for i in range(len(W))]


def uneven(W, x):
    """The same with rows of unequal length."""
    return [ag.relu(ag.dot(w[:k], x[:k])) for k, w in zip(lengths(W), W, strict=True)]


def deep(W, x):
    """A dot behind the choice of a dot, so that cotangents meet the weights."""
    hidden = [ag.tanh(ag.dot(w, x)) for w in W]
    return [ag.relu(ag.dot(w[: len(hidden)], hidden[: len(w)])) for w in W]


SHAPES = [(2, 3), (5, 9), (16, 8), (24, 40), (9, 300)]


def spoilt(n, k):
    """Weights and inputs some of which are infinite, or no number."""
    rng = np.random.default_rng(n * k)
    W, x = rng.normal(size=(n, k)), rng.normal(size=k)
    x[rng.integers(k)] = inf
    W[0, rng.integers(k)] = -inf
    W[-1, 0] = nan
    return W, x


@settings
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("net", [layer, uneven, deep], ids=lambda f: f.__name__)
def test_contractions_behind_a_choice(net, shape, how):
    W, x = spoilt(*shape)

    def loss(W, x):
        return ag.sum(net(W, x))

    compiled = jit(grad(loss, (0, 1)), **how)
    expected = grad(loss, (0, 1))(W.tolist(), x.tolist())
    for _ in range(2):
        for found, right in zip(compiled(W, x), expected, strict=True):
            assert same(found, right)


@settings
@pytest.mark.parametrize("rows", [3, 40, 9000])
@pytest.mark.parametrize("net", [layer, uneven, deep], ids=lambda f: f.__name__)
def test_contractions_behind_a_choice_in_batches(net, rows, how):
    """Summed over the batch, and for each of its samples."""
    W, x = spoilt(5, 9)
    X = np.random.default_rng(rows).normal(size=(rows, 9))
    X[rows // 2] = x

    def error(W, x):
        return ag.sum(net(W, x))

    def loss(W, X):
        return ag.sum(vmap(error, in_axes=(None, 0))(W, X))

    each = [grad(error)(W.tolist(), row.tolist()) for row in X[rows // 2 :][:2]]
    if rows < 9000:
        expected = np.zeros(W.shape)
        for row in X:
            expected += grad(error)(W.tolist(), row.tolist())
        for _ in range(2):
            assert same(jit(grad(loss), **how)(W, X), expected)
    if not how.get("strict"):
        slopes = jit(vmap(grad(error), in_axes=(None, 0)), **how)(W, X)
        assert same(slopes[rows // 2 :][:2], each)
