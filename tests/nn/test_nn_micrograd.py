"""Programs written for micrograd.nn get the same numbers."""

import builtins
import random

import numpy as np
import pytest

from autograd import Value
from nn import MLP

try:
    import micrograd.nn as micrograd
except ImportError:
    micrograd = None

X = [[0.5, -1.0], [2.0, 3.0], [-0.25, 0.75], [1.0, 1.0]]
Y = [1, -1, -1, 1]


def demo(model, value=Value, steps=3):
    """micrograd's demo: max-margin loss, L2, gradient descent; in its own words."""
    losses = []
    for k in range(steps):
        inputs = [list(map(value, row)) for row in X]
        scores = list(map(model, inputs))
        margins = [(1 + -yi * si).relu() for yi, si in zip(Y, scores, strict=True)]
        data_loss = builtins.sum(margins) * (1.0 / len(margins))
        reg_loss = 1e-4 * builtins.sum(p * p for p in model.parameters())
        total = data_loss + reg_loss
        model.zero_grad()
        total.backward()
        losses.append(total.data)
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return losses


def built(seed=1337):
    random.seed(seed)
    return MLP(2, [16, 16, 1])


def test_recorded_numbers_of_micrograd():
    model = built()
    assert [p.data for p in model.parameters()[:3]] == [
        0.23550571390294128,
        0.06653114721000164,
        0.0,
    ]
    assert demo(model) == pytest.approx(RECORDED_LOSSES, rel=1e-12)


RECORDED_LOSSES = [0.913858545010361, 2.8481868641656773, 12.419853736026216]


@pytest.mark.skipif(micrograd is None, reason="micrograd is not installed")
def test_the_same_bits_as_micrograd():
    ours = built()
    random.seed(1337)
    theirs = micrograd.MLP(2, [16, 16, 1])
    pairs = list(zip(ours.parameters(), theirs.parameters(), strict=True))
    assert all(p.data == q.data for p, q in pairs)
    assert [ours(x).data for x in X] == [theirs(x).data for x in X]
    assert demo(ours, steps=1) == demo(theirs, micrograd_value, steps=1)
    gradients = [(p.grad, q.grad) for p, q in pairs]
    assert np.allclose(*zip(*gradients, strict=True), rtol=1e-12, atol=1e-15)


def micrograd_value(x):
    from micrograd.engine import Value as Theirs

    return Theirs(x)
