"""The work that is timed, each written once for any engine that offers a Value."""

from __future__ import annotations

import random
from itertools import pairwise

import nn

POINTS, LABELS = nn.datasets.moons(100, noise=0.1, seed=0)
ROWS, SIGNS = POINTS.tolist(), [float(y) for y in LABELS]


class ProductsAndSums:
    """MLP(2, [16, 16, 1]) with every dot taken apart, as micrograd does it."""

    def __init__(self, value):
        rng = random.Random(1)
        widths = [2, 16, 16, 1]
        self.layers = [
            [
                ([value(rng.uniform(-1, 1)) for _ in range(n)], value(0.0))
                for _ in range(m)
            ]
            for n, m in pairwise(widths)
        ]

    def __call__(self, x):
        for layer in self.layers:
            last = layer is self.layers[-1]
            outputs = []
            for ws, b in layer:
                y = sum((w * xi for w, xi in zip(ws, x, strict=True)), b)
                outputs.append(y if last else y.relu())
            x = outputs
        return x[0]

    def batch(self, rows):
        return [self(x) for x in rows]

    def parameters(self):
        return [p for layer in self.layers for ws, b in layer for p in [*ws, b]]


class Fused(nn.MLP):
    """The same network with nn's layers: one dot node for each neuron."""

    def __init__(self):
        super().__init__(2, [16, 16, 1], seed=random.Random(1))


class OneByOne(Fused):
    """The same, asked for one sample at a time."""

    def batch(self, rows):
        return [self(x) for x in rows]


def training_step(model, value, total):
    """Forward, backward and update on 100 moons, max-margin loss and penalty."""
    parameters = model.parameters()
    inputs = [[value(x) for x in row] for row in ROWS]
    scores = model.batch(inputs)
    losses = [(1 + -y * s).relu() for y, s in zip(SIGNS, scores, strict=True)]
    loss = total(losses) * (1.0 / len(losses))
    loss = loss + 1e-4 * total([p * p for p in parameters])
    for p in parameters:
        p.grad = 0.0
    loss.backward()
    for p in parameters:
        p.data -= 0.05 * p.grad
    return loss.data


def chain(value, length):
    """A chain of additions, differentiated; returns its derivative, exactly 1."""
    x = y = value(1.0)
    for _ in range(length):
        y = y + 1.0
    y.backward()
    return x.grad
