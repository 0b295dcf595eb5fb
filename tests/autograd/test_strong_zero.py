"""Zero is strong: one rule in every row and every mode, at every order."""

import math

import pytest
from strong_zeros import CASES, CURVED, FORWARD, SEVERAL, hard_operands, on_operands

import autograd as ag
from autograd import (
    Value,
    detect_anomaly,
    grad,
    gradient,
    hessian,
    hvp,
    jacobian,
    jvp,
    vjp,
    where,
)
from autograd.table.primitives import TABLE

NAMES = [name for name, row in TABLE.items() if not row.predicate]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def by_reverse(f, xs):
    return list(grad(f, range(len(xs)))(*xs))


def by_sweep(f, xs):
    nodes = [Value(x) for x in xs]
    f(*nodes).backward()
    return [node.grad for node in nodes]


def by_gradient(f, xs):
    nodes = [Value(x) for x in xs]
    return gradient(f(*nodes), nodes)


def by_tape(f, xs):
    nodes = [Value(x) for x in xs]
    return [g.data for g in gradient(f(*nodes), nodes, create_graph=True)]


def by_nesting(f, xs):
    """The inner derivative runs on the numbers of an outer one."""
    found = []
    for i in range(len(xs)):
        found.append(jvp(lambda *ys, i=i: grad(f, i)(*ys), xs, [0.0] * len(xs))[0])
    return found


REVERSE = [by_reverse, by_sweep, by_gradient, by_tape, by_nesting]


@pytest.mark.parametrize("mode", REVERSE, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_a_cotangent_of_0_sends_nothing(name, mode):
    f = on_operands(name)
    for xs in hard_operands(name):
        found = mode(lambda *ys: f(*ys) * 0.0 + ys[-1], xs)
        assert found == [0.0] * (len(xs) - 1) + [1.0], xs


@pytest.mark.parametrize("name", NAMES)
def test_an_output_that_is_not_asked_for_sends_nothing(name):
    f = on_operands(name)
    for xs in hard_operands(name):
        _, pull = vjp(lambda *ys: [f(*ys), ys[-1]], *xs)
        assert list(pull([0.0, 2.0])) == [0.0] * (len(xs) - 1) + [2.0], xs


@pytest.mark.parametrize("name", NAMES)
def test_a_tangent_of_0_sends_nothing(name):
    f = on_operands(name)
    for xs in hard_operands(name):
        zero = [0.0] * len(xs)
        assert jvp(f, xs, zero)[1] == 0.0, xs
        second = jvp(lambda *ys: jvp(f, ys, zero)[1], xs, [1.0] * len(xs))[1]
        assert second == 0.0, xs


@pytest.mark.parametrize("name", NAMES)
def test_a_factor_of_0_keeps_its_slope(name):
    """u f(x) at u = 0: nothing reaches x, and d2/du dx is f'(x), infinite or not."""
    f = on_operands(name)
    for xs in hard_operands(name):
        found = hessian(lambda t: t[0] * f(*t[1:]))([0.0, *xs])
        slopes = by_reverse(f, xs)
        inner = [x for row in found[1:] for x in row[1:]]
        assert inner == [0.0] * len(inner), xs
        assert all(map(same, found[0][1:], slopes)), (xs, found[0][1:], slopes)


@pytest.mark.parametrize("mode", REVERSE, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("case", CASES)
def test_gradients(case, mode):
    f, xs, slopes = CASES[case]
    found = mode(f, xs)
    assert all(map(same, found, slopes)), found


@pytest.mark.parametrize("case", CASES)
def test_tangents(case):
    f, xs, slopes = CASES[case]
    for i, slope in enumerate(FORWARD.get(case, slopes)):
        direction = [float(i == j) for j in range(len(xs))]
        assert same(jvp(f, xs, direction)[1], slope)


@pytest.mark.parametrize("case", CURVED)
def test_second_derivatives(case):
    f, xs, expected = CURVED[case]
    found = hessian(f)(xs)
    for row, right in zip(found, expected, strict=True):
        assert all(map(same, row, right)), found
    for j in range(len(xs)):
        unit = [float(j == k) for k in range(len(xs))]
        column = hvp(f)(xs, unit)
        assert all(map(same, column, [row[j] for row in expected])), column
    nodes = [Value(x) for x in xs]
    slopes = gradient(f(nodes), nodes, create_graph=True)
    for row, slope in zip(expected, slopes, strict=True):
        assert all(map(same, gradient(slope, nodes), row))
        for node in nodes:
            node.grad = 0.0
        slope.backward()
        assert all(map(same, [node.grad for node in nodes], row))


@pytest.mark.parametrize("case", SEVERAL)
def test_jacobians(case):
    f, xs, expected = SEVERAL[case]
    for row, right in zip(jacobian(f)(xs), expected, strict=True):
        assert all(map(same, row, right))


def test_sparse_matrices():
    pytest.importorskip("scipy")
    f, xs, expected = CURVED["u sqrt(v)"]
    assert hessian(f, sparse=True)(xs).toarray().tolist() == expected
    f, xs, expected = SEVERAL["x + y, exp(x)"]
    assert jacobian(f, sparse=True)(xs).toarray().tolist() == expected


def test_third_derivatives_behind_a_choice():
    def f(x):
        return ag.where(x > 0, ag.log(x), x * x * x)

    assert grad(grad(grad(f)))(0.0) == 6.0
    assert grad(grad(grad(lambda x: ag.relu(x) ** 0.5)))(-1.0) == 0.0


def test_detect_anomaly_names_where_a_zero_was_strong():
    u, v = Value(0.0, label="u"), Value(0.0, label="v")
    with detect_anomaly() as decided:
        root = ag.sqrt(v)
        root.label = "root"
        (u * root).backward()
    (only,) = decided
    assert (only.operation, only.operand) == ("sqrt 'root'", "v = 0.0")
    assert (only.sent, only.partial) == (0.0, math.inf)
    assert "was sent 0" in str(only) and "root = ag.sqrt(v)" in str(only)


def test_detect_anomaly_names_it_in_transforms_and_for_choices():
    with detect_anomaly() as decided:
        assert grad(lambda v: 0.0 * ag.sqrt(v))(0.0) == 0.0
    assert [(d.operation, d.sent) for d in decided] == [("sqrt", 0.0)]
    with detect_anomaly() as decided:
        assert vjp(ag.relu, -1.0)[1](math.inf) == (0.0,)
    (only,) = decided
    assert (only.operation, only.sent, only.partial) == ("relu", math.inf, 0.0)
    assert "did not choose it" in str(only)


@pytest.mark.parametrize("whole", [ag.checkpoint, ag.jit], ids=["checkpoint", "jit"])
def test_nodes_that_stand_for_many_choose_inside(whole):
    """The root sends infinity to a node whose inside did not choose the operand."""
    x, y = Value(-1.0), Value(2.0)
    inner = whole(lambda a, b: ag.relu(a) * b)
    z = ag.sqrt(inner(x, y))
    assert gradient(z, x) == 0.0
    z.backward()
    assert x.grad == 0.0


def test_what_where_does_not_choose_sends_nothing():
    hard = [
        (lambda x: where(x > 0, x * ag.log(x), 0.0), 0.0),
        (lambda x: where(x < 700, ag.exp(x), 0.0), 1000.0),
        (lambda x: where(x > 0, ag.lgamma(x), 0.0), 0.0),
        (lambda x: where(ag.not_equal(x, 0.0), 5.0 % x, 0.0), 0.0),
        (lambda x: where(x > 0, ag.log(x) * ag.sqrt(x), 0.0), 0.0),
    ]
    for f, at in hard:
        x = Value(at)
        y = f(x)
        y.backward()
        assert (
            x.grad == gradient(y, x) == grad(f)(at) == jvp(f, (at,), (1.0,))[1] == 0.0
        )
        assert gradient(y, x, create_graph=True).data == 0.0
        assert grad(grad(f))(at) == 0.0
