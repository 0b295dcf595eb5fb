"""Numbers of fifty digits that flow through the rows: the same derivative, no rounding.

``Exact`` answers a row with its oracle. A transform of a row evaluated on Exact numbers
is then the very expression that the floats go through, without their rounding errors;
that the expression is the right one is the business of finite differences.
"""

import functools
import math
import random

import cases
import mpmath as mp
import oracles

from autograd.numbers.operators import Operators
from autograd.table.primitives import TABLE
from autograd.transforms.gradients import grad

DIGITS = 60
SMALLEST = 5e-324
LARGEST = mp.mpf(1.7976931348623158e308)
BOUNDS = (2.0, 4.0, 16.0, 16.0)  # ulp, for the value and derivatives of order 1, 2, 3

# (row, order) -> bound; the reasons stand in docs/accuracy.md.
EXCEPTIONS = {
    ("lgamma", 0): 40.0,
    ("lgamma", 1): 8.0,
    ("polygamma", 0): 8.0,
}

# Judged in ulp of the derivative of one order less; the reason stands in the docs, too.
LOWER_ORDER = {("logsumexp", 3)}

# Derivatives that multiply a number which has underflowed inherit its lost digits.
UNDERFLOW = 1e-300
UNDERFLOWING = {"power", "gaussian", "exp2", "erf", "erfc"}


def bound(name, order):
    """What the docs promise, in ulp."""
    return EXCEPTIONS.get((name, order), BOUNDS[order])


def has_underflowed(row, xs, i, order):
    """Whether a lower derivative, of which this one is a multiple, has underflowed."""
    if row.name not in UNDERFLOWING:
        return False
    return any(0.0 < abs(exact(row, xs, i, k)) < UNDERFLOW for k in range(order))


class Exact(Operators):
    """An mpf with a level, so that rows dispatch to it."""

    __slots__ = ("value",)
    level = 0

    def __init__(self, value):
        self.value = value if type(value) is mp.mpf else mp.mpf(value)

    def apply(self, primitive, operands):
        plain = primitive.map(_value, operands)
        result = guarded(primitive.name, plain)
        return float(result) if primitive.predicate else Exact(result)


def _value(x):
    if type(x) is Exact:
        return x.value
    return x if type(x) is mp.mpf else mp.mpf(x)


def guarded(name, operands):
    """The oracle, with IEEE's answers at poles."""
    if name in ("guarded_multiply", "selected_multiply") and operands[0] == 0:
        return mp.mpf(0)
    try:
        result = oracles.ORACLES[name](*operands)
    except (ZeroDivisionError, ValueError):
        return mp.nan
    return mp.nan if isinstance(result, mp.mpc) else result


def derivative(row, xs, i, order):
    """d^order row / d(operand i)^order at xs, on whatever numbers xs are."""
    flat = cases.flat(row, xs)

    def along(t):
        return row(*cases.regroup(row, [*flat[:i], t, *flat[i + 1 :]], xs))

    for _ in range(order):
        along = grad(along)
    return along(flat[i])


def exact(row, xs, i, order):
    """The same, to fifty digits, as an mpf."""
    return _exact(row.name, row.map(float, xs), i, order)


@functools.cache  # an order is judged by the next one, and each is asked for in turn
def _exact(name, xs, i, order):
    row = TABLE[name]
    with mp.workdps(DIGITS):
        return _value(derivative(row, row.map(Exact, xs), i, order))


def ulps(got, true, scale):
    """|got - true| in ulp of the larger of |true| and the conditioning."""
    with mp.workdps(DIGITS):
        size = max(abs(true), abs(scale))
        if mp.isnan(true) or mp.isnan(size):
            return 0.0 if math.isnan(got) else math.inf
        if abs(true) >= LARGEST:
            return 0.0 if not abs(got) < 1.79e308 else math.inf
        if not math.isfinite(got):
            return math.inf
        unit = math.ulp(min(float(size), 1.7e308))
        return float(abs(mp.mpf(got) - true) / unit)


def error(row, xs, i, order):
    """The error of one derivative in ulp, judged by its conditioning."""
    return judged(derivative(row, xs, i, order), row, xs, i, order)


def judged(got, row, xs, i, order):
    """The error in ulp of what somebody got for a derivative.

    The conditioning is the sum of |x_j * d(derivative)/dx_j| over the operands: how far
    the result moves when every operand moves by its own rounding.
    """
    true = exact(row, xs, i, order)
    flat = cases.flat(row, xs)
    if has_underflowed(row, xs, i, order):
        return 0.0
    with mp.workdps(DIGITS):
        if len(flat) == 1:
            scale = abs(mp.mpf(flat[0]) * exact(row, xs, i, order + 1))
        else:
            slopes = gradient_of(row, row.map(Exact, xs), i, order)
            scale = mp.fsum(
                abs(mp.mpf(x) * s) for x, s in zip(flat, slopes, strict=True)
            )
        if (row.name, order) in LOWER_ORDER:
            scale += abs(exact(row, xs, i, order - 1))
    return ulps(got, true, scale)


def gradient_of(row, numbers, i, order):
    """The gradient of the derivative, over all operands."""
    flat = cases.flat(row, numbers)

    def along(*all_operands):
        return derivative(row, cases.regroup(row, all_operands, numbers), i, order)

    which = [j for j in range(len(flat)) if j or row.name != "polygamma"]
    found = grad(along, argnums=which)(*flat)
    return [0] * (len(flat) - len(which)) + [_value(g) for g in found]


def worst(name, count, order, seed=0):
    """The largest error of a row's derivative of one order, and where it was."""
    row, found = TABLE[name], (0.0, None)
    for xs in operand_tuples(name, count, seed):
        for i in differentiated(row, xs) if order else [0]:
            found = max(found, (error(row, xs, i, order), (xs, i)), key=_first)
    return found


def differentiated(row, xs):
    """The operands that have a derivative: a condition and a whole number have none."""
    return range(row.name in ("where", "polygamma"), len(cases.flat(row, xs)))


def _first(pair):
    return pair[0]


def points(low, high, kinks, count, rng):
    """Points of an interval: log-spaced, tails, subnormals, beside kinks, random."""
    fixed = [SMALLEST, 1e-310, 2.2250738585072014e-308, 1e-200, 1e-20, 1e-8]
    fixed += [0.25, 0.5, 1.0, 1.5, 2.0, 20.0, 30.0, 100.0, 700.0, 1e8, 1e100, 1e300]
    fixed += [-x for x in fixed]
    for edge in [*kinks, *[e for e in (low, high) if math.isfinite(e)], 1.0, -1.0]:
        fixed += [math.nextafter(edge, math.inf), math.nextafter(edge, -math.inf)]
    spread = [
        rng.choice((-1, 1)) * 10 ** rng.uniform(-12, 4) for _ in range(count // 2)
    ]
    near = [rng.uniform(-30, 30) for _ in range(count // 4)]
    unit = [rng.uniform(-2, 2) for _ in range(count - count // 2 - count // 4)]
    return [x for x in fixed + spread + near + unit if low < x < high]


def operand_tuples(name, count, seed=0):
    """Many operand tuples for a row, hard ones included; kinks themselves left out."""
    row, rng = TABLE[name], random.Random(f"{name}{seed}")
    if row.arity is None:
        groups = 2 if name == "dot" else 1
        sizes = [rng.randint(1, 4) for _ in range(count)]
        pool = points(-math.inf, math.inf, (), count, rng)
        pool = [x for x in pool if 1e-50 < abs(x) < 1e50]
        return [
            tuple([rng.choice(pool) for _ in range(n)] for _ in range(groups))
            for n in sizes
        ]
    if name in ("lgamma", "polygamma"):  # away from poles; the oracle is slow beyond
        pool = points(-30.0, 1e6, (), count, rng)
        pool = [x for x in pool if x > 1e-12 or abs(x - round(x)) > 1e-3]
        return [(x,) if row.arity == 1 else (rng.choice((0.0, 1.0)), x) for x in pool]
    if row.arity == 1:
        column = points(*row.domain[0], row.kinks, count, rng)
        return [(x,) for x in column if x not in row.kinks]
    pool = points(-math.inf, math.inf, (), count, rng)
    pool = [x for x in pool if 1e-100 < abs(x) < 1e100]
    return [tuple(rng.choice(pool) for _ in range(row.arity)) for _ in range(count)]
