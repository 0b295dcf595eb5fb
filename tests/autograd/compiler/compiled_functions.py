"""Functions that pickles can name."""

import itertools

import autograd as ag
from autograd import Value, grad, jit, value_and_grad

cube = ag.Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
weighted = ag.Primitive(
    "weighted",
    lambda ws, xs: ag.dot(ws, xs) / ag.sum(ws),
    joint=lambda ws, xs, z: (
        [(x - z) / ag.sum(ws) for x in xs],
        [w / ag.sum(ws) for w in ws],
    ),
)


def energy(xs, scale=1.0):
    """A smooth function of a list of numbers."""
    pairs = itertools.pairwise(xs)
    return scale * ag.sum([ag.tanh(x * y) for x, y in pairs]) + ag.logsumexp(xs)


plain = jit(energy)
slope = jit(grad(energy))
both = jit(value_and_grad(energy))
on_numpy = jit(value_and_grad(energy), backend="numpy")
exact = jit(value_and_grad(energy), strict=True)
offset = Value(0.5, label="offset")
