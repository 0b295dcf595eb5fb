"""Initialisers: how the weights of a new neuron are drawn.

An initialiser is a function ``(rng, nin, nout) -> float`` that draws one weight of a
layer with ``nin`` inputs and ``nout`` neurons; ``rng`` is a ``random.Random`` (or the
module ``random``). The same generator state always gives the same weights.

Sources: Glorot & Bengio 2010 (xavier); He et al. 2015 (he).
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
    """Randomness from a seed: an int starts its own, None is the global ``random``.

    >>> generator(7).random() == generator(7).random()
    True
    """
    if seed is None:
        return random
    if hasattr(seed, "random"):
        return seed
    return random.Random(integer("seed", seed))


def uniform(rng: Generator, nin: int, nout: int) -> float:
    """Uniform on [-1, 1], as micrograd draws them."""
    return float(rng.uniform(-1, 1))


def normal(rng: Generator, nin: int, nout: int) -> float:
    """Normal with mean 0 and standard deviation 1."""
    return float(rng.gauss(0.0, 1.0))


def xavier_uniform(rng: Generator, nin: int, nout: int) -> float:
    """Uniform with variance 2 / (nin + nout): for tanh and sigmoid (Glorot)."""
    bound = sqrt(6.0 / (nin + nout))
    return float(rng.uniform(-bound, bound))


def xavier_normal(rng: Generator, nin: int, nout: int) -> float:
    """Normal with variance 2 / (nin + nout): for tanh and sigmoid (Glorot)."""
    return float(rng.gauss(0.0, sqrt(2.0 / (nin + nout))))


def he_uniform(rng: Generator, nin: int, nout: int) -> float:
    """Uniform with variance 2 / nin: for relu and its relatives (He, Kaiming)."""
    bound = sqrt(6.0 / nin)
    return float(rng.uniform(-bound, bound))


def he_normal(rng: Generator, nin: int, nout: int) -> float:
    """Normal with variance 2 / nin: for relu and its relatives (He, Kaiming)."""
    return float(rng.gauss(0.0, sqrt(2.0 / nin)))


def zeros(rng: Generator, nin: int, nout: int) -> float:
    """0.0; draws nothing."""
    return 0.0


INITIALISERS: dict[str, Initialiser] = {
    "uniform": uniform,
    "normal": normal,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "glorot_uniform": xavier_uniform,
    "glorot_normal": xavier_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "kaiming_uniform": he_uniform,
    "kaiming_normal": he_normal,
    "zeros": zeros,
}


def find_initialiser(init: str | Initialiser) -> Initialiser:
    """The initialiser of a name; a callable is returned as it is.

    Raises ValueError for an unknown name, listing the known ones.
    """
    if callable(init):
        return init
    return lookup(
        "initialiser", init, INITIALISERS, "any function (rng, nin, nout) -> float"
    )
