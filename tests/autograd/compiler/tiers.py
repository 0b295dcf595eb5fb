"""What the tests of the compiled tier share: backends, and when two numbers agree."""

import math
from importlib.util import find_spec

import pytest

from autograd import Value
from autograd.table.primitives import TABLE
from autograd.transforms.tree import flatten

ULP = 2.0**-52
NO_LLVM = pytest.mark.skipif(find_spec("llvmlite") is None, reason="needs llvmlite")
BACKENDS = ["numpy", pytest.param("llvm", marks=NO_LLVM)]
UNARY = sorted(name for name, row in TABLE.items() if row.arity == 1)
BINARY = sorted(name for name, row in TABLE.items() if row.arity == 2)
NARY = sorted(name for name, row in TABLE.items() if row.arity is None)
HARD = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, math.inf, -math.inf, math.nan, 1e308]
HARD += [-1e308, 5e-324, 1e-300, 710.0, -746.0, 1e16]


def plain(tree):
    """The numbers of a result as floats."""
    return [x.data if isinstance(x, Value) else float(x) for x in flatten(tree)[0]]


def on_values(f, args):
    """f of Values, the eager engine's own numbers: left to right, on every Python.

    On floats Python's builtin ``sum`` is compensated from version 3.12 on.
    """
    leaves, rebuild = flatten(args)
    return f(*rebuild([Value(x) for x in leaves]))


def bits(tree):
    """The numbers of a result, to the last bit; one NaN is as good as another."""
    return [x.hex() for x in plain(tree)]


def agree(got, expected, ulps=4, tiny=1e-300):
    """Whether NaN, infinities and zeros are the same, and the rest close.

    ``tiny`` is an absolute error that is always allowed: products may lose their last
    bits among the denormal numbers.
    """
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if math.isinf(expected) or math.isinf(got):
        return got == expected
    if expected == 0.0 or got == 0.0:
        return abs(got - expected) <= tiny
    return abs(got - expected) <= ulps * ULP * abs(expected) + tiny


def deviations(got, expected, points, ulps=4):
    """The points at which two lists of numbers disagree."""
    return [
        (point, a, b)
        for a, b, point in zip(got, expected, points, strict=True)
        if not agree(a, b, ulps)
    ]
