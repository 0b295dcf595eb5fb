"""Loops over time: found, differentiated backwards, run on both backends."""

import functools
import math
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd import Primitive, grad, hessian, hvp, jit, value_and_grad
from autograd.compiler.bulk.bulk import Bulk, SumOfProducts, Terms

BACKENDS = ["numpy", "llvm"]


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    return request.param


def runge_kutta(p, steps=60):
    """A damped spring; a loss that looks at every step."""
    k, m, x, v = p
    h, loss = 0.01, 0.0

    def slope(x, v):
        return v, -(k / m) * x - 0.1 * v * v * v + ag.sin(x) ** 2

    for _ in range(steps):
        a1, b1 = slope(x, v)
        a2, b2 = slope(x + 0.5 * h * a1, v + 0.5 * h * b1)
        a3, b3 = slope(x + 0.5 * h * a2, v + 0.5 * h * b2)
        a4, b4 = slope(x + h * a3, v + h * b3)
        x = x + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        v = v + h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        loss = loss + (x - 0.1) * (x - 0.1)
    return loss


def deep(p, steps=5000):
    x = p[0]
    for _ in range(steps):
        x = x * p[1] + 0.001
    return x


def trajectory(p, steps=200):
    """What the steps leave is used behind the loop."""
    x, seen = p[0], []
    for i in range(steps):
        x = ag.tanh(p[1] * x + p[2]) * 1.1 + 1e-5 * i
        seen.append(x)
    return ag.sum([(x - 0.3 * math.sin(j)) ** 2 for j, x in enumerate(seen)])


def observed(p, ys):
    """Each step reads an input of its own; a choice in every step."""
    x, loss = p[0], 0.0
    for y in ys:
        x = x + 0.1 * (p[1] - x) * p[2]
        loss = loss + ag.where(x > y, (x - y) ** 2, ag.exp(x - y))
    return loss


def logistic(p, steps=100):
    x = p[0]
    for _ in range(steps):
        x = p[1] * x * (1 - x)
    return x


def extremes(p, steps=100):
    """Rows of many operands in every step."""
    x, y = p[0], p[1]
    for _ in range(steps):
        top = ag.maximum(x * 0.9, y)
        x, y = top, ag.logsumexp([x, y * 0.5, p[2]]) * 0.5
    return x + y


def one_after_the_other(p, ys):
    """Three loops; the second reads what the first leaves, the third both."""
    x, v, k = p
    loss = 0.0
    for y in ys[:60]:
        v = v - 0.01 * k * ag.sin(x)
        x = x + 0.01 * v
        loss = loss + (x - y) ** 2
    z = x * v
    for y, after in pairwise(ys[:41]):
        z = ag.tanh(z * k + y) * x
        loss = loss + z * after
    w = ag.exp(-0.01 * loss)
    for _ in range(30):
        w = w + 0.1 * ag.cos(w * v)
    return w * loss


def nested(p, ys, steps):
    """A loop inside another, and losses between its runs."""
    x, v, k = p
    loss = 0.0
    for y in ys:
        for _ in range(steps):
            v = v - 0.01 * k * ag.sin(x)
            x = x + 0.01 * v
        loss = loss + (x - y) ** 2 / (1.0 + v * v)
    return loss


def inner(p, ys):
    """Long loops inside a short one."""
    return nested(p, ys[:3], 25)


def outer(p, ys):
    """Short loops inside a long one: its steps hold them."""
    return nested(p, ys[:30], 3)


def products(p, steps=20):
    s, total = p[2], 0.0
    for _ in range(steps):
        q = ag.prod([p[0], s, p[1]]) * p[1]
        s = ag.tanh(q * p[1]) + 0.1 * q
        total = total + s * s
    return total + s


def chosen_weights(p, places, steps=20):
    """A weight of each step is chosen by an input."""
    s, total = 0.3, 0.0
    for t in range(steps):
        s = ag.tanh(s + ag.take(p, places[t]))
        total = total + ag.sin(s)
    return total


def chosen_twice(p, places, steps=30):
    x, y = p[0], 0.1
    for t in range(steps):
        x = ag.sin(x * ag.take(p, places[t])) + y
        y = ag.take([x, y, p[1]], places[steps - 1 - t]) * 0.5
    return x * y


cube = Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)


def own_row(p, steps=50):
    x = p[0]
    for _ in range(steps):
        x = cube(x) * p[1] + 0.3
    return x


YS = [math.sin(i) for i in range(150)]
PROGRAMS = [
    (runge_kutta, ([2.0, 1.0, 1.0, 0.2],)),
    (deep, ([0.3, 0.9],)),
    (products, ([0.5, 0.2, 0.3],)),
    (chosen_weights, ([0.4, -0.2, 0.7], [float(k % 3) for k in range(20)])),
    (chosen_twice, ([0.4, -0.2, 0.7], [float((2 * k) % 3 - 1) for k in range(30)])),
    (trajectory, ([0.3, 0.9, 0.1],)),
    (observed, ([0.3, 0.9, 0.7], YS)),
    (logistic, ([0.3, 2.7],)),
    (extremes, ([0.3, 0.9, 0.7],)),
    (own_row, ([0.3, 0.9],)),
    (one_after_the_other, ([0.5, 0.1, 2.0], YS)),
    (inner, ([0.5, 0.1, 2.0], YS)),
    (outer, ([0.5, 0.1, 2.0], YS)),
]
LOOPS = {"one_after_the_other": 3, "inner": 3}  # one in all others
parametrised = pytest.mark.parametrize(
    ("f", "args"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS]
)


def bulk_of(compiled):
    (plan,) = compiled.plans.values()
    return plan.executor.bulk


@parametrised
def test_gradients_agree_with_the_eager_engine(f, args, backend):
    value, slopes = value_and_grad(f)(*args)
    compiled = jit(value_and_grad(f), backend=backend)
    for _ in range(2):
        found, gradient = compiled(*args)
        assert found == pytest.approx(value, rel=1e-12)
        assert gradient == pytest.approx(slopes, rel=1e-11, abs=1e-13)


@parametrised
def test_a_loop_is_recovered_and_its_adjoint_is_one(f, args):
    compiled = jit(value_and_grad(f), backend="numpy")
    compiled(*args)
    loops = {operation.scan for operation in bulk_of(compiled).operations}
    count = LOOPS.get(f.__name__, 1)
    backwards = {-k for k in range(count + 1, 2 * count + 1)}
    assert loops == {0, *range(1, count + 1), *backwards}


@pytest.mark.parametrize("steps", [100, 1000])
def test_the_number_of_operations_does_not_grow_with_the_steps(steps):
    compiled = jit(value_and_grad(lambda p: runge_kutta(p, steps)), backend="numpy")
    compiled([2.0, 1.0, 1.0, 0.2])
    assert len(bulk_of(compiled).operations) < 400


@functools.cache  # compiled once for all tests
def product(f, backend):
    return jit(hvp(f), backend=backend)


@functools.cache
def differences(f, step=1e-6):
    """Central differences of the slope along one direction."""
    x, *rest = dict(PROGRAMS)[f]
    slope, direction = jit(grad(f), backend="numpy"), along(x)
    ahead = np.array(slope([a + step * d for a, d in zip(x, direction)], *rest))
    behind = np.array(slope([a - step * d for a, d in zip(x, direction)], *rest))
    return (ahead - behind) / (2 * step)


def along(x):
    return [1.0 / (i + 1) for i in range(len(x))]


@parametrised
def test_products_with_the_hessian(f, args, backend):
    if f is own_row:
        pytest.skip("its row is differentiated by the same rules")
    x, *rest = args
    found = product(f, backend)(x, along(x), *rest)
    np.testing.assert_allclose(found, differences(f), rtol=1e-5, atol=1e-6)


@parametrised
def test_hessians(f, args, backend):
    """Column by column what hvp gives."""
    if f is own_row:
        pytest.skip("its row is differentiated by the same rules")
    x, *rest = args
    g = (lambda p: f(p, *rest)) if rest else f
    found = np.array(jit(hessian(g), backend=backend)(x))
    times = product(f, backend)
    columns = [times(x, unit, *rest) for unit in np.eye(len(x)).tolist()]
    assert found.any()
    np.testing.assert_allclose(found.T, columns, rtol=1e-9, atol=1e-9)
    few = np.array(hessian(g)(x)) if f in (products, logistic) else found
    np.testing.assert_allclose(found, few, rtol=1e-8)


def test_loops_whose_steps_are_independent_are_no_loops():
    def f(xs):
        return ag.sum([ag.tanh(x * x + 1.0) * x for x in xs])

    compiled = jit(value_and_grad(f), backend="numpy")
    compiled([0.1 * k for k in range(100)])
    assert {operation.scan for operation in bulk_of(compiled).operations} == {0}


def test_nan_goes_through_a_loop(backend):
    compiled = jit(value_and_grad(logistic), backend=backend)
    value, slopes = compiled([float("nan"), 2.7])
    assert math.isnan(value)
    assert all(map(math.isnan, slopes))


def test_the_report_counts_loops():
    f = jit(lambda x: deep([x, 0.5], 100))
    f(1.0)
    assert "loops over time: 1" in f.report()
    f = jit(lambda x: x * 2.0)
    f(1.0)
    assert "loops" not in f.report()


def test_loops_of_unequal_steps_are_refused():
    """Operations of one loop have one number for each step."""
    first = SumOfProducts(
        np.array([1, 2]), [Terms(1, np.arange(3), (np.array([0, 0]),))], 1
    )
    fewer = SumOfProducts(np.array([3]), [Terms(1, np.arange(2), (np.array([0]),))], 1)
    bulk = Bulk([first, fewer], 4, 1, {}, np.array([3]))
    with pytest.raises(ag.TraceError, match="operation 0 begins a scan of"):
        bulk.verify()
