"""Engine: loss, gradient and outputs of batches, eager or compiled.

The first batch of every size is computed eagerly. Where the steps to come are worth it,
its loss is then compiled, and compared with what was just computed. What cannot be
compiled goes on eagerly, and the log says why.
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
from nn.checks import plain
from nn.compiled import (
    Program,
    agree,
    attempt,
    by_samples,
    gradient_program,
    output_program,
    separable,
)
from nn.losses import Loss
from nn.module import Module
from nn.optimiser import Array
from nn.parameters import Parameters
from nn.samples import Samples
from nn.snapshot import Snapshot

__all__ = ["Engine", "all_outputs"]

EDGE = 1.5e-7  # seconds for one edge of the graph, forward and backward
READY = 0.1  # ... until anything is compiled
TRACED = 1.5e-6  # ... for each edge that is traced

logger = logging.getLogger("nn")


def refusal(compile: bool | None) -> str:
    """Why nothing can be compiled here, or ""."""
    if compile is False:
        return "compile=False"
    if MODES.active and (MODES.thread.observers or MODES.thread.watch):
        return "a mode is on that looks at every node"
    return ""


def pays(edges: float, traced: float, times: int) -> bool:
    """Whether compiling ``traced`` edges beats so many eager runs over ``edges``.

    The same answer on every machine: from counts, not from clocks.
    """
    return EDGE * edges * times > 2.0 * (READY + TRACED * traced)


class Engine:
    """How a run computes; ``report`` says which way, and why."""

    def __init__(
        self, model: Module, loss: Loss, parameters: Parameters, compile: bool | None
    ) -> None:
        self.model, self.loss, self.parameters = model, loss, parameters
        self.always, self.off = compile is True, refusal(compile)
        if MODES.active and not MODES.thread.recording:
            self.off = "no_grad() is on"
        self.gradients: dict[int, Program | None] = {}
        self.forwards: dict[int, Program | None] = {}
        self.edges = 0.0  # of one sample
        self.seen: Snapshot | None = None  # of what was compiled

    @property
    def report(self) -> str:
        """ "compiled", or "eager: " and the reason."""
        if any(self.gradients.values()):
            return "compiled"
        return f"eager: {self.off or 'too few and too small steps to be worth it'}"

    def stay_eager(self, reason: str) -> None:
        """Compile nothing from here on."""
        self.off = reason
        self.gradients, self.forwards, self.seen = {}, {}, None
        logger.log(
            logging.WARNING if self.always else logging.INFO, "eager: %s", reason
        )

    def look_around(self) -> None:
        """Notice what others changed since it was compiled."""
        self.parameters.in_values()
        if self.seen is not None and self.seen.changed():
            self.stay_eager("model or loss was changed while it was trained")

    # -- Loss and gradient -----------------------------------------------------------

    def gradient(self, batch: Samples, times: int, measured: bool) -> Any:
        """The loss of a batch and, if ``measured``, its outputs; and the gradient.

        ``times`` says how many batches of this size there will be.
        """
        program = self.gradients.get(len(batch))
        if program is None:
            return self._eager(batch, times, measured)
        outputs = self.outputs(batch, times) if measured else []
        value, slopes = program(self.parameters.array(), *batch.arrays())
        self.parameters.receive(slopes)
        return value, outputs

    def _eager(self, batch: Samples, times: int, measured: bool) -> Any:
        self.parameters.in_values()
        new = not self.off and len(batch) not in self.gradients
        before = Snapshot(self.model, self.loss) if new else None
        found = self.model.batch(batch.X)
        outputs = plain_outputs(found)
        value = self.loss(found, batch.y)
        if not isinstance(value, Value):
            raise TypeError(
                f"a loss returns one Value, got {type(value).__name__}: use functions "
                f"of autograd on the outputs, without .data"
            )
        slopes = self.parameters.backward(value)
        if before is not None and before.changed():
            self.stay_eager("model or loss draws random numbers, or changes itself")
        elif before is not None:
            self.seen = self.seen or before
            self._consider(batch, value, slopes, times)
            if measured and self.gradients.get(len(batch)):
                self._consider_outputs(batch, outputs, times)
        return value.data, outputs

    def _consider(
        self, batch: Samples, value: Value, slopes: Array, times: int
    ) -> None:
        """Compile the loss of batches of this size, if it pays and if it can be."""
        size, total = len(batch), count_edges(value)
        self.edges = total / size

        def make(streamed: bool) -> Program:
            return gradient_program(self.model, self.loss, streamed)

        expected = value.data, slopes
        streams = separable(self.loss) and by_samples(self.model)
        program, reason = self._compiled(make, batch, expected, streams, total, times)
        if reason:
            self.stay_eager(reason)
        else:
            self.gradients[size] = program

    def _compiled(
        self,
        make: Callable[[bool], Program],
        batch: Samples,
        expected: Any,
        streams: bool,
        edges: float,
        times: int,
    ) -> tuple[Program | None, str]:
        """The program, sample by sample or of the whole batch; or None, and why."""
        reason = ""
        for streamed in (True, False) if streams else (False,):
            traced = self.edges if streamed else edges
            if self.always or pays(edges, traced, times):
                program, reason = attempt(
                    partial(make, streamed),
                    (self.model, self.loss),
                    lambda: (self.parameters.array(), *batch.arrays()),
                    partial(agree, expected),
                )
                if program is not None:
                    return program, ""
                logger.info("not %s: %s", _WAYS[streamed], reason)
        return None, reason

    # -- Outputs ---------------------------------------------------------------------

    def outputs(self, samples: Samples, times: int) -> list[Any]:
        """The outputs as plain numbers; this often, for so many samples."""
        program = self.forwards.get(len(samples))
        if program is not None:
            outputs: list[Any] = program(self.parameters.array(), *samples.arrays())
            return outputs
        self.parameters.in_values()
        with no_grad():
            found = plain_outputs(self.model.batch(samples.X))
        self._consider_outputs(samples, found, times)
        return found

    def _consider_outputs(self, samples: Samples, found: list[Any], times: int) -> None:
        """Compile the outputs of so many samples too, once the loss is compiled."""
        size = len(samples)
        if not any(self.gradients.values()) or size in self.forwards:
            return

        def make(streamed: bool) -> Program:
            return output_program(self.model, streamed)

        edges, streams = self.edges * size, by_samples(self.model)
        self.forwards[size], _ = self._compiled(
            make, samples, found, streams, edges, times
        )


def all_outputs(model: Module, X: list[list[float]], compile: bool | None) -> list[Any]:
    """The outputs for many samples, compiled where that pays."""

    def eager(samples: list[list[float]]) -> list[Any]:
        with no_grad():
            return plain_outputs(model.batch(samples))

    edges = len(model.parameters())
    if refusal(compile) or not (compile or pays(edges * len(X), edges, 1)):
        return eager(X)
    x, table = np.array([p.data for p in model.parameters()]), np.array(X)
    program, reason = attempt(
        partial(output_program, model, by_samples(model)),
        [model],
        lambda: (x, table),
        lambda found: agree(eager(X[:1]), found[:1]),
    )
    if program is None:
        logger.log(logging.WARNING if compile else logging.INFO, "eager: %s", reason)
        return eager(X)
    outputs: list[Any] = program(x, table)
    return outputs


_WAYS = {True: "compiled sample by sample", False: "compiled batch by batch"}


def count_edges(root: Value) -> int:
    """How many operands all the nodes of a graph have."""
    interior, _ = graph.topological_order(root)
    return sum([len(xs) for node in interior for _, xs in graph.grouped(node)])


def plain_outputs(outputs: Iterable[Any]) -> list[Any]:
    """A model's outputs as floats and lists."""
    return [plain(x, "outputs", i) for i, x in enumerate(outputs)]
