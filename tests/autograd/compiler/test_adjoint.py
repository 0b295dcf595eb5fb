"""The gradient of every row, on both backends: against the uncompiled engine.

Where that says NaN, an infinity or 0, compiled code says the same; elsewhere it agrees
to a few units in the last place, since it has functions of its own (2 ulp).
"""

import itertools
import math
from math import inf, nan

import cases
import pytest
from semantics import CASES
from tiers import BACKENDS, BINARY, HARD, NARY, UNARY, agree, bits, deviations, plain

import autograd as ag
from autograd import Value, grad, hessian, hvp, jit, jvp, value_and_grad
from autograd.compiler.trace.program import PRIMITIVES
from autograd.table.primitives import TABLE

# Conditioned worse than their formulas suggest: see docs/accuracy.md.
LOOSE = {"lgamma": 64, "polygamma": 64, "power": 8, "arccos": 8}

# Compiled hypot scales denormal numbers up, and is then closer than libm's.
DENORMAL = {"hypot", "direction_cosine", "arctan2"}


def points_of(name):
    """Operand tuples of a row of one or two operands: ordinary ones, kinks, poles."""
    row = TABLE[name]
    ordinary = cases.operands(name)
    if row.arity == 1:
        edges = [x for x in row.domain[0] if math.isfinite(x)]
        near = [math.nextafter(x, y) for x in edges for y in (-inf, inf)]
        return ordinary + [(float(x),) for x in [*HARD, *row.kinks, *edges, *near]]
    hard = [x for x in HARD if x != 5e-324] if name in DENORMAL else HARD
    return ordinary + list(itertools.product(hard, hard))


def gradients(row, points):
    return [[grad(row, i)(*xs) for i in range(row.arity)] for xs in points]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", UNARY + BINARY)
def test_a_row_in_a_loop(name, backend):
    row, points = TABLE[name], points_of(name)
    columns = [list(column) for column in zip(*points)]
    values = jit(lambda *xs: [row(*own) for own in zip(*xs)], backend=backend)
    expected = [row(*xs) for xs in points]
    assert not deviations(values(*columns), expected, points, LOOSE.get(name, 4))
    places = tuple(range(row.arity))
    slopes = jit(
        grad(lambda *xs: ag.sum([row(*own) for own in zip(*xs)]), places),
        backend=backend,
    )
    found = slopes(*columns)
    for place, wanted in enumerate(zip(*gradients(row, points))):
        ulps = 2 * LOOSE.get(name, 4)
        assert not deviations(found[place], wanted, points, ulps), f"operand {place}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", UNARY + BINARY)
def test_a_row_alone(name, backend):
    row, points = TABLE[name], points_of(name)
    both = jit(value_and_grad(row, tuple(range(row.arity))), backend=backend)
    for xs in points:
        value, slopes = both(*xs)
        wanted, expected = value_and_grad(row, tuple(range(row.arity)))(*xs)
        assert agree(value, wanted, LOOSE.get(name, 4)), xs
        ulps = 2 * LOOSE.get(name, 4)
        assert not deviations(slopes, expected, [xs] * row.arity, ulps)


@pytest.mark.parametrize("backend", BACKENDS)
def test_where_chooses_structurally(backend):
    points = list(itertools.product([0.0, 1.0, -2.0, nan], HARD[:10], HARD[:10]))
    columns = [list(column) for column in zip(*points)]

    def total(*xs):
        return ag.sum([ag.where(*own) for own in zip(*xs)])

    found = jit(grad(total, (0, 1, 2)), backend=backend)(*columns)
    expected = grad(total, (0, 1, 2))(*columns)
    assert bits(list(found)) == bits(list(expected))


GROUPS = {
    1: [[0.7], [0.0], [-0.0], [nan], [inf], [-inf]],
    2: [[0.5, -1.25], [2.0, 2.0], [nan, 1.0], [1.0, nan], [-inf, -inf], [inf, -inf]],
    3: [[0.5, -1.25, 3.0], [2.0, 1.0, 2.0], [1.0] * 3, [0.0, -0.0, 0.0], [inf, 1, 2]],
    4: [[1.5, 2.0, -0.75, 3.0], [0.0, 2.0, 0.0, 3.0], [1000.0, 1000.0, -1000.0, 0.5]],
    5: [[0.1, 0.2, 0.3, 0.4, 0.5], [7.0, 0.0, 7.0, 7.0, -7.0], [0.25] * 5],
}


def n_ary(name, xs):
    """A row of many operands; dot gets the operands forwards and backwards."""
    row = TABLE[name]
    return row(xs, list(reversed(xs))) if name == "dot" else row(xs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", GROUPS)
@pytest.mark.parametrize("name", NARY)
def test_a_row_of_many_operands(name, count, backend):
    both = jit(value_and_grad(lambda xs: n_ary(name, xs)), backend=backend)
    for xs in GROUPS[count]:
        xs = [float(x) for x in xs]
        value, slopes = both(xs)
        wanted, expected = value_and_grad(lambda xs: n_ary(name, xs))(xs)
        assert agree(value, wanted), xs
        assert not deviations(slopes, expected, [xs] * count, 8)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", GROUPS)
@pytest.mark.parametrize("name", NARY)
def test_many_rows_of_many_operands(name, count, backend):
    groups = [[float(x) for x in xs] for xs in GROUPS[count] * 4]

    def values(groups):
        return [n_ary(name, xs) for xs in groups]

    def total(groups):
        return ag.sum(values(groups))

    found = jit(values, backend=backend)(groups)
    assert not deviations(found, values(groups), groups)
    slopes = jit(grad(total), backend=backend)(groups)
    for got, expected, xs in zip(slopes, grad(total)(groups), groups):
        assert not deviations(got, expected, [xs] * count, 8)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NARY)
def test_rows_of_all_lengths_at_once(name, backend):
    groups = [[float(x) for x in xs] for own in GROUPS.values() for xs in own]

    def total(groups):
        return ag.sum([n_ary(name, xs) for xs in groups])

    slopes = jit(grad(total), backend=backend)(groups)
    for got, expected, xs in zip(slopes, grad(total)(groups), groups):
        assert not deviations(got, expected, [xs] * len(xs), 8)


# -- The semantics table -----------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_the_semantics_table(case, backend):
    f, xs, value, slopes = CASES[case]
    places = tuple(range(len(xs)))
    got, found = jit(value_and_grad(f, places), backend=backend)(*xs)
    assert agree(got, value), got
    assert not deviations(found, slopes, [xs] * len(xs), 2)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_the_semantics_table_in_a_loop(case, backend):
    """Eleven times side by side: full lanes and a ragged tail."""
    f, xs, value, slopes = CASES[case]
    rows = [list(xs) for _ in range(11)]
    values = jit(lambda rows: [f(*own) for own in rows], backend=backend)(rows)
    assert all(agree(got, value) for got in values), values
    total = grad(lambda rows: ag.sum([f(*own) for own in rows]))
    for found in jit(total, backend=backend)(rows):
        assert not deviations(found, slopes, [xs] * len(xs), 2)


SAFE = {
    "log": (lambda x: ag.where(x > 0, ag.log(x), 0.0), [0.0, -1.0, 2.0]),
    "sqrt": (lambda x: ag.where(x > 0, ag.sqrt(x), 0.0), [0.0, -1.0, 4.0]),
    "divide": (lambda x: ag.where(ag.not_equal(x, 0.0), 1 / x, 0.0), [0.0, 2.0]),
    "power": (lambda x: ag.where(x > 0, x**0.5, 0.0), [0.0, -1.0, 4.0]),
    "square of inf": (lambda x: ag.where(x < 10, x**2, 0.0), [inf, nan, 2.0]),
    "cube of inf": (lambda x: ag.where(x < 10, x**3, 0.0), [inf, nan, 2.0]),
    "inner": (lambda x: ag.log(ag.where(x > 0, x, 1.0)), [0.0, -1.0, 2.0]),
    "zero times sqrt": (lambda x: 0.0 * ag.sqrt(x), [0.0, 1.0]),
    "x times sqrt": (lambda x: x * ag.sqrt(x), [0.0, 1.0]),
    "sqrt of square": (lambda x: ag.sqrt(x * x), [0.0, 1.0, -1.0]),
    "arcsin": (lambda x: ag.where(abs(x) < 1, ag.asin(x), x), [1.0, -1.0, 0.5, 2.0]),
    "arccosh": (lambda x: ag.where(x > 1, ag.acosh(x), x), [1.0, 0.5, 2.0]),
    "arctanh": (lambda x: ag.where(abs(x) < 1, ag.atanh(x), x), [1.0, 0.5, 2.0]),
    "both": (lambda x: ag.where(x > 0, ag.log(x), ag.log(-x)), [0.0, 1.0, -2.0]),
    "exp behind where": (lambda x: ag.where(x < 10, ag.exp(x), 0.0), [1000.0, 1.0]),
    "cosh behind where": (lambda x: ag.where(x < 10, ag.cosh(x), x), [1000.0, 1.0]),
    "cube behind where": (lambda x: ag.where(x < 10, x * x * x, x), [inf, nan, 1.0]),
    "softplus by hand": (
        lambda x: ag.where(x > 20, x, ag.log(1 + ag.exp(x))),
        [1000.0, 1.0],
    ),
    "x minus x": (lambda x: x - x, [inf, nan, 1.0]),
    "x times 0": (lambda x: x * 0.0, [inf, nan, 1.0]),
    "x over x": (lambda x: x / x, [0.0, inf, nan, 3.0]),
    "exp minus itself": (lambda x: (lambda e: e - e)(ag.exp(x)), [1000.0, 1.0]),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SAFE)
def test_guarded_products(name, backend):
    f, xs = SAFE[name]
    alone = jit(value_and_grad(f), backend=backend)
    for x in xs:
        value, slope = alone(x)
        wanted, expected = value_and_grad(f)(x)
        assert agree(value, wanted), (x, value, wanted)
        assert agree(slope, expected), (x, slope, expected)
    many = xs * 5
    slopes = jit(grad(lambda xs: ag.sum([f(x) for x in xs])), backend=backend)(many)
    assert not deviations(slopes, [grad(f)(x) for x in many], many)


@pytest.mark.parametrize("backend", BACKENDS)
def test_zeros_that_meet_singular_partials_keep_their_edge(backend):
    """The Hessian of u sqrt(v) at (0, 1) keeps its 1/2."""
    second = jit(hessian(lambda x: x[0] * ag.sqrt(x[1])), backend=backend)
    assert second([0.0, 1.0]) == [[0.0, 0.5], [0.5, 0.0]]


# -- Higher orders -------------------------------------------------------------------

BEHIND = {  # a choice, and a point where the branch left out is infinite
    "softplus": (lambda x: ag.where(x > 20, x, ag.log(1 + ag.exp(x))), 800.0),
    "cube": (lambda x: ag.where(x < 10, x * x * x, x), inf),
    "sqrt": (lambda x: ag.where(x > 0, ag.sqrt(x), 0.0), 0.0),
    "quotient": (lambda x: ag.where(x > 0, 1.0 / x, x * x), 0.0),
    "entropy": (lambda x: ag.where(x > 0, ag.log(x) * x, x * x), 0.0),
    "tower": (lambda x: ag.where(x < 10, ag.exp(ag.exp(x)), x * x), 20.0),
    "power": (lambda x: ag.where(x > 0, x**-1.5, x**2), 0.0),
    "nested": (
        lambda x: ag.where(
            x > 0, ag.where(x > 1, ag.log(x - 1), ag.sqrt(x)), x * x * x
        ),
        0.0,
    ),
    "sums": (lambda x: ag.where(x > 0, ag.sum([1.0 / x, x]) ** 2, x**3), -0.0),
}
ORDERS = {
    "grad of grad": lambda f: lambda x: grad(grad(f))(x),
    "hessian": lambda f: lambda x: hessian(lambda xs: f(xs[0]))([x])[0][0],
    "hvp": lambda f: lambda x: hvp(lambda xs: f(xs[0]))([x], [1.0])[0],
    "jvp of grad": lambda f: lambda x: jvp(grad(f), (x,), (1.0,))[1],
    "third": lambda f: lambda x: grad(grad(grad(f)))(x),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", BEHIND)
def test_choices_select_in_every_order(name, order, backend):
    f, x = BEHIND[name]
    expected = ORDERS[order](f)(x)
    assert math.isfinite(expected)
    assert jit(ORDERS[order](f), backend=backend)(x) == expected
    if order == "hessian":
        direct = jit(hessian(lambda xs: f(xs[0])), backend=backend)
        assert direct([x])[0][0] == expected
    if order == "hvp":
        direct = jit(hvp(lambda xs: f(xs[0])), backend=backend)
        assert direct([x], [1.0])[0] == expected


SMOOTH = [
    name
    for name in UNARY
    if not TABLE[name].kinks and name not in ("nonnegative", "lgamma")
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_of_rows(name, backend):
    row, points = TABLE[name], [xs[0] for xs in cases.operands(name)]
    second = jit(grad(grad(row)), backend=backend)
    found = [second(x) for x in points]
    expected = [grad(grad(row))(x) for x in points]
    assert not deviations(found, expected, points, 32)


def mixed(x):
    """A function of three numbers in which every order has all entries."""
    a, b, c = x
    return ag.tanh(a * b) + ag.logsumexp([a, b, c]) * ag.exp(-c) + a**3 / (b + c * c)


POINT = [0.7, 1.3, -0.4]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_slope_of_tanh_beside_tanh(backend):
    """Machines compute the two at once: what reads either must come after both."""
    sech2 = TABLE["sech2"]

    def f(xs):
        slopes = [sech2(x) for x in xs]
        return ag.sum([ag.arctan(s) * ag.tanh(x + s) for s, x in zip(slopes, xs)])

    for n in (1, 2, 9, 40):
        xs = [0.1 * k - 1.0 for k in range(n)]
        for derivative in (value_and_grad(f), hessian(f)):
            compiled = jit(derivative, backend=backend)
            first = plain(compiled(xs))
            assert first == pytest.approx(plain(derivative(xs)), rel=1e-12, abs=1e-15)
            assert plain(compiled(xs)) == first
            if n > 9:
                break


@pytest.mark.parametrize("backend", BACKENDS)
def test_hessian_and_products(backend):
    full = hessian(mixed)(POINT)
    found = jit(hessian(mixed), backend=backend)(POINT)
    assert plain(found) == pytest.approx(plain(full), rel=1e-13)
    v = [1.0, -2.0, 0.5]
    product = jit(hvp(mixed), backend=backend)(POINT, v)
    assert product == pytest.approx(hvp(mixed)(POINT, v), rel=1e-13)
    through = jit(lambda x, v: hvp(mixed)(x, v), backend=backend)(POINT, v)
    assert through == pytest.approx(product, rel=1e-13)
    third = jit(grad(grad(grad(lambda t: mixed([t, 2.0 * t, t])))), backend=backend)
    eager = grad(grad(grad(lambda t: mixed([t, 2.0 * t, t]))))
    assert third(0.7) == pytest.approx(eager(0.7), rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_forward_mode(backend):
    def along(x, v):
        return jvp(mixed, (x,), (v,))

    v = [1.0, -2.0, 0.5]
    found = jit(along, backend=backend)(POINT, v)
    assert plain(found) == pytest.approx(plain(along(POINT, v)), rel=1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_jacobian_and_pullback(backend):
    def outputs(x):
        return [ag.sin(x[0]) * x[1], x[1] / x[2], x[0] ** 2, 1.0, x[2]]

    found = jit(ag.jacobian(outputs), backend=backend)(POINT)
    assert plain(found) == pytest.approx(plain(ag.jacobian(outputs)(POINT)), rel=1e-14)

    def pulled(x, w):
        return ag.vjp(outputs, x)[1](w)[0]

    w = [1.0, 2.0, -3.0, 4.0, 0.5]
    found = jit(pulled, backend=backend)(POINT, w)
    assert found == pytest.approx(pulled(POINT, w), rel=1e-14)


# -- Bit for bit ---------------------------------------------------------------------


@pytest.mark.parametrize("name", UNARY + BINARY)
def test_strict_is_bit_identical(name):
    row, points = TABLE[name], points_of(name)
    columns = [list(column) for column in zip(*points)]
    places = tuple(range(row.arity))

    def total(*xs):
        return ag.sum([row(*own) for own in zip(*xs)])

    values = jit(lambda *xs: [row(*own) for own in zip(*xs)], strict=True)
    assert bits(values(*columns)) == bits([row(*xs) for xs in points])
    slopes = list(jit(grad(total, places), strict=True)(*columns))
    expected = list(grad(total, places)(*columns))
    if row.chooses:  # but for the sign of a slope that is 0 behind a choice
        slopes, expected = [
            [[x + 0.0 for x in xs] for xs in s] for s in (slopes, expected)
        ]
    assert bits(slopes) == bits(expected)


@pytest.mark.parametrize("name", NARY)
def test_strict_rows_of_many_operands(name):
    groups = [[float(x) for x in xs] for own in GROUPS.values() for xs in own]
    values = jit(lambda groups: [n_ary(name, xs) for xs in groups], strict=True)
    assert bits(values(groups)) == bits([n_ary(name, xs) for xs in groups])

    def total(groups):
        return ag.sum([n_ary(name, xs) for xs in groups])

    assert bits(jit(grad(total), strict=True)(groups)) == bits(grad(total)(groups))


@pytest.mark.parametrize("case", CASES)
def test_strict_semantics(case):
    f, xs, _, _ = CASES[case]
    places = tuple(range(len(xs)))
    found = jit(value_and_grad(f, places), strict=True)(*xs)
    assert bits(found) == bits(value_and_grad(f, places)(*xs))


def test_strict_keeps_the_order_of_sums():
    tenths = [0.1] * 10
    assert jit(lambda xs: ag.sum(xs), strict=True)(tenths) == 0.9999999999999999
    big = [1e16, 1.0, -1e16]
    assert jit(lambda xs: ag.dot(xs, [1.0] * 3, 0.5), strict=True)(big) == 0.0
    assert jit(lambda x: (x[0] + x[1]) + x[2], strict=True)(big) == 0.0


def test_every_row_takes_part():
    tested = {*UNARY, *BINARY, *NARY, "where"}
    assert tested == {row.name for row in PRIMITIVES}


def test_nodes_have_the_same_gradient():
    """Of a compiled function of Values: backward through one node."""
    xs = [Value(x) for x in POINT]
    jit(mixed)(xs).backward()
    assert [x.grad for x in xs] == pytest.approx(grad(mixed)(POINT), rel=1e-14)
