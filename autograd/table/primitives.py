"""THE TABLE: every derivative of the project, written once.

A row is: name, evaluation on floats, then one partial derivative for each operand, as
functions of the operands and the result (by custom x, y for operands, z or y for the
result). Partials use rows of this table and the operators + - * only, so that they can
be evaluated on floats, graph nodes, duals, tracers, arrays and symbols alike.

Formulas are chosen for their last digits: sech^2 x instead of 1 - tanh^2 x, which
loses every digit at 20; (1 - x)(1 + x) instead of 1 - x^2. Conventions at kinks
(relu'(0) = 0, shares at ties) and at poles stand beside the row that has them.

Sources: Abramowitz & Stegun 1964, chapters 4, 6 and 7; DLMF 4-7; Griewank & Walther
2008, table 2.3 and section 14 for kinks.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from math import inf, nan, pi
from typing import TYPE_CHECKING, Any

from autograd.table import arithmetic as ieee
from autograd.table import special
from autograd.table.primitive import Primitive, zero

Number = Any


class Row(Primitive):
    """A primitive of this table."""

    builtin = True


if TYPE_CHECKING:
    from autograd.signatures import Predicate
else:
    Predicate = Row
LN2, LN10 = math.log(2.0), math.log(10.0)


def _one(*_: Number) -> float:
    return 1.0


# -- Arithmetic ----------------------------------------------------------------------

guarded_multiply: Row = Row(
    "guarded_multiply",
    ieee.guarded_multiply,
    lambda x, y, z: y,
    lambda x, y, z: x,
    symbol="*",
    chooses=True,
    doc="x * y, but 0 where x is exactly 0, whatever y is.",
    internal=True,
)
selected_multiply: Row = Row(
    "selected_multiply",
    ieee.selected_multiply,
    lambda x, y, z: y,
    lambda x, y, z: x,
    symbol="*",
    chooses=True,
    doc="x * y, but 0 where either is exactly 0, whatever the other is.",
    internal=True,
)

add: Row = Row(
    "add",
    operator.add,
    joint=(1.0, 1.0),
    symbol="+",
    symmetric=True,
)
subtract: Row = Row(
    "subtract",
    operator.sub,
    joint=(1.0, -1.0),
    symbol="-",
)
multiply: Row = Row(
    "multiply",
    operator.mul,
    joint=lambda x, y, z: (y, x),
    arity=2,
    symbol="*",
    symmetric=True,
)
divide: Row = Row(
    "divide",
    ieee.divide,
    lambda x, y, z: divide(1.0, y),
    lambda x, y, z: -divide(z, y),
    symbol="/",
)
floor_divide: Row = Row(
    "floor_divide",
    ieee.floor_divide,
    lambda x, y, z: where(y, 0.0, nan),
    lambda x, y, z: where(y, 0.0, nan),
    symbol="//",
    chooses=True,
)
remainder: Row = Row(  # the sign of the divisor, as Python's %
    "remainder",
    ieee.remainder,
    lambda x, y, z: where(y, 1.0, nan),
    lambda x, y, z: -floor_divide(x, y),
    symbol="%",
)


def _power_slope(x: Number, y: Number, z: Number) -> Number:
    """y x^(y - 1), as y (z / x) where y is small: y - 1 would lose its digits."""
    small = less(absolute(y), 0.5) * not_equal(x, 0.0)
    slope = guarded_multiply(y, where(small, divide(z, x), power(x, y - 1.0)))
    return where(equal(z, z), slope, nan)


power: Row = Row(  # 0 ** 0 is 1 with gradients 0, 0; a negative base wants an integer y
    "power",
    ieee.power,
    _power_slope,
    lambda x, y, z: z * log(x + equal(x, 0.0)),
    symbol="**",
)
negative: Row = Row("negative", operator.neg, lambda x, y: -1.0, symbol="-")
absolute: Row = Row(
    "absolute", operator.abs, lambda x, y: sign(x), symbol="abs", kinks=[0]
)
sign: Row = Row("sign", ieee.sign, zero, kinks=[0], chooses=True)
floor: Row = Row("floor", ieee.floor, zero, kinks=[-1, 0, 1, 2], chooses=True)
ceil: Row = Row("ceil", ieee.ceil, zero, kinks=[-1, 0, 1, 2], chooses=True)
trunc: Row = Row("trunc", ieee.trunc, zero, kinks=[-1, 1, 2], chooses=True)

# -- Comparisons and choice ----------------------------------------------------------

less: Predicate = Predicate("less", ieee.less, zero, zero, symbol="<", predicate=True)
less_equal: Predicate = Predicate(
    "less_equal", ieee.less_equal, zero, zero, symbol="<=", predicate=True
)
greater: Predicate = Predicate(
    "greater", ieee.greater, zero, zero, symbol=">", predicate=True
)
greater_equal: Predicate = Predicate(
    "greater_equal", ieee.greater_equal, zero, zero, symbol=">=", predicate=True
)
equal: Predicate = Predicate(
    "equal", ieee.equal, zero, zero, symbol="==", predicate=True
)
not_equal: Predicate = Predicate(
    "not_equal", ieee.not_equal, zero, zero, symbol="!=", predicate=True
)
where: Row = Row(  # selects structurally: what is not chosen gets and sends nothing
    "where",
    ieee.where,
    zero,
    lambda c, x, y, z: not_equal(c, 0.0),
    lambda c, x, y, z: equal(c, 0.0),
    chooses=True,
)

# -- Exponentials and logarithms -----------------------------------------------------

nonnegative: Row = Row(  # the domain of a logarithm: its derivative outside is NaN too
    "nonnegative",
    ieee.nonnegative,
    _one,
    symbol="",
    domain=[(0.0, inf)],
    internal=True,
)
exp: Row = Row("exp", ieee.exp, lambda x, y: y)
exp2: Row = Row("exp2", ieee.exp2, lambda x, y: y * LN2)
expm1: Row = Row("expm1", ieee.expm1, lambda x, y: exp(x))
log: Row = Row(
    "log",
    ieee.log,
    lambda x, y: divide(1.0, nonnegative(x)),
    domain=[(0.0, inf)],
)
log2: Row = Row(
    "log2",
    ieee.log2,
    lambda x, y: divide(1.0 / LN2, nonnegative(x)),
    domain=[(0.0, inf)],
)
log10: Row = Row(
    "log10",
    ieee.log10,
    lambda x, y: divide(1.0 / LN10, nonnegative(x)),
    domain=[(0.0, inf)],
)
log1p: Row = Row(
    "log1p",
    ieee.log1p,
    lambda x, y: divide(1.0, nonnegative(1.0 + x)),
    domain=[(-1.0, inf)],
)
sqrt: Row = Row(
    "sqrt",
    ieee.sqrt,
    lambda x, y: divide(0.5, y),
    domain=[(0.0, inf)],
)
cbrt: Row = Row("cbrt", special.cbrt, lambda x, y: divide(1.0, 3.0 * (y * y)))

# -- Trigonometry --------------------------------------------------------------------

sin: Row = Row("sin", ieee.sin, lambda x, y: cos(x))
cos: Row = Row("cos", ieee.cos, lambda x, y: -sin(x))
tan: Row = Row("tan", ieee.tan, lambda x, y: 1.0 + y * y)
one_minus_square: Row = Row(
    "one_minus_square",
    ieee.one_minus_square,
    lambda x, y: -2.0 * x,
    doc="1 - x^2, evaluated as (1 - x)(1 + x).",
    internal=True,
)
arcsin: Row = Row(
    "arcsin",
    ieee.arcsin,
    lambda x, y: divide(1.0, sqrt(one_minus_square(x))),
    domain=[(-1.0, 1.0)],
)
arccos: Row = Row(
    "arccos",
    ieee.arccos,
    lambda x, y: divide(-1.0, sqrt(one_minus_square(x))),
    domain=[(-1.0, 1.0)],
)
arctan: Row = Row(
    "arctan",
    ieee.arctan,
    lambda x, y: divide(divide(1.0, hypot(1.0, x)), hypot(1.0, x)),
)
hypot: Row = Row(  # gradients 0, 0 at the origin
    "hypot",
    ieee.hypot,
    lambda x, y, z: direction_cosine(x, y),
    lambda x, y, z: direction_cosine(y, x),
)
direction_cosine: Row = Row(
    "direction_cosine",
    special.direction_cosine,
    lambda x, y, z: divide(
        direction_cosine(y, x) * direction_cosine(y, x), hypot(x, y)
    ),
    lambda x, y, z: -divide(z * direction_cosine(y, x), hypot(x, y)),
    doc="x / hypot(x, y), and 0 at the origin.",
    internal=True,
)
arctan2: Row = Row(  # operands y, x; gradients 0, 0 at the origin
    "arctan2",
    ieee.arctan2,
    lambda y, x, z: guarded_multiply(direction_cosine(x, y), divide(1.0, hypot(x, y))),
    lambda y, x, z: -guarded_multiply(direction_cosine(y, x), divide(1.0, hypot(x, y))),
)

# -- Hyperbolic functions and activations --------------------------------------------

sinh: Row = Row("sinh", ieee.sinh, lambda x, y: cosh(x))
cosh: Row = Row("cosh", ieee.cosh, lambda x, y: sinh(x))
tanh: Row = Row("tanh", ieee.tanh, lambda x, y: sech2(x))
sech2: Row = Row(
    "sech2",
    special.sech2,
    lambda x, y: -2.0 * (tanh(x) * y),
    doc="1 / cosh(x)^2.",
    internal=True,
)
arcsinh: Row = Row("arcsinh", ieee.arcsinh, lambda x, y: divide(1.0, hypot(1.0, x)))
arccosh: Row = Row(
    "arccosh",
    ieee.arccosh,
    lambda x, y: divide(divide(1.0, sqrt(x - 1.0)), sqrt(x + 1.0)),
    domain=[(1.0, inf)],
)
arctanh: Row = Row(
    "arctanh",
    ieee.arctanh,
    lambda x, y: divide(
        divide(1.0, sqrt(one_minus_square(x))), sqrt(one_minus_square(x))
    ),
    domain=[(-1.0, 1.0)],
)
sigmoid: Row = Row("sigmoid", special.sigmoid, lambda x, y: 0.25 * sech2(0.5 * x))
softplus: Row = Row("softplus", special.softplus, lambda x, y: sigmoid(x))
relu: Row = Row(  # 0 at 0
    "relu", ieee.relu, lambda x, y: step(x), kinks=[0], chooses=True
)
step: Row = Row(
    "step",
    ieee.step,
    zero,
    kinks=[0],
    chooses=True,
    doc="1 above 0, else 0; NaN for NaN.",
    internal=True,
)

# -- Special functions ---------------------------------------------------------------


def _limited(x: Number) -> Number:
    """x within [-40, 40]: beyond, e^(-x^2) is 0, and powers of x must not overflow."""
    return maximum((minimum((x, 40.0)), -40.0))


gaussian: Row = Row(
    "gaussian",
    special.gaussian,
    lambda x, y: -2.0 * (_limited(x) * y),
    doc="e^(-x^2).",
    internal=True,
)
erf: Row = Row("erf", ieee.erf, lambda x, y: 2.0 / math.sqrt(pi) * gaussian(x))
erfc: Row = Row("erfc", ieee.erfc, lambda x, y: -2.0 / math.sqrt(pi) * gaussian(x))
lgamma: Row = Row("lgamma", special.lgamma, lambda x, y: polygamma(0.0, x))
polygamma: Row = Row(  # the order is a whole number: no derivative with respect to it
    "polygamma",
    special.polygamma,
    lambda n, x, z: nan,
    lambda n, x, z: polygamma(n + 1.0, x),
    domain=[(0.0, 60.0), (-inf, inf)],
    doc="The derivative of order n of digamma; polygamma(0, x) is digamma itself.",
)

# -- Rows of many operands -----------------------------------------------------------


def _others(xs: Sequence[Number], result: Number) -> tuple[list[Number]]:
    """The product of all operands but one, for each: from both ends, no division."""
    before: list[Number] = [1.0]
    after: list[Number] = [1.0]
    for x, y in zip(xs[:-1], xs[:0:-1], strict=True):
        before.append(before[-1] * x)
        after.append(after[-1] * y)
    return ([x * y for x, y in zip(before, reversed(after), strict=True)],)


def _shares(xs: Sequence[Number], result: Number) -> tuple[list[Number]]:
    """Equal shares for all operands that attain the extremum; NaN when it is NaN."""
    attained = [equal(x, result) for x in xs]
    share = divide(1.0, sum(attained))
    return ([hit * share for hit in attained],)


def _softmax(xs: Sequence[Number], result: Number) -> tuple[list[Number]]:
    """e^(x - z) for each, normalised once more: that cancels the rounding of z."""
    weights = [exp(x - result) for x in xs]
    total = sum(weights)
    return ([divide(weight, total) for weight in weights],)


sum: Row = Row("sum", ieee.sum, joint=lambda xs, z: ([1.0] * len(xs),), symbol="Σ")
prod: Row = Row("prod", ieee.prod, joint=_others, symbol="Π", fold=1.0)
dot: Row = Row(
    "dot",
    ieee.dot,
    joint=lambda ws, xs, z: (xs, ws),
    symbol="·",
)
maximum: Row = Row(
    "maximum",
    ieee.maximum,
    joint=_shares,
    symbol="max",
    chooses=True,
    symmetric=True,
    fold=-inf,
)
minimum: Row = Row(
    "minimum",
    ieee.minimum,
    joint=_shares,
    symbol="min",
    chooses=True,
    symmetric=True,
    fold=inf,
)
logsumexp: Row = Row("logsumexp", special.logsumexp, joint=_softmax, symmetric=True)

TABLE: dict[str, Row] = {
    name: row for name, row in list(globals().items()) if isinstance(row, Row)
}

ALIASES = {  # Python's spellings
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "fabs": "absolute",
    "pow": "power",
}
