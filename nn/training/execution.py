"""Execution: loss, gradient and outputs of batches, eager or compiled.

The first batch of every size is computed eagerly. Where the steps to come are worth it,
its loss is then compiled, and the program's results compared with what was just
computed. A model and a loss of the library's own do so by themselves, others on
request. What cannot be compiled goes on eagerly, and the log says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from autograd import Value, no_grad
from autograd.graph import nodes as graph
from autograd.graph.modes import MODES
from nn.layers.module import Module
from nn.losses import Loss
from nn.training.optimisers import Array
from nn.training.parameters import Parameters
from nn.training.programs import (
    Program,
    by_samples,
    gradient_program,
    is_own_loss,
    is_own_model,
    output_program,
    separable,
    structure,
)
from nn.training.samples import Samples
from nn.validation import plain

__all__ = ["Execution", "compute_outputs"]

EDGE = 1.5e-7  # seconds for one edge of the graph, forward and backward
READY = 0.1  # ... until anything is compiled
TRACED = 1.5e-6  # ... for each edge that is traced
TOLERANCE = 1e-8  # rounding differs; a wrong program is further away

logger = logging.getLogger("nn")

_UNPROFITABLE = "too few and too small steps to be worth it"
_ON_REQUEST = "a model or loss of one's own compiles on request, by compile=True"
_VALUES = (
    "Values take part that are not the model's, or reached past it, as in a penalty on "
    "parameters (see weight_decay)"
)


def reason_against(compile: bool | None, own: bool) -> str:
    """Why nothing is compiled here, or ""; ``own`` says that all is the library's."""
    if compile is False:
        return "compile=False"
    if MODES.active and (MODES.thread.observers or MODES.thread.watch):
        return "a mode is on that looks at every node"
    return "" if compile or own else _ON_REQUEST


def is_worth_compiling(edges: float, traced: float, times: int) -> bool:
    """Whether compiling ``traced`` edges beats so many eager runs over ``edges``.

    From counts, not from clocks: the same answer on every machine.

    >>> is_worth_compiling(10_000, 300, times=100)  # 0.15 s eager, 0.1 s until ready
    False
    >>> is_worth_compiling(10_000, 300, times=1000)
    True
    """
    return EDGE * edges * times > 2.0 * (READY + TRACED * traced)


class Execution:
    """How a run computes; ``report`` says which way, and why."""

    def __init__(
        self, model: Module, loss: Loss, parameters: Parameters, compile: bool | None
    ) -> None:
        self.model, self.loss, self.parameters = model, loss, parameters
        self.requested = compile is True
        own = is_own_model(model) and is_own_loss(loss)
        self.reason = reason_against(compile, own)  # why all is eager, or ""
        if MODES.active and not MODES.thread.recording:
            self.reason = "no_grad() is on"
        self.gradients: dict[int, Program | None] = {}  # by the size of the batch
        self.forwards: dict[int, Program | None] = {}
        self.edges = 0.0  # of the graph of one sample
        self.structure = None if self.reason else structure(model)

    @property
    def report(self) -> str:
        """What ``History.engine`` says."""
        if any(self.gradients.values()):
            return "compiled"
        return f"eager: {self.reason or _UNPROFITABLE}"

    def stay_eager(self, reason: str) -> None:
        """Compile nothing from here on."""
        self.reason = reason
        self.gradients, self.forwards = {}, {}
        _log_eager(reason, self.requested)

    def check_structure(self) -> None:
        """Stay eager once somebody has changed what was compiled."""
        self.parameters.sync_to_values()
        if not self.reason and structure(self.model) != self.structure:
            self.stay_eager("the model was changed while it was trained")

    # -- Loss and gradient -----------------------------------------------------------

    def gradient(self, batch: Samples, times: int, measured: bool) -> Any:
        """The loss of a batch and, if ``measured``, its outputs; and the gradient.

        ``times`` says how many batches of this size there will be.
        """
        program = self.gradients.get(len(batch))
        if program is None:
            return self._eager(batch, times, measured)
        outputs = self.outputs(batch, times) if measured else []
        value, slopes = program(*self._arguments(batch))
        self.parameters.set_gradient(slopes)
        return value, outputs

    def _eager(self, batch: Samples, times: int, measured: bool) -> Any:
        self.parameters.sync_to_values()
        found = self.model.batch(batch.X)
        outputs = _plain_outputs(found)
        value = self.loss(found, batch.y)
        if not isinstance(value, Value):
            raise TypeError(
                f"a loss returns one Value, got {type(value).__name__}: use functions "
                f"of autograd on the outputs, without .data"
            )
        slopes = self.parameters.backward(value)
        size = len(batch)
        if not self.reason and size not in self.gradients:
            self.edges = _count_edges(value) / size
            make = partial(gradient_program, self.model, self.loss)
            streams = separable(self.loss) and by_samples(self.model)
            program, reason = self._compiled(
                make, batch, (value.data, slopes), streams, times
            )
            if reason:
                self.stay_eager(reason)
            else:
                self.gradients[size] = program
                if program and measured:
                    self._compile_outputs(batch, outputs, times)
        return value.data, outputs

    # -- Outputs ---------------------------------------------------------------------

    def outputs(self, samples: Samples, times: int) -> list[Any]:
        """The outputs as plain numbers; this often, for so many samples."""
        program = self.forwards.get(len(samples))
        if program is not None:
            outputs: list[Any] = program(*self._arguments(samples))
            return outputs
        self.parameters.sync_to_values()
        with no_grad():
            found = _plain_outputs(self.model.batch(samples.X))
        self._compile_outputs(samples, found, times)
        return found

    def _compile_outputs(self, samples: Samples, found: list[Any], times: int) -> None:
        """Compile the outputs of so many samples too, once the loss is compiled."""
        if any(self.gradients.values()) and len(samples) not in self.forwards:
            make = partial(output_program, self.model)
            self.forwards[len(samples)], _ = self._compiled(
                make, samples, found, by_samples(self.model), times
            )

    # -- Compiling -------------------------------------------------------------------

    def _compiled(
        self,
        make: Callable[[bool], Program],
        batch: Samples,
        expected: Any,
        streams: bool,
        times: int,
    ) -> tuple[Program | None, str]:
        """The program, of a sample if it ``streams`` or of the batch; or None, and why.

        Without a reason it was not worth trying.
        """
        reason, edges = "", self.edges * len(batch)
        arguments = partial(self._arguments, batch)
        for streamed in (True, False) if streams else (False,):
            traced = self.edges if streamed else edges
            if self.requested or is_worth_compiling(edges, traced, times):
                program = make(streamed)
                reason = _disagreement(program, arguments, expected)
                if not reason:
                    return program, ""
                way = "sample by sample" if streamed else "batch by batch"
                logger.info("not compiled %s: %s", way, reason)
        return None, reason

    def _arguments(self, batch: Samples) -> tuple[Array, ...]:
        return self.parameters.array(), *batch.arrays()


def compute_outputs(
    model: Module, X: list[list[float]], compile: bool | None
) -> list[Any]:
    """The outputs for many samples, compiled where that pays.

    A program's first and last output must agree with the eager ones.
    """

    def eager(samples: list[list[float]]) -> list[Any]:
        with no_grad():
            return _plain_outputs(model.batch(samples))

    edges = len(model.parameters())
    if reason_against(compile, is_own_model(model)) or not (
        compile or is_worth_compiling(edges * len(X), edges, 1)
    ):
        return eager(X)
    program = output_program(model, by_samples(model))
    outputs: list[Any] = []

    def ends(*arguments: Any) -> list[Any]:
        outputs[:] = program(*arguments)
        return [outputs[0], outputs[-1]]

    reason = _disagreement(
        ends,
        lambda: (np.array([p.data for p in model.parameters()]), np.array(X)),
        eager([X[0], X[-1]]),
    )
    if not reason:
        return outputs
    _log_eager(reason, compile is True)
    return eager(X)


def _disagreement(
    program: Program, arguments: Callable[[], tuple[Array, ...]], expected: Any
) -> str:
    """Why a program cannot be used: it fails, or its first results are others; or "".

    Whatever users' code raises when it meets tracers is such a reason.
    """
    try:
        found = program(*arguments())
        if any(isinstance(x, Value) for x in found):
            return _VALUES
        return "" if _agree(expected, found) else "compiled, it has other results"
    except Exception as cause:
        return f"{type(cause).__name__}: {cause}"


def _agree(expected: Any, found: Any) -> bool:
    """Equal up to rounding; of a tuple, part by part."""
    if isinstance(expected, tuple):
        return all(map(_agree, expected, found))
    xs, ys = np.asarray(found, float), np.asarray(expected, float)
    if xs.shape != ys.shape:
        return False
    scale = np.abs(ys[np.isfinite(ys)]).max(initial=1e-300)
    return np.allclose(xs, ys, rtol=0.0, atol=TOLERANCE * scale, equal_nan=True)


def _log_eager(reason: str, requested: bool) -> None:
    level = logging.WARNING if requested else logging.INFO
    logger.log(level, "eager: %s", reason)


def _count_edges(root: Value) -> int:
    """How many operands all the nodes of a graph have."""
    interior, _ = graph.topological_order(root)
    return sum([len(xs) for node in interior for _, xs in graph.grouped(node)])


def _plain_outputs(outputs: Iterable[Any]) -> list[Any]:
    """A model's outputs as floats and lists."""
    return [plain("outputs", x, i) for i, x in enumerate(outputs)]
