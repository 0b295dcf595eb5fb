"""Initialisers: how the weights of a new neuron are drawn.

An initialiser is a function ``(rng, nin, nout) -> float`` that draws one weight of a
layer with ``nin`` inputs and ``nout`` neurons; ``rng`` is a ``random.Random`` (or the
module ``random``). The same generator state always gives the same weights.

Weights of variance 2 / fan keep a layer's outputs as large as its inputs: fan is
nin + nout for tanh and sigmoid (xavier; Glorot & Bengio 2010), nin for relu and its
relatives (he; He et al. 2015).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from math import sqrt
from typing import Any

from nn.validation import integer, lookup

__all__ = ["INITIALISERS", "find_initialiser", "generator"]

Generator = Any  # random.Random, or the module random itself
Initialiser = Callable[[Generator, int, int], float]


def generator(seed: int | Generator | None) -> Generator:
    """Randomness from a seed: an int starts its own, None is the global ``random``."""
    if seed is None:
        return random
    if hasattr(seed, "random"):
        return seed
    return random.Random(integer("seed", seed))


def _uniform(fan: Callable[[int, int], int]) -> Initialiser:
    """Uniform around 0, with variance 2 / fan."""

    def draw(rng: Generator, nin: int, nout: int) -> float:
        bound = sqrt(6.0 / fan(nin, nout))
        return float(rng.uniform(-bound, bound))

    return draw


def _normal(fan: Callable[[int, int], int]) -> Initialiser:
    """Normal around 0, with variance 2 / fan."""
    return lambda rng, nin, nout: float(rng.gauss(0.0, sqrt(2.0 / fan(nin, nout))))


def _xavier(nin: int, nout: int) -> int:
    return nin + nout


def _he(nin: int, nout: int) -> int:
    return nin


INITIALISERS: dict[str, Initialiser] = {
    "uniform": lambda rng, nin, nout: float(rng.uniform(-1, 1)),  # as micrograd's
    "normal": lambda rng, nin, nout: float(rng.gauss(0.0, 1.0)),
    "xavier_uniform": _uniform(_xavier),
    "xavier_normal": _normal(_xavier),
    "glorot_uniform": _uniform(_xavier),
    "glorot_normal": _normal(_xavier),
    "he_uniform": _uniform(_he),
    "he_normal": _normal(_he),
    "kaiming_uniform": _uniform(_he),
    "kaiming_normal": _normal(_he),
    "zeros": lambda rng, nin, nout: 0.0,
}


def find_initialiser(init: str | Initialiser) -> Initialiser:
    """The initialiser of a name; a callable is returned as it is."""
    if callable(init):
        return init
    otherwise = "any function (rng, nin, nout) -> float"
    return lookup("initialiser", init, INITIALISERS, otherwise)
