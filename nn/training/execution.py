"""Execution: loss, gradient and outputs of batches, eager or compiled.

The first batch of every size is computed eagerly. Where the steps to come are worth it,
its loss is then compiled, and the program's results compared with what was just
computed. A model and a loss of the library's own do so by themselves, others on
request. What cannot be compiled goes on eagerly, and the log says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
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

READY = 1.3e6  # edges of graphs are computed in the time to compile anything
TRACED = 20.0  # ... and in that to trace one
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
    """
    return edges * times > READY + TRACED * traced


class Execution:
    """How a run computes; ``report`` says which way, and why."""

    def __init__(
        self, model: Module, loss: Loss, parameters: Parameters, compile: bool | None
    ) -> None:
        self.model, self.loss, self.parameters = model, loss, parameters
        self.requested = compile is True
        own = is_own_model(model) and is_own_loss(loss)
        self.reason = reason_against(compile, own)  # why all is eager, or ""
        self.gradients: dict[int, Program | None] = {}  # by the size of the batch
        self.forwards: dict[int, Program | None] = {}
        self.edges = 0.0  # of the graph of one sample
        self.structure = None if self.reason else structure(model)

    @property
    def report(self) -> str:
        if any(self.gradients.values()):
            return "compiled"
        return f"eager: {self.reason or _UNPROFITABLE}"

    def stay_eager(self, reason: str) -> None:
        self.reason = reason
        self.gradients, self.forwards = {}, {}
        _log_eager(reason, self.requested)

    def check_structure(self) -> None:
        """Stay eager once somebody has changed what was compiled."""
        self.parameters.sync_to_values()
        if not self.reason and structure(self.model) != self.structure:
            self.stay_eager("the model was changed while it was trained")

    def gradient(self, batch: Samples, times: int, measured: bool) -> Any:
        """The loss of a batch and, if ``measured``, its outputs; and the gradient.

        ``times`` says how many batches of this size there will be.
        """
        program = self.gradients.get(len(batch))
        if program is None:
            return self._eager(batch, times)
        outputs = self.outputs(batch, times) if measured else []
        value, slopes = program(*self._arguments(batch))
        self.parameters.set_gradient(slopes)
        return value, outputs

    def _eager(self, batch: Samples, times: int) -> tuple[float, list[Any]]:
        self.parameters.sync_to_values()
        found = self.model.batch(batch.X)
        outputs = plain("outputs", list(found))
        value = self.loss(found, batch.y)
        if not isinstance(value, Value):
            raise TypeError(
                f"a loss returns one Value, got {type(value).__name__}: use functions "
                f"of autograd on the outputs, without .data"
            )
        slopes = self.parameters.backward(value)
        if not self.reason and len(batch) not in self.gradients:
            self.edges = _count_edges(value) / len(batch)
            make = partial(gradient_program, self.model, self.loss)
            streams = by_samples(self.model) and separable(self.loss)
            expected = value.data, slopes
            reason = self._keep(self.gradients, make, batch, expected, streams, times)
            if reason:
                self.stay_eager(reason)
        return value.data, outputs

    def outputs(self, samples: Samples, times: int) -> list[Any]:
        """The outputs as plain numbers; this often, for so many samples.

        They are compiled too, once the loss is.
        """
        program = self.forwards.get(len(samples))
        if program is not None:
            outputs: list[Any] = program(*self._arguments(samples))
            return outputs
        self.parameters.sync_to_values()
        found = _eager_outputs(self.model, samples.X)
        if any(self.gradients.values()) and len(samples) not in self.forwards:
            make = partial(output_program, self.model)
            streams = by_samples(self.model)
            self._keep(self.forwards, make, samples, found, streams, times)
        return found

    def _keep(
        self,
        programs: dict[int, Program | None],
        make: Callable[[bool], Program],
        batch: Samples,
        expected: Any,
        streams: bool,
        times: int,
    ) -> str:
        """Keep a program for batches of this size, if it is worth it, and right.

        It is that of a sample where samples ``stream``, else of the batch. Returns what
        is wrong with it, or "".
        """
        reason, edges = "", self.edges * len(batch)
        programs[len(batch)] = None
        for streamed in (True, False) if streams else (False,):
            traced = self.edges if streamed else edges
            if self.requested or is_worth_compiling(edges, traced, times):
                program = make(streamed)
                reason = _disagreement(program, self._arguments(batch), expected)
                if not reason:
                    programs[len(batch)] = program
                    break
        return reason

    def _arguments(self, batch: Samples) -> tuple[Array, ...]:
        return self.parameters.array(), *batch.arrays()


def compute_outputs(
    model: Module, X: list[list[float]], compile: bool | None
) -> list[Any]:
    """The outputs for many samples, compiled where that pays.

    A program's first and last output must agree with the eager ones.
    """
    edges = len(model.parameters())
    if reason_against(compile, is_own_model(model)) or not (
        compile or is_worth_compiling(edges * len(X), edges, 1)
    ):
        return _eager_outputs(model, X)
    program = output_program(model, by_samples(model))
    outputs: list[Any] = []

    def ends(*arguments: Array) -> list[Any]:
        outputs[:] = program(*arguments)
        return [outputs[0], outputs[-1]]

    numbers = np.array([p.data for p in model.parameters()])
    expected = _eager_outputs(model, [X[0], X[-1]])
    reason = _disagreement(ends, (numbers, np.array(X)), expected)
    if not reason:
        return outputs
    _log_eager(reason, compile is True)
    return _eager_outputs(model, X)


def _disagreement(program: Program, arguments: tuple[Array, ...], expected: Any) -> str:
    """Why a program cannot be used: it fails, or its first results are others; or "".

    Whatever users' code raises when it meets tracers is such a reason.
    """
    try:
        found = program(*arguments)
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
    interior, _ = graph.topological_order(root)
    return sum([len(xs) for node in interior for _, xs in graph.grouped(node)])


def _eager_outputs(model: Module, X: list[list[float]]) -> list[Any]:
    with no_grad():
        outputs: list[Any] = plain("outputs", list(model.batch(X)))
    return outputs
