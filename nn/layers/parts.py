"""Parts of networks besides neurons: dropout, normalisation, vectors for integers.

Names, shapes and order of their parameters are PyTorch's. A sample is a list of
numbers, or a list of vectors of them, as ``Embedding`` and sequences have it.
"""

from __future__ import annotations

from numbers import Real
from random import Random
from typing import Any

from autograd import DataError, Value, dot, mean, take
from autograd.table.reals import short
from nn.layers.initialisers import Initialiser, find_initialiser, generator
from nn.layers.module import Module
from nn.layers.networks import (
    Network,
    Number,
    Sample,
    Seed,
    at_least_one,
    checked_sample,
)
from nn.validation import in_unit_interval, is_sequence, positive


def flatten(sample: Any) -> list[Number]:
    """The numbers of a list of vectors, one after the other, at any depth.

    Put it between ``Embedding`` and a layer: Sequential(Embedding(9, 2), flatten, ...).

    >>> flatten([[1.0, 2.0], [3.0, 4.0]])
    [1.0, 2.0, 3.0, 4.0]
    """
    if not is_sequence(sample):
        return [sample]
    return [number for part in sample for number in flatten(part)]


class Dropout(Network):
    """Numbers become 0 with probability ``p``, and the others are divided by 1 - p.

    Only while training: ``fit`` switches it on for its steps, and leaves the model in
    ``eval()``; ``predict`` is without it. In loops of one's own it is on until
    ``model.eval()``, as in PyTorch. Which numbers is drawn anew for every sample, so
    ``fit`` with it is eager, and ``history.engine`` says so. (Under a ``jit`` of one's
    own it is drawn once, when the code is traced.)

    Takes lists of any length, or lists of vectors; gives the same shape. ``seed`` is an
    int for draws of its own, else they come from the global ``random``. Raises
    ValueError unless p lies in [0, 1).

    >>> from nn import Dropout
    >>> drop = Dropout(0.5, seed=2)
    >>> drop([1.0, 2.0, 3.0, 4.0])
    [2.0, 4.0, 0.0, 0.0]
    >>> drop.eval()([1.0, 2.0, 3.0, 4.0])
    [1.0, 2.0, 3.0, 4.0]
    """

    _shares = ("rng",)  # whose draws go on in bound copies

    def __init__(self, p: float = 0.5, seed: Seed = None) -> None:
        self.p = in_unit_interval("p", p)
        self.rng = Random(generator(seed).getrandbits(64))

    def _outputs(self, samples: list[Any]) -> list[Any]:
        for x in samples:
            if not is_sequence(x):
                raise TypeError(
                    f"{self} takes a list of numbers, got {short(x)}: write [x] for one"
                )
        if not (self.training and self.p):
            return [list(x) for x in samples]
        return [self._dropped(x) for x in samples]

    def _dropped(self, x: Any) -> Any:
        if is_sequence(x):
            return [self._dropped(y) for y in x]
        return x * (0.0 if self.rng.random() < self.p else 1.0 / (1.0 - self.p))

    def _steps(self) -> list[str]:
        return ["dropout"]

    def __repr__(self) -> str:
        return f"Dropout({self.p})"


class LayerNorm(Network):
    """Numbers brought to mean 0 and variance 1, then weighed: (x - m) / s * w + b.

    m is the mean of the ``n`` numbers, s^2 the mean square of x - m plus ``eps``; the
    parameters are ``weight`` (ones at first) and ``bias`` (zeros), n of each. Takes a
    list of n numbers, or a list of such vectors, each by itself; gives the same shape.
    Raises ShapeError for another length.

    >>> from nn import LayerNorm
    >>> norm = LayerNorm(2, eps=1e-12)
    >>> norm, [round(y.data, 6) for y in norm([3.0, 5.0])]
    (LayerNorm(2), [-1.0, 1.0])
    """

    def __init__(self, n: int, eps: float = 1e-5) -> None:
        at_least_one(n, "LayerNorm", "number")
        self.weight = [Value(1.0) for _ in range(n)]
        self.bias = [Value(0.0) for _ in range(n)]
        self.eps = positive("eps", eps)
        self.label()

    def _outputs(self, samples: list[Any]) -> list[Any]:
        return [
            [self._normal(v) for v in x]
            if is_sequence(x) and len(x) and is_sequence(x[0])
            else self._normal(x)
            for x in samples
        ]

    def _normal(self, x: Sample) -> list[Number]:
        xs = checked_sample(x, len(self.weight), self)
        centre = mean(xs)
        apart = [x - centre for x in xs]
        scale = (dot(apart, apart) / len(xs) + self.eps) ** -0.5
        weighed = zip(apart, self.weight, self.bias, strict=True)
        return [a * scale * w + b for a, w, b in weighed]

    def _steps(self) -> list[str]:
        return ["layernorm"]

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.weight)})"


class Embedding(Module):
    """A vector of ``width`` parameters for each of the integers 0 to ``count`` - 1.

    Takes one integer and gives its vector, or a list of integers and gives the list of
    theirs (see ``flatten``). In compiled code integers are inputs like others. The
    table is ``weight``, count rows of ``width``; ``init`` and ``seed`` are those of
    ``Neuron``. Raises DataError for what is no such integer; compiled, it gives NaN.

    >>> from nn import Embedding
    >>> letters = Embedding(26, 3, seed=0)
    >>> letters, len(letters([7, 0, 7])), letters(7)[0] is letters.weight[7][0]
    (Embedding(26, 3), 3, True)
    """

    def __init__(
        self,
        count: int,
        width: int,
        init: str | Initialiser = "normal",
        seed: Seed = None,
    ) -> None:
        at_least_one(count, "an Embedding", "row")
        at_least_one(width, "an Embedding", "column")
        draw, rng = find_initialiser(init), generator(seed)
        self.weight = [
            [Value(draw(rng, count, width)) for _ in range(width)] for _ in range(count)
        ]
        self.label()

    def __call__(self, x: Any) -> Any:
        """The vector of an integer, or the vectors of a sequence of them."""
        return [self._row(i) for i in x] if is_sequence(x) else self._row(x)

    def _row(self, i: Any) -> list[Number]:
        index = i.data if isinstance(i, Value) else i
        if hasattr(index, "level"):
            return list(take(self.weight, index))
        count = len(self.weight)
        if not isinstance(index, Real) or float(index) not in range(count):
            raise DataError(
                f"an Embedding of {count} needs whole numbers from 0 to {count - 1}, "
                f"got {short(index)}"
            )
        return list(self.weight[int(float(index))])

    def _steps(self) -> list[str]:
        return [str(len(self.weight)), f"{len(self.weight[0])} embedding"]

    def __repr__(self) -> str:
        return f"Embedding({len(self.weight)}, {len(self.weight[0])})"


def draws(module: Module) -> bool:
    """Whether a module's outputs are drawn at random while it is trained."""
    return isinstance(module, Dropout) and module.p > 0.0
