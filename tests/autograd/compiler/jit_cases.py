"""What the tests of ``jit`` share: arguments, functions, comparisons."""

import math

import numpy as np
import pytest
from tiers import plain

from autograd import (
    Value,
)

POINT = [0.5, -1.25, 2.0, 0.25, 1.0]


def close(found, expected, rel=1e-13):
    assert plain(found) == pytest.approx(plain(expected), rel=rel, nan_ok=True)


def table(m=4, n=5):
    return np.array([[math.sin(3 * i + j) for j in range(n)] for i in range(m)])


def frozen(a):
    a = a.copy()
    a.setflags(write=False)
    return a


def nodes(xs):
    return [Value(x) for x in xs]
