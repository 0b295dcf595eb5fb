"""Random regular programs: what people write as nested loops, at random sizes.

``generate(seed)`` chains stages (a dense layer, a convolution, a recurrence, causal
attention, ...), each a function of a list of numbers and of parameters of its own, and
ends in one number.
"""

import math
import random
from dataclasses import dataclass, field

from regular_stages import STAGES

import autograd as ag

SIZES = [1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17]


@dataclass
class Regular:
    """A program being put together: its stages, and the numbers they need."""

    rng: random.Random
    args: list = field(default_factory=list)
    stages: list = field(default_factory=list)
    size: int = 0
    cost: int = 0
    chooses: bool = False  # by take: a trace keeps all candidates

    @property
    def name(self):
        """The stages, in order."""
        return "-".join(name for name, _ in self.stages)

    def need(self, *shape, scale=None):
        """The place of a new argument of random numbers: a list, or a list of lists."""
        scale = scale or 1.0 / math.sqrt(shape[-1] or 1)

        def fill(shape):
            if not shape:
                return self.rng.gauss(0.0, scale)
            return [fill(shape[1:]) for _ in range(shape[0])]

        self.args.append(fill(shape))
        return len(self.args) - 1

    def pick(self, limit=17):
        """A random size."""
        return self.rng.choice([n for n in SIZES if n <= limit])

    def __call__(self, *args):
        """The program itself: its first argument goes through all stages."""
        xs = args[0]
        for _, stage in self.stages:
            xs = stage(xs, args)
        return xs


def _cross_entropy(p):
    target = p.rng.randrange(p.size)
    return lambda xs, a: -ag.log_softmax(xs)[target]


def _squares(p):
    ys = p.need(p.size)
    return lambda xs, a: ag.mean([(x - y) ** 2 for x, y in zip(xs, a[ys])])


def _weighted(p):
    w = p.need(p.size)
    return lambda xs, a: ag.dot(a[w], xs)


def _plain(f):
    return lambda p: lambda xs, a: f(xs)


LAST = {
    "cross entropy": _cross_entropy,
    "squares": _squares,
    "weighted": _weighted,
    "sum": _plain(sum),
    "row sum": _plain(ag.sum),
    "logsumexp": _plain(ag.logsumexp),
    "maximum": _plain(lambda xs: ag.maximum(list(xs))),
    "last": _plain(lambda xs: xs[-1]),
    "product": _plain(lambda xs: ag.tanh(xs[0]) * ag.exp(-(xs[-1] ** 2))),
    "norm": _plain(lambda xs: ag.sqrt(ag.sum([x * x for x in xs]) + 0.01)),
}


def generate(seed, largest=2500):
    """A program, and the arguments to run it at: lists of numbers."""
    rng = random.Random(f"regular {seed}")
    p = Regular(rng)
    p.size = p.pick()
    p.need(p.size, scale=1.0)
    for _ in range(rng.randint(0, 4)):
        if p.cost > largest or p.size > 60:
            break
        make = rng.choice(STAGES)
        p.stages.append((make.__name__, make(p)))
    name = rng.choice(list(LAST))
    p.stages.append((name, LAST[name](p)))
    return p, p.args


def whole(p):
    """The program as a function that returns all numbers of its last but one stage."""

    def f(*args):
        xs = args[0]
        for _, stage in p.stages[:-1]:
            xs = stage(xs, args)
        return {"all": list(xs), "leaf": args[0][-1], "constant": 1.5, "twice": xs[0]}

    return f
