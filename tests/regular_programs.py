"""Random regular programs: what people write as nested loops, at random sizes.

``generate(seed)`` chains stages (a dense layer, a convolution, a recurrence, causal
attention, ...), each a function of a list of numbers and of parameters of its own, and
ends in one number. ``deviation`` compares two results within a bound found by shaking:
the same function runs on numbers whose every rounding is made 2^22 times larger, and
what that does to a result says how far rounding may move it.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import programs

import autograd as ag
from autograd import hessian, jit, trace, value_and_grad, vmap
from autograd.compiler.trace.optimise import optimise
from autograd.numbers.lifted import Level
from autograd.numbers.operators import Operators
from autograd.transforms.tree import flatten

SIZES = [1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17]
SHAKE = 2.0**-30
_UNIT = 2.0**-52


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


# -- Ways to write the same thing ----------------------------------------------------


def _dot_from_bias(ws, xs, b):
    total = b
    for w, x in zip(ws, xs):
        total = total + w * x
    return total


def _dot_row(ws, xs, b):
    return ag.dot(ws, xs, b)


def _dot_of_sums(ws, xs, b):
    return sum(w * x for w, x in zip(ws, xs)) + b


def _dot_of_products(ws, xs, b):
    return b + ag.sum([x * w for w, x in zip(ws, xs)])


def _dot_backwards(ws, xs, b):
    total = 0.0
    for w, x in zip(reversed(ws), reversed(xs)):
        total -= w * x
    return b - total


DOTS = [_dot_from_bias, _dot_row, _dot_of_sums, _dot_of_products, _dot_backwards]
ACTIVATIONS = [
    *(ag.tanh, ag.relu, ag.sigmoid, ag.softplus, ag.sin, ag.arctan, ag.gelu, ag.silu),
    *(ag.erf, ag.leaky_relu, ag.cos, ag.arcsinh, abs),
    lambda x: x,
    lambda x: -x,
    lambda x: x**2 / (1.0 + x * x),
    lambda x: x / (1.0 + abs(x)),
    lambda x: ag.exp(-x * x),
    lambda x: ag.log1p(x * x),
    lambda x: ag.sqrt(x * x + 1.0),
    lambda x: ag.where(x > 0.1, x, 0.5 * x),
    lambda x: ag.clip(x, -0.7, 0.9),
    lambda x: ag.maximum(x, 0.3 * x, -0.2),
    lambda x: (x + 2.0) % 3.0,
    lambda x: ag.hypot(x, 0.5),
    lambda x: ag.arctan2(x, 1.5),
    lambda x: 2.0 ** (0.3 * x),
    lambda x: (1.5 + ag.tanh(x)) ** 1.7,
]


# -- Stages: each adds itself to a program -------------------------------------------


def dense(p):
    m, act, dot = p.pick(), p.rng.choice(ACTIVATIONS), p.rng.choice(DOTS)
    w, b = p.need(m, p.size), p.need(m)
    p.cost += 3 * m * p.size
    p.size = m
    return lambda xs, a: [act(dot(row, xs, c)) for row, c in zip(a[w], a[b])]


def no_bias(p):
    m, dot = p.pick(), p.rng.choice(DOTS)
    w = p.need(m, p.size)
    p.cost += 3 * m * p.size
    p.size = m
    return lambda xs, a: [dot(row, xs, 0.0) for row in a[w]]


def tied(p):
    m, act = p.pick(9), p.rng.choice(ACTIVATIONS[:6])
    w, n = p.need(m, p.size), p.size
    p.cost += 6 * m * p.size

    def stage(xs, a):
        hidden = [act(ag.dot(row, xs)) for row in a[w]]
        columns = [[row[j] for row in a[w]] for j in range(n)]
        return [_dot_from_bias(column, hidden, 0.0) for column in columns]

    return stage


def shared(p):
    times, act = p.rng.randint(2, 4), p.rng.choice(ACTIVATIONS[:6])
    w = p.need(p.size, p.size)
    p.cost += 3 * times * p.size**2

    def stage(xs, a):
        for _ in range(times):
            xs = [x + act(ag.dot(row, xs)) for row, x in zip(a[w], xs)]
        return xs

    return stage


def elementwise(p):
    acts = p.rng.sample(ACTIVATIONS, 2)
    p.cost += 4 * p.size
    return lambda xs, a: [acts[1](acts[0](x)) for x in xs]


def alternating(p):
    acts = p.rng.sample(ACTIVATIONS, 3)
    p.cost += 3 * p.size
    return lambda xs, a: [acts[i % 3](x) for i, x in enumerate(xs)]


def conv1d(p):
    k, stride = p.rng.randint(1, 4), p.rng.randint(1, 2)
    w, n = p.need(k), p.size
    padding = k // 2 if p.rng.random() < 0.5 or n < k else 0
    starts = range(-padding, n + padding - k + 1, stride)
    p.cost += 2 * k * len(starts)
    p.size = len(starts)
    if not p.size:
        p.size = n
        return lambda xs, a: list(xs)
    return lambda xs, a: [
        sum(a[w][j] * xs[i + j] for j in range(k) if 0 <= i + j < n) for i in starts
    ]


def conv2d(p):
    h, w, k = p.rng.randint(2, 5), p.rng.randint(2, 5), p.rng.randint(1, 2)
    channels, n = p.rng.randint(1, 3), p.size
    kernel = p.need(channels, k, k)
    p.cost += 2 * channels * h * w * k * k
    p.size = channels * (h - k + 1) * (w - k + 1)

    def stage(xs, a):
        image = [[xs[(i * w + j) % n] for j in range(w)] for i in range(h)]
        return [
            sum(f[u][v] * image[i + u][j + v] for u in range(k) for v in range(k))
            for f in a[kernel]
            for i in range(h - k + 1)
            for j in range(w - k + 1)
        ]

    return stage


def transposed_convolution(p):
    k, n = p.rng.randint(2, 3), p.size
    w = p.need(k)
    p.cost += 2 * k * n
    p.size = n + k - 1

    def stage(xs, a):
        out = [0.0] * (n + k - 1)
        for i, x in enumerate(xs):
            for j, c in enumerate(a[w]):
                out[i + j] = out[i + j] + c * x
        return out

    return stage


def recurrent(p):
    steps, m = p.rng.randint(1, 8), p.pick(5)
    w, u, b = p.need(m, m), p.need(m, p.size), p.need(m)
    p.cost += steps * m * (2 * m + 3) + 2 * m * p.size
    p.size = m

    def stage(xs, a):
        pushed = [ag.dot(row, xs) for row in a[u]]
        h = [0.0] * m
        for _ in range(steps):
            h = [
                ag.tanh(_dot_of_sums(row, h, c) + q)
                for row, c, q in zip(a[w], a[b], pushed)
            ]
        return h

    return stage


def sequence(p):
    """A recurrence that eats one number at each step."""
    m = p.pick(4)
    w, u = p.need(m, m), p.need(m)
    p.cost += p.size * m * (2 * m + 3)
    p.size = m

    def stage(xs, a):
        h = [0.1] * m
        for x in xs:
            h = [
                ag.sigmoid(ag.dot(row, h) + c * x) - 0.5 * y
                for row, c, y in zip(a[w], a[u], h)
            ]
        return h

    return stage


def runge_kutta(p):
    steps, dt, k = p.rng.randint(1, 12), p.rng.choice([0.01, 0.1]), p.need(2)
    n = p.size
    p.cost += 60 * steps
    p.size = 2

    def slope(s, c):
        return [s[1], -c[0] * ag.sin(s[0]) - c[1] * s[1]]

    def move(s, d, t):
        return [x + t * v for x, v in zip(s, d)]

    def stage(xs, a):
        s, c = [xs[0], xs[-1] * (1.0 / n)], a[k]
        for _ in range(steps):
            k1 = slope(s, c)
            k2 = slope(move(s, k1, dt / 2), c)
            k3 = slope(move(s, k2, dt / 2), c)
            k4 = slope(move(s, k3, dt), c)
            s = [
                x + dt / 6 * (p1 + 2 * p2 + 2 * p3 + p4)
                for x, p1, p2, p3, p4 in zip(s, k1, k2, k3, k4)
            ]
        return s

    return stage


def long_recurrence(p):
    """Enough steps for a loop over time: a few states, what each step reads, a take."""
    steps, m = p.rng.choice([15, 16, 17, 20, 33]), p.rng.randint(1, 3)
    w, c, n = p.need(m, m + 1), p.need(steps), p.size
    acts = [p.rng.choice([ag.tanh, ag.sin, ag.sigmoid]) for _ in range(m)]
    flavour, every = p.rng.randrange(5), p.rng.choice([1, 1, 2, 5])
    places = p.need(steps, scale=1.0)
    p.chooses |= flavour in (2, 3)
    p.cost += steps * (m * (2 * m + 4) + 4)
    p.size = m + 1

    def one_of(xs, i):
        return ag.take(xs, 0.99 * len(xs) * ag.sin(i))

    def stage(xs, a):
        s, total = [xs[k % n] for k in range(m)], 0.0
        for t in range(steps):
            pushed = a[c][t] if flavour else 0.1
            if flavour == 2:
                pushed = one_of(xs, a[places][t])
            if flavour == 3:
                pushed = one_of([*s, *a[w][0]], a[places][steps - 1 - t])
            s = [
                act(ag.dot(row[:m], s) + row[m] * pushed) + 0.3 * x
                for act, row, x in zip(acts, a[w], s)
            ]
            if t % every == 0:
                total = total + s[0] * s[-1]
            if flavour == 4:
                s = [ag.where(x > 0.2, x, 0.9 * x) for x in s]
        return [*s, 0.1 * total]

    return stage


def gather(p):
    m = p.pick()
    places = [p.rng.randrange(p.size) for _ in range(m)]
    p.size = m
    return lambda xs, a: [xs[i] for i in places]


def permuted(p):
    places = p.rng.sample(range(p.size), p.size)
    w = p.need(p.size)
    p.cost += 2 * p.size
    return lambda xs, a: [xs[i] * a[w][j] + xs[j] for j, i in enumerate(places)]


def backwards(p):
    p.cost += 2 * p.size
    return lambda xs, a: [x - 0.5 * y for x, y in zip(xs, reversed(xs))]


def strided(p):
    step = p.rng.randint(1, 3)
    p.size = len(range(0, p.size, step))
    return lambda xs, a: list(xs[::step])


def ragged(p):
    m = p.pick(9)
    rows = [
        [p.rng.randrange(p.size) for _ in range(p.rng.randint(0, 6))] for _ in range(m)
    ]
    p.cost += sum(map(len, rows))
    p.size, add = m, p.rng.choice([sum, ag.sum])
    return lambda xs, a: [add([xs[i] for i in row]) * 0.5 + 0.25 for row in rows]


def sparse(p):
    m = p.pick(12)
    rows = [
        sorted(p.rng.sample(range(p.size), p.rng.randint(0, min(4, p.size))))
        for _ in range(m)
    ]
    w = p.need(max(1, sum(map(len, rows))))
    p.cost += 2 * sum(map(len, rows))
    p.size = m

    def stage(xs, a):
        entries = iter(a[w])
        return [sum([next(entries) * xs[i] for i in row], 0.0) for row in rows]

    return stage


def embedding_bag(p):
    words, width = p.rng.randint(2, 8), p.pick(7)
    table = p.need(words, width)
    bags = [
        [p.rng.randrange(words) for _ in range(p.rng.randint(1, 4))]
        for _ in range(p.rng.randint(1, 4))
    ]
    n = p.size
    p.cost += 4 * width * len(bags) * 2
    p.size = width * len(bags)

    def stage(xs, a):
        return [
            sum(a[table][t][j] for t in bag) * (1.0 / len(bag)) + xs[j % n]
            for bag in bags
            for j in range(width)
        ]

    return stage


def attention(p):
    t, d, n = p.rng.randint(1, 6), p.pick(4), p.size
    q, k, v = p.need(d, d), p.need(d, d), p.need(d, d)
    flavour = p.rng.randrange(3)
    p.cost += 6 * t * d * d + 4 * t * t * d
    p.size = t * d

    def weights(scores):
        if flavour == 0:
            return ag.softmax(scores)
        if flavour == 1:
            top = ag.maximum(scores)
            es = [ag.exp(s - top) for s in scores]
            total = sum(es)
            return [e / total for e in es]
        total = ag.logsumexp(scores)
        return [ag.exp(s - total) for s in scores]

    def stage(xs, a):
        rows = [[xs[(i * d + j) % n] + 0.1 * i for j in range(d)] for i in range(t)]
        qs, ks, vs = ([[ag.dot(w, x) for w in a[m]] for x in rows] for m in (q, k, v))
        out = []
        for i in range(t):
            scores = [ag.dot(qs[i], ks[j]) / math.sqrt(d) for j in range(i + 1)]
            own = weights(scores)
            out += [sum(own[j] * vs[j][c] for j in range(i + 1)) for c in range(d)]
        return out

    return stage


def prefix_sums(p):
    w = p.need(p.size)
    p.cost += 2 * p.size

    def stage(xs, a):
        total, out = 0.0, []
        for x, c in zip(xs, a[w]):
            total = total + c * x
            out.append(total)
        return out

    return stage


def moving_average(p):
    rate = p.need(1)
    p.cost += 4 * p.size

    def stage(xs, a):
        y, out = xs[0], []
        for x in xs:
            y = y + ag.sigmoid(a[rate][0]) * (x - y)
            out.append(y)
        return out

    return stage


def matrix_chain(p):
    r, c, m, n = p.rng.randint(1, 4), p.rng.randint(1, 4), p.rng.randint(1, 4), p.size
    w, left = p.need(c, m), p.rng.random() < 0.5
    p.cost += 2 * r * c * m
    p.size = r * m

    def stage(xs, a):
        x = [[xs[(i * c + j) % n] for j in range(c)] for i in range(r)]
        y = [
            [sum(x[i][k] * a[w][k][j] for k in range(c)) for j in range(m)]
            for i in range(r)
        ]
        if left:
            y = [[y[i][j] for i in range(r)] for j in range(m)]
        return [z for row in y for z in row]

    return stage


def horner(p):
    degree = p.rng.choice([1, 2, 5, 9, 70])
    n = min(p.size, 5) if degree == 70 else p.size
    w = p.need(degree + 1)
    p.cost += 2 * degree * n
    p.size = n

    def stage(xs, a):
        out = []
        for x in xs[:n]:
            x, y = 0.9 * ag.tanh(x), 0.0
            for c in a[w]:
                y = y * x + c
            out.append(y)
        return out

    return stage


def many_consumers(p):
    """More than 64 different operations read one block."""
    count = p.rng.choice([5, 66, 80])
    p.cost += 4 * count * min(p.size, 4)
    p.size = n = min(p.size, 4)

    def stage(xs, a):
        squares = [0.5 * ag.tanh(x) for x in xs[:n]]
        totals = list(squares)
        for k in range(count):
            totals = [ag.sin(y) + x * (0.1 * k) for x, y in zip(squares, totals)]
        return totals

    return stage


def elimination(p):
    n, m = p.rng.randint(1, 5), p.size
    b = p.need(n)
    p.cost += n**3 + n * n
    p.size = n

    def stage(xs, a):
        rows = [
            [xs[(i * n + j) % m] * 0.3 + (4.0 if i == j else 0.0) for j in range(n)]
            for i in range(n)
        ]
        ys = list(a[b])
        for k in range(n):
            for i in range(k + 1, n):
                f = rows[i][k] / rows[k][k]
                for j in range(k + 1, n):
                    rows[i][j] = rows[i][j] - f * rows[k][j]
                ys[i] = ys[i] - f * ys[k]
        for i in reversed(range(n)):
            for j in range(i + 1, n):
                ys[i] = ys[i] - rows[i][j] * ys[j]
            ys[i] = ys[i] / rows[i][i]
        return ys

    return stage


def normalised(p):
    p.cost += 6 * p.size

    def stage(xs, a):
        centre = ag.mean(xs)
        spread = ag.sum([(x - centre) ** 2 for x in xs]) / len(xs)
        return [(x - centre) / ag.sqrt(spread + 1e-2) for x in xs]

    return stage


def softmaxes(p):
    flavour = p.rng.choice([ag.softmax, ag.log_softmax])
    p.cost += 4 * p.size
    return lambda xs, a: flavour(xs)


def pooled(p):
    k = p.rng.randint(1, 3)
    pool = p.rng.choice([ag.maximum, ag.minimum, ag.logsumexp, ag.prod, ag.mean])
    starts = range(0, p.size, k)
    p.cost += p.size
    p.size = len(starts)
    return lambda xs, a: [pool(list(xs[i : i + k])) for i in starts]


def outer(p):
    m = p.pick(5)
    w, n = p.need(m), p.size
    p.cost += 3 * m * n
    p.size = m

    def stage(xs, a):
        table = [[ag.tanh(x * c) for x in xs] for c in a[w]]
        return [sum(row) * (1.0 / n) - row[0] for row in table]

    return stage


def neighbours(p):
    p.cost += 7 * p.size
    n = p.size

    def stage(xs, a):
        return [
            1.5 * (xs[(i + 1) % n] - x * x) ** 2 + (1.0 - x) ** 2
            for i, x in enumerate(xs)
        ]

    return lambda xs, a: [ag.log1p(y) for y in stage(xs, a)]


def pairs(p):
    """Distances of all pairs, as between bodies."""
    n = p.size = min(p.size, 8)
    p.cost += 6 * n * n

    def stage(xs, a):
        return [
            sum(
                (x - y) / ag.sqrt((x - y) ** 2 + 0.1)
                for j, y in enumerate(xs)
                if i != j
            )
            for i, x in enumerate(xs[:n])
        ]

    return lambda xs, a: stage(xs[:n], a)


def tree_sums(p):
    p.cost += 2 * p.size

    def stage(xs, a):
        out = list(xs)
        while len(out) > 1:
            out = [
                out[i] * 0.75 - out[i + 1] if i + 1 < len(out) else out[i]
                for i in range(0, len(out), 2)
            ]
        return out + list(xs)

    p.size += 1
    return stage


def signs(p):
    w = p.need(p.size)
    p.cost += 5 * p.size
    return lambda xs, a: [
        x - (c - x * c) - (-(x + c) - 1.0) + (x * c - 3.0 * x) for x, c in zip(xs, a[w])
    ]


def scaled(p):
    w = p.need(1)
    p.cost += p.size
    return lambda xs, a: [x * a[w][0] for x in xs]


def with_constants(p):
    p.size += 2
    return lambda xs, a: [0.5, *xs, -2.0]


def unused(p):
    p.need(p.pick(5))
    return lambda xs, a: list(xs)


STAGES = [
    *(dense, dense, no_bias, tied, shared, elementwise, alternating, conv1d, conv2d),
    *(transposed_convolution, recurrent, sequence, runge_kutta, gather, permuted),
    *(long_recurrence, long_recurrence),
    *(backwards, strided, ragged, sparse, embedding_bag, attention, prefix_sums),
    *(moving_average, matrix_chain, horner, many_consumers, elimination, normalised),
    *(softmaxes, pooled, outer, neighbours, pairs, tree_sums, signs, scaled),
    *(with_constants, unused),
]


# -- The last stage: one number ------------------------------------------------------


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


# -- How far rounding may move a result ----------------------------------------------


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


# -- All tiers against each other ----------------------------------------------------


def irregular(seed):
    """A program of ``programs``, long ones among them; and whether it is ordinary."""
    length = random.Random(f"length {seed}").choice([None, None, None, 3, 5, 40])
    program, point = programs.generate(seed, length)

    def f(xs):
        return programs.run(program, xs)[-1]

    f.__name__ = f"irregular_{seed}"
    return f, [point], programs.is_ordinary(program, point)


def derivative_of(f, args):
    """value_and_grad with respect to all arguments."""
    return value_and_grad(f, tuple(range(len(args))))


def _traced(f, args, settle=lambda program: program):
    """value_and_grad of f by way of its program, which runs on lifted nodes."""
    program = settle(trace(f, *args))
    flat, _ = flatten(list(args))
    value, slopes = value_and_grad(lambda xs: program(*xs)[0])(flat)
    return [value, slopes]


def _compiled(**settings):
    def run(f, args):
        compiled = jit(derivative_of(f, args), **settings)
        first = compiled(*args)
        leaves, rebuild = flatten(list(args))
        compiled(*rebuild([0.5 * x - 0.25 for x in leaves]))  # other numbers between
        again = compiled(*args)
        if _bits(first) != _bits(again):
            raise AssertionError("a second call gives other numbers")
        return first

    return run


# tier -> (how it computes value and gradient, whether it does to the last bit)
TIERS = {
    "traced": (_traced, True),
    "optimised": (lambda f, args: _traced(f, args, optimise), False),
    "numpy": (_compiled(backend="numpy"), False),
    "llvm": (_compiled(backend="llvm"), False),
    "strict": (_compiled(strict=True), True),
}


def _bits(results):
    """The value to the last bit, then the gradient; a slope of -0 is one of 0.

    Behind a choice the uncompiled engine leaves out what compiled code multiplies by 0.
    """
    value, *slopes = flatten(results)[0]
    return [float(value).hex(), *[(float(x) + 0.0).hex() for x in slopes]]


def complaints(f, args, tiers, seed=0, ordinary=True):
    """What is wrong with the tiers, by name; and the share of numbers held sharply.

    Extraordinary programs (beyond the floats, or at a kink) are compared to the last
    bit where that is promised, and otherwise only run.
    """
    chooses = getattr(f, "chooses", False)  # then slopes are added in another order
    eager = derivative_of(f, args)
    expected = _bits(eager(*args))
    bound = Bound(eager, args, seed) if ordinary else None
    found = {}
    for tier in tiers:
        compute, exact = TIERS[tier]
        try:
            got = compute(f, args)
        except Exception as error:  # a crash of one tier is a finding like others
            found[tier] = f"{type(error).__name__}: {error}"
            continue
        bits = _bits(got)
        if exact and (bits[0] != expected[0] or not (chooses or bits == expected)):
            found[tier] = f"{_first_difference(bits, expected)} to the last bit"
        if bound and (complaint := bound.deviation(got)):
            found[tier] = complaint
    return found, bound.sharp if bound else None


def hessian_complaints(seed, backends):
    """The second derivatives of a small program by its first argument."""
    p, args = generate(seed, largest=60)
    if len(args[0]) > 5:
        return None

    def f(xs):
        return p(xs, *args[1:])

    bound, found = Bound(hessian(f), [args[0]], seed, times=64.0, roundings=64), {}
    for backend in backends:
        try:
            got = jit(hessian(f), backend=backend)(args[0])
        except Exception as error:
            found[backend] = f"{type(error).__name__}: {error}"
            continue
        if complaint := bound.deviation(got):
            found[backend] = f"hessian: {complaint}"
    return found


def batch_complaints(seed, backends, count=None):
    """The mean of a regular program over a batch, through vmap; all gradients.

    The first argument has a row for each sample; all others are shared.
    """
    p, args = generate(seed, largest=250)
    rng = random.Random(f"batch {seed}")
    count = count or rng.choice([1, 2, 3, 7, 8, 9, 13, 17, 40])
    rows = [[rng.gauss(0.0, 1.0) for _ in args[0]] for _ in range(count)]
    shared = [None] * (len(args) - 1)

    def one_by_one(rows, *params):
        return ag.sum([p(list(row), *params) for row in rows]) / float(count)

    def at_once(rows, *params):
        return ag.mean(vmap(p, in_axes=(0, *shared))(rows, *params))

    eager = derivative_of(one_by_one, args)
    bound = Bound(eager, [rows, *args[1:]], seed, roundings=16 + count)
    found = {}
    for backend in backends:
        try:
            compiled = jit(derivative_of(at_once, args), backend=backend)
            got = compiled(np.array(rows), *args[1:])
            compiled(np.array(rows)[::-1] * 0.5, *args[1:])
            if _bits(compiled(np.array(rows), *args[1:])) != _bits(got):
                found[backend] = "a second call gives other numbers"
        except Exception as error:
            found[backend] = f"{type(error).__name__}: {error}"
            continue
        if complaint := bound.deviation(got):
            found[backend] = f"batch of {count}: {complaint}"
    return found


def _first_difference(got, expected):
    for i, (a, b) in enumerate(zip(got, expected)):
        if a != b:
            return f"number {i}: {a}, expected {b}"
    return f"{len(got)} numbers instead of {len(expected)}"


def campaign(first, count, tiers):
    """Regular and irregular programs of many seeds.

    Returns a Counter of what was run, and the failures: (seed, kind, name, complaints).
    """
    totals, failures = Counter(), []
    for seed in range(first, first + count):
        p, args = generate(seed)
        f, point, ordinary = irregular(seed)
        for kind, function, own, plain in (
            ("regular", p, args, True),
            ("irregular" if ordinary else "extraordinary", f, point, ordinary),
        ):
            found, sharp = complaints(function, own, tiers, seed, plain)
            totals[kind] += 1
            totals["sharp"] += (sharp or 0.0) > 0.9
            if found:
                name = getattr(function, "name", function.__class__.__name__)
                failures.append((seed, kind, name, found))
        if backends := [tier for tier in ("numpy", "llvm") if tier in tiers]:
            totals["batches"] += 1
            if found := batch_complaints(seed, backends):
                failures.append((seed, "batch", p.name, found))
            if (found := hessian_complaints(seed, backends)) is not None:
                totals["hessians"] += 1
            if found:
                failures.append((seed, "hessian", p.name, found))
    return totals, failures
