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

from nn.names import lookup
from nn.validation import integer

Generator = Any  # random.Random, or the module random itself
Initialiser = Callable[[Generator, int, int], float]


def generator(seed: int | Generator | None) -> Generator:
    """Randomness from a seed: an int starts its own, None is the global ``random``."""
    if seed is None:
        return random
    if hasattr(seed, "random"):
        return seed
    return random.Random(integer("seed", seed))


def _uniform(rng: Generator, fan: int) -> float:
    bound = sqrt(6.0 / fan)
    return float(rng.uniform(-bound, bound))


def _normal(rng: Generator, fan: int) -> float:
    return float(rng.gauss(0.0, sqrt(2.0 / fan)))


INITIALISERS: dict[str, Initialiser] = {
    "uniform": lambda rng, nin, nout: float(rng.uniform(-1, 1)),  # as micrograd's
    "normal": lambda rng, nin, nout: float(rng.gauss(0.0, 1.0)),
    "xavier_uniform": lambda rng, nin, nout: _uniform(rng, nin + nout),
    "xavier_normal": lambda rng, nin, nout: _normal(rng, nin + nout),
    "glorot_uniform": lambda rng, nin, nout: _uniform(rng, nin + nout),
    "glorot_normal": lambda rng, nin, nout: _normal(rng, nin + nout),
    "he_uniform": lambda rng, nin, nout: _uniform(rng, nin),
    "he_normal": lambda rng, nin, nout: _normal(rng, nin),
    "kaiming_uniform": lambda rng, nin, nout: _uniform(rng, nin),
    "kaiming_normal": lambda rng, nin, nout: _normal(rng, nin),
    "zeros": lambda rng, nin, nout: 0.0,
}


_ALSO = {"zeros": "zero", "normal": "gaussian standard_normal"}


def find_initialiser(init: str | Initialiser) -> Initialiser:
    otherwise = "any function (rng, nin, nout) -> float"
    return lookup("initialiser", init, INITIALISERS, otherwise, _ALSO)
