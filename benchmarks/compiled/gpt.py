"""A language model of one layer, in scalars: the program of C5.

Width 16, 4 heads of 4, vocabulary 27, hidden 64, relu, RMS norms, causal attention, no
biases, an untied head: the model and the order of parameters of ``reference/gpt.c``.
"""

from __future__ import annotations

from operator import getitem

import autograd

WIDTH, HEADS, VOCABULARY, HIDDEN, POSITIONS = 16, 4, 27, 64, 16
SHAPES = {
    "tokens": (VOCABULARY, WIDTH),
    "positions": (POSITIONS, WIDTH),
    "logits": (VOCABULARY, WIDTH),
    "queries": (WIDTH, WIDTH),
    "keys": (WIDTH, WIDTH),
    "values": (WIDTH, WIDTH),
    "mix": (WIDTH, WIDTH),
    "widen": (HIDDEN, WIDTH),
    "narrow": (WIDTH, HIDDEN),
}
PARAMETERS = sum(m * n for m, n in SHAPES.values())


def matrices(params):
    """The parameters by name, each a list of rows (or, of an array, a matrix)."""
    found, start = {}, 0
    for name, (m, n) in SHAPES.items():
        found[name] = [params[start + i * n : start + (i + 1) * n] for i in range(m)]
        start += m * n
    return found


def product(row, xs):
    total = row[0] * xs[0]
    for i in range(1, len(xs)):
        total = total + row[i] * xs[i]
    return total


def linear(matrix, xs):
    return [product(row, xs) for row in matrix]


def plus(xs, ys):
    return [x + y for x, y in zip(xs, ys, strict=True)]


def rms_norm(xs):
    scale = 1.0 / autograd.sqrt(product(xs, xs) / len(xs) + 1e-5)
    return [x * scale for x in xs]


def attention(query, keys, values):
    """One head: the values, weighted by the softmax of query . key / sqrt(width)."""
    scale = 1.0 / len(query) ** 0.5
    weights = autograd.softmax([product(query, key) * scale for key in keys])
    return [product(weights, column) for column in zip(*values, strict=True)]


def loss(params, tokens, take=getitem):
    """The mean cross-entropy of each token's prediction of the next.

    take(xs, i) : the element of a sequence at an integer, which may be an input.
    """
    w, keys, values, total = matrices(params), [], [], 0.0
    steps, size = len(tokens) - 1, WIDTH // HEADS
    embeddings = list(zip(*w["tokens"], strict=True))
    for t in range(steps):
        token = [take(column, tokens[t]) for column in embeddings]
        x = rms_norm(plus(token, w["positions"][t]))
        normed = rms_norm(x)
        query = linear(w["queries"], normed)
        keys.append(linear(w["keys"], normed))
        values.append(linear(w["values"], normed))
        heads = []
        for start in range(0, WIDTH, size):
            part = slice(start, start + size)
            heads += attention(
                query[part], [k[part] for k in keys], [v[part] for v in values]
            )
        x = plus(linear(w["mix"], heads), x)
        hidden = [autograd.relu(h) for h in linear(w["widen"], rms_norm(x))]
        x = plus(linear(w["narrow"], hidden), x)
        logits = linear(w["logits"], x)
        total = total + autograd.logsumexp(logits) - take(logits, tokens[t + 1])
    return total / steps
