"""Choosing by an input, compiled: ``take``, and what is not chosen."""

import math

import numpy as np
import pytest
from jit_cases import close
from tiers import BACKENDS

import autograd as ag
from autograd import (
    Value,
    grad,
    hessian,
    jit,
    value_and_grad,
)


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
