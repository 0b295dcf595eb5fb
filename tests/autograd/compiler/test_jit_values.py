"""Compiled functions among Values and transforms: results that stay in the graph."""

import math
import random

import numpy as np
import pytest
from compiled_functions import energy
from jit_cases import POINT, close, nodes
from tiers import BACKENDS, plain

import autograd as ag
from autograd import (
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


@pytest.mark.parametrize("f", [ag.maximum, ag.minimum, lambda *xs: ag.clip(*xs, 1.0)])
@pytest.mark.parametrize("xs", [(0.0, -0.0), (-0.0, 0.0)])
def test_strict_keeps_the_sign_of_the_first_zero(f, xs):
    assert str(jit(f, strict=True)(*xs)) == str(f(*map(Value, xs)).data)
