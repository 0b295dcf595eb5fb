"""Recurrent layers: one cell, step by step over a sequence of vectors.

Equations, names, shapes and order of the parameters, and order of the gates in them are
PyTorch's: ``weight_ih`` (rows of weights of a step's inputs), ``weight_hh`` (those of
the state before), ``bias_ih``, ``bias_hh``; all drawn evenly from ±1 / sqrt(width).

Sources: Elman 1990; Hochreiter & Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU).
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, ClassVar

from autograd import ShapeError, Value, affine, sigmoid, tanh
from autograd.table.reals import short
from nn.layers.activations import Activation, find_activation
from nn.layers.initialisers import generator
from nn.layers.module import Module
from nn.layers.networks import Number, Seed, at_least_one, checked_sample
from nn.validation import is_sequence

Vector = list[Number]
State = tuple[Vector, ...]  # the output of the step before, and what else goes on


class Recurrent(Module):
    """What the recurrent layers share; each defines the step of its cell."""

    _gates: ClassVar[int] = 1
    _memories: ClassVar[int] = 1  # vectors in the state

    def __init__(
        self, nin: int, width: int, outputs: str = "last", seed: Seed = None
    ) -> None:
        name = f"an {type(self).__name__}"
        at_least_one(nin, name, "input")
        at_least_one(width, name, "output")
        if outputs not in ("last", "all"):
            raise ValueError(f"outputs must be 'last' or 'all', got {short(outputs)}")
        rng, bound = generator(seed), 1.0 / sqrt(width)

        def drawn(count: int) -> Vector:
            return [Value(rng.uniform(-bound, bound)) for _ in range(count)]

        rows = self._gates * width
        self.nin, self.width, self.outputs = nin, width, outputs
        self.weight_ih = [drawn(nin) for _ in range(rows)]
        self.weight_hh = [drawn(width) for _ in range(rows)]
        self.bias_ih, self.bias_hh = drawn(rows), drawn(rows)
        self.label()

    def __call__(self, sequence: Any) -> Any:
        """The output of the last step, or with outputs="all" the list of all."""
        found, _ = self.run(sequence)
        return found if self.outputs == "all" else found[-1]

    def _steps(self) -> list[str]:
        return [str(self.nin), f"{self.width} {type(self).__name__.lower()}"]

    def run(self, sequence: Any, state: Any = None) -> tuple[list[Vector], Any]:
        """The outputs of all steps, and the state after the last, to go on from.

        A state is a vector (of an LSTM, two: output and memory); None for zeros. Raises
        ShapeError for another width, and for a sequence without a step.
        """
        if not hasattr(sequence, "__iter__"):
            raise TypeError(
                f"{self} takes a sequence of vectors of {self.nin} number(s), got "
                f"{short(sequence)}: write [[x], ...] for plain numbers"
            )
        steps = [self._step(x) for x in sequence]
        if not steps:
            raise ShapeError(f"{self} needs a sequence of at least one step, got none")
        now, outputs = self._started(state), []
        inputs = affine(self.weight_ih, self.bias_ih)
        before = affine(self.weight_hh, self.bias_hh)
        for x in steps:
            now = self._next(self._parts(inputs(x)), self._parts(before(now[0])), now)
            outputs.append(now[0])
        return outputs, now if self._memories > 1 else now[0]

    def _step(self, x: Any) -> Vector:
        return checked_sample(x if is_sequence(x) else [x], self.nin, self)

    def _started(self, state: Any) -> State:
        if state is None:
            return ([0.0] * self.width,) * self._memories
        vectors = state if self._memories > 1 else (state,)
        if len(vectors) != self._memories:
            raise ShapeError(
                f"the state of {self} is two vectors, got {len(vectors)}: give the "
                "pair that it returned, (hidden, cell)"
            )
        return tuple([checked_sample(v, self.width, self) for v in vectors])

    def _parts(self, sums: Vector) -> list[Vector]:
        """The sums of each gate."""
        n = self.width
        return [sums[i : i + n] for i in range(0, len(sums), n)]

    def _next(self, x: list[Vector], h: list[Vector], state: State) -> State:
        """The state after a step, from the weighed inputs and outputs by gate."""
        raise NotImplementedError

    def __repr__(self) -> str:
        every = "" if self.outputs == "last" else f", outputs={self.outputs!r}"
        return f"{type(self).__name__}({self.nin}, {self.width}{every})"


def _gate(f: Callable[[Number], Number], x: Vector, h: Vector) -> Vector:
    return [f(a + b) for a, b in zip(x, h, strict=True)]


class RNN(Recurrent):
    """h' = tanh(W x + b + U h + c), step by step over a sequence.

    Parameters
    ----------
    nin : the number of inputs of each step.
    width : the number of outputs, which the next step sees too.
    outputs : "last" for the output of the last step, "all" for the list of all.
    seed : an int, or a ``random.Random``; None draws from the global ``random``.
    activation : a name in ``nn.ACTIVATIONS``, or a function of one number.

    Takes a sequence of any length of vectors of ``nin`` numbers; where nin is 1, of
    numbers too. Gives ``width`` numbers (always a list), or such a list for each step.
    Raises ShapeError for other widths, and for a sequence without a step.

    >>> from nn import RNN
    >>> rnn = RNN(2, 3, seed=0)
    >>> rnn, len(rnn([[1.0, 2.0], [3.0, 4.0]])), len(rnn.parameters())
    (RNN(2, 3), 3, 21)
    """

    def __init__(
        self,
        nin: int,
        width: int,
        outputs: str = "last",
        seed: Seed = None,
        activation: str | Activation = "tanh",
    ) -> None:
        self.activation = find_activation(activation)
        super().__init__(nin, width, outputs, seed)

    def _next(self, x: list[Vector], h: list[Vector], state: State) -> State:
        return (_gate(self.activation, x[0], h[0]),)


class LSTM(Recurrent):
    """Long short-term memory: gates for what is remembered, forgotten and shown.

    i, f, o = sigmoid(...), g = tanh(...), each of W x + b + U h + c with weights of its
    own, in the order i, f, g, o; then m' = f m + i g, and h' = o tanh(m').

    Arguments, shapes and errors are those of ``RNN``, without ``activation``. The state
    that ``run`` takes and gives is the pair (h, m).

    >>> from nn import LSTM
    >>> lstm = LSTM(1, 4, outputs="all", seed=0)
    >>> [len(lstm(sequence)) for sequence in ([0.5, 1.5, 2.5], [1.0])]
    [3, 1]
    >>> whole, _ = lstm.run([0.5, 1.5])
    >>> _, state = lstm.run([0.5])
    >>> lstm.run([1.5], state)[0][0][0].data == whole[1][0].data
    True
    """

    _gates, _memories = 4, 2

    def _next(self, x: list[Vector], h: list[Vector], state: State) -> State:
        i, f, g, o = map(_gate, (sigmoid, sigmoid, tanh, sigmoid), x, h)
        parts = zip(f, state[1], i, g, strict=True)
        memory = [f * m + i * g for f, m, i, g in parts]
        return [o * tanh(m) for o, m in zip(o, memory, strict=True)], memory


class GRU(Recurrent):
    """Gated recurrent units: gates for what is renewed.

    r, z = sigmoid(W x + b + U h + c), n = tanh(W x + b + r (U h + c)), with weights of
    their own, in the order r, z, n; then h' = (1 - z) n + z h.

    Arguments, shapes and errors are those of ``RNN``, without ``activation``.

    >>> from nn import GRU
    >>> gru = GRU(2, 3, seed=0)
    >>> gru, len(gru([[1.0, 2.0]])), len(gru.parameters())
    (GRU(2, 3), 3, 63)
    """

    _gates = 3

    def _next(self, x: list[Vector], h: list[Vector], state: State) -> State:
        r, z = map(_gate, (sigmoid, sigmoid), x[:2], h[:2])
        new = _gate(tanh, x[2], [r * b for r, b in zip(r, h[2], strict=True)])
        mixed = zip(z, new, state[0], strict=True)
        return ([(1.0 - z) * n + z * before for z, n, before in mixed],)
