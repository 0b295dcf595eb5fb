"""Stages of random regular programs: layers, convolutions, recurrences, attention, ...

Each adds itself to a program ``p`` (see ``regular_programs``): it asks for the parameters
that it needs, says how many numbers leave it, and returns what it does to the numbers.
"""

import math

import autograd as ag


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
