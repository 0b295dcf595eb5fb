"""How far rounding may move a result.

A bound is found by shaking: the same function runs on numbers whose every rounding is
made 2^22 times larger, and what that does to a result says how far rounding may move it.
"""

import math
import random

from autograd.numbers.lifted import Level
from autograd.numbers.operators import Operators
from autograd.transforms.tree import flatten

SHAKE = 2.0**-30
_UNIT = 2.0**-52
EXACT = {
    *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "where"),
    *("negative", "absolute", "sign", "floor", "ceil", "trunc", "relu", "step"),
    *("maximum", "minimum", "floor_divide", "nonnegative"),
}


class Shaken(Operators):
    """A float whose results are all rounded coarsely, at random."""

    __slots__ = ("rng", "value")
    level = Level("test")

    def __init__(self, value, rng):
        self.value, self.rng = value, rng

    def _moved(self, x, times=1.0):
        return x * (1.0 + times * SHAKE * self.rng.uniform(-1.0, 1.0))

    def apply(self, row, operands):
        xs = row.map(lambda x: x.value if isinstance(x, Shaken) else x, operands)
        if row.name in EXACT:
            return Shaken(row.evaluate(*xs), self.rng)
        if row.name in ("sum", "dot"):
            return Shaken(self._sum(list(zip(*xs))), self.rng)
        if row.name in ("logsumexp", "lgamma", "remainder"):  # sums inside
            xs = row.map(self._moved, xs)
            size = 1.0 + max(map(abs, row.flat(xs)), default=0.0)
            spread = SHAKE * self.rng.uniform(-1.0, 1.0) * size
            return Shaken(row.evaluate(*xs) + spread, self.rng)
        times = 1.0 if row.name in ("add", "subtract", "multiply", "divide") else 4.0
        return Shaken(self._moved(row.evaluate(*xs), times), self.rng)

    def _sum(self, terms):
        total = 0.0
        for term in terms:
            share = self._moved(term[0] * term[1]) if len(term) == 2 else term[0]
            total = self._moved(total + share)
        return total


def shaken(function, args, seed):
    """The flat results of a function, every operation of which rounds coarsely."""
    rng = random.Random(f"shaken {seed}")
    leaves, rebuild = flatten(list(args))
    results = function(*rebuild([Shaken(x, rng) for x in leaves]))
    return [x.value if isinstance(x, Shaken) else float(x) for x in flatten(results)[0]]


class Bound:
    """How far each number of ``function(*args)`` may be from the exact one.

    Sixteen times what the worst of a few shaken runs says, and some roundings: equal
    numbers that are added one by one err in one direction, which shaking, being random,
    does not see.
    """

    def __init__(self, function, args, seed=0, times=16.0, roundings=16):
        self.roundings = roundings
        self.function, self.args, self.seed, self.times = function, args, seed, times
        self.expected = [float(x) for x in flatten(function(*args))[0]]
        self.moves = [0.0] * len(self.expected)
        self.runs = 0
        self._shake(2)

    def _shake(self, count):
        for _ in range(count):
            self.runs += 1
            moved = shaken(self.function, self.args, f"{self.seed} {self.runs}")
            for i, (a, b) in enumerate(zip(moved, self.expected)):
                far = abs(a - b)
                self.moves[i] = max(self.moves[i], math.inf if math.isnan(far) else far)

    def allowed(self, i):
        """The bound of number i."""
        rounding = self.roundings * _UNIT * abs(self.expected[i])
        return self.times * _UNIT / SHAKE * self.moves[i] + rounding + 1e-290

    def deviation(self, results):
        """None, or which number deviates, by how much, and how much is allowed."""
        got = [float(x) for x in flatten(results)[0]]
        if len(got) != len(self.expected):
            return f"{len(got)} numbers instead of {len(self.expected)}"
        for i, (a, b) in enumerate(zip(got, self.expected)):
            if self._far(a, b, i) and self.runs < 12:
                self._shake(10)
            if self._far(a, b, i):
                return f"number {i}: {a!r}, expected {b!r}, allowed {self.allowed(i)}"
        return None

    def _far(self, a, b, i):
        if math.isnan(b) or math.isinf(b):
            return not (a == b or (math.isnan(a) and math.isnan(b)))
        return not abs(a - b) <= self.allowed(i)

    @property
    def sharp(self):
        """The share of numbers that are held to eight digits at least."""
        close = [
            self.allowed(i) <= 1e-8 * abs(x) or self.allowed(i) <= 1e-12
            for i, x in enumerate(self.expected)
        ]
        return sum(close) / max(1, len(close))
