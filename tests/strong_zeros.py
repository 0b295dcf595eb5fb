"""Programs in which an exact 0 meets an infinity or a NaN, and what is right.

Name -> (function of numbers, where, gradient). Read by the tests of every tier.
"""

from math import inf, nan

import autograd as ag
from autograd.table.primitives import TABLE

HARD = [0.0, 1.0, -1.0, inf, -inf, nan, 1000.0, -1000.0, 1e-320, 2.0]


def hard_operands(name):
    """Operands of a row at which its partials overflow, or are not numbers."""
    row = TABLE[name]
    if row.arity == 1:
        return [(x,) for x in HARD]
    if name == "polygamma":
        return [(n, x) for n in (0.0, 1.0) for x in HARD]
    if row.arity == 2:
        return [(x, y) for x in HARD for y in HARD]
    if row.arity == 3:
        return [(c, x, y) for c in (0.0, 1.0) for x in HARD[:6] for y in HARD[:6]]
    return [(x, y) for x in HARD for y in HARD]  # a group of two


def on_operands(name):
    """The row as a function of single numbers; a dot takes its operands twice."""
    row = TABLE[name]
    if name == "dot":
        return lambda *xs: row(xs, xs[::-1])
    return row if row.arity is not None else lambda *xs: row(xs)


def _power_sum(x):
    return ag.sum([c * x**k for k, c in enumerate([1.0, 2.0, 3.0, 4.0])])


# what a row that chooses has not chosen gets nothing, though 1 / 0 is sent to it
NOT_CHOSEN = {
    "where": (lambda c, x, y: ag.where(c, x, y), [0.0, 3.0, 0.0], [0.0, 0.0, -inf]),
    "maximum": (lambda x, y: ag.maximum(x, y), [-1.0, 0.0], [0.0, -inf]),
    "minimum": (lambda x, y: ag.minimum(x, y), [0.0, 5.0], [-inf, 0.0]),
    "maximum of three": (lambda *xs: ag.maximum(xs), [-1.0, 0.0, -2.0], [0, -inf, 0]),
    "relu": (ag.relu, [-1.0], [0.0]),
    "clip": (lambda x: ag.clip(x, 0.0, 9.0), [-1.0], [0.0]),
    "floor": (ag.floor, [0.5], [0.0]),
    "ceil": (ag.ceil, [-0.5], [0.0]),
    "trunc": (ag.trunc, [0.5], [0.0]),
    "sign": (ag.sign, [0.0], [0.0]),
    "step": (TABLE["step"], [-1.0], [0.0]),
    "floor_divide": (lambda x, y: x // y, [1.0, 2.0], [0.0, 0.0]),
    "leaky": (lambda x: ag.where(x > 0, x, 0.0 * x), [2.0], [-0.25]),
}
CASES = {
    **{
        f"1 / {name}": (lambda *xs, f=f: 1.0 / f(*xs), xs, slopes)
        for name, (f, xs, slopes) in NOT_CHOSEN.items()
    },
    "sqrt of relu": (lambda x: ag.sqrt(ag.relu(x)), [-1.0], [0.0]),
    "the smaller of exp and 1": (lambda x: ag.minimum(ag.exp(x), 1.0), [1000.0], [0.0]),
    "the smaller of x exp and 1": (
        lambda x, y: ag.minimum(y * ag.exp(x), 1.0),
        [1000.0, 2.0],
        [0.0, 0.0],
    ),
    "relu of a dot with infinities": (
        lambda a, b, x, y: ag.relu(ag.dot([a, b], [x, y])) + a,
        [-1.0, 2.0, inf, 3.0],
        [1.0, 0.0, 0.0, 0.0],
    ),
    "where is safe for log": (
        lambda x: ag.where(x > 0, ag.log(x), 0.0),
        [0.0],
        [0.0],
    ),
    "where is safe for a product": (
        lambda x, y: ag.where(x > 5, x * y, x),
        [1.0, inf],
        [1.0, 0.0],
    ),
    "where is safe for powers": (
        lambda x: ag.where(x < 10, x * x * x, x),
        [inf],
        [1.0],
    ),
    "relu twice": (lambda x: ag.relu(x) * ag.exp(ag.relu(-x)), [-1000.0], [0.0]),
    "a factor of 0": (lambda u, v: u * ag.sqrt(v), [0.0, 0.0], [0.0, 0.0]),
    "powers of 0": (_power_sum, [0.0], [2.0]),
    "sqrt of a square is IEEE's": (lambda x: ag.sqrt(x * x), [0.0], [nan]),
}
# where a partial merely happens to be 0, forward mode meets it on the other side
FORWARD = {
    "relu twice": [nan],
    "a factor of 0": [0.0, nan],
    "sqrt of a square is IEEE's": [0.0],
}
# name -> (function, where, Hessian)
CURVED = {
    "u sqrt(v)": (lambda x: x[0] * ag.sqrt(x[1]), [0.0, 1.0], [[0.0, 0.5], [0.5, 0.0]]),
    "powers of 0": (lambda x: _power_sum(x[0]), [0.0], [[6.0]]),
    "x ** y at a negative base": (
        lambda x: x[0] ** x[1],
        [-2.0, 3.0],
        [[-12.0, nan], [nan, nan]],
    ),
    "sqrt of relu": (lambda x: ag.sqrt(ag.relu(x[0])), [-1.0], [[0.0]]),
    "log behind where": (
        lambda x: ag.where(x[0] > 0, ag.log(x[0]), x[0] * x[0]),
        [0.0],
        [[2.0]],
    ),
    "minimum of exp and a square": (
        lambda x: ag.minimum(ag.exp(x[0]), x[0] * x[0]),
        [1000.0],
        [[2.0]],
    ),
}
# name -> (function with several results, where, Jacobian)
SEVERAL = {
    "x + y, exp(x)": (
        lambda x: [x[0] + x[1], ag.exp(x[0])],
        [1000.0, 1.0],
        [[1.0, 1.0], [inf, 0.0]],
    ),
    "x exp(-y), x, y": (
        lambda x: [x[0] * ag.exp(-x[1]), x[0], x[1]],
        [1.0, -1000.0],
        [[inf, -inf], [1.0, 0.0], [0.0, 1.0]],
    ),
}
