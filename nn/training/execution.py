"""Execution: how the steps of a run are computed, eagerly or compiled.

Where the steps to come are worth it, the loss of a batch is compiled, and the program's
results are compared with those of the graph: on two samples of the library's own models
and losses, which are compiled by themselves; on the first batch of others, on request.
What cannot be compiled goes on eagerly, and the log says why.

Between compiled steps nothing is written to the Values, which for a small batch would
cost as much as the step: whoever looks at the model calls ``sync_to_values`` first.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from autograd import Value
from autograd.graph import nodes as graph
from autograd.graph.modes import MODES
from nn.layers.module import Module, in_mode
from nn.losses.named import Loss
from nn.optimisers.clipping import clip_grad_norm, norm_and_scale
from nn.optimisers.named import OPTIMISERS
from nn.optimisers.optimiser import Array, Optimiser, assign
from nn.training import programs
from nn.training.predict import eager_outputs
from nn.training.programs import (
    Program,
    gradient_program,
    output_program,
    streamed_program,
)
from nn.training.samples import Samples
from nn.validation import plain

_UNPROFITABLE = "too few and too small steps to be worth it"


class Execution:
    """How a model and its loss compute, and what its optimiser changes."""

    def __init__(
        self, model: Module, loss: Loss, optimiser: Optimiser, compile: bool | None
    ) -> None:
        self.model, self.loss, self.optimiser = model, loss, optimiser
        self.values = model.parameters()
        known = type(optimiser) in OPTIMISERS.values()
        self.direct = known and optimiser.params == self.values  # steps work on arrays
        self._x: Array | None = None  # None while the Values hold the numbers
        self._g: Array | None = None
        self.requested = compile is True
        self.own = programs.is_own_model(model) and programs.is_own_loss(loss)
        # why all is eager, or ""
        self.reason = programs.reason_against(compile, self.own)
        if MODES.active and not MODES.thread.recording:
            self.reason = "no_grad() is on"  # and the first backward pass will say so
        if not self.reason and (drawn := programs.reason_to_train_eagerly(model)):
            self.reason = drawn
            programs.log_eager(drawn, self.requested)
        self.gradients: dict[int, Program | None] = {}  # by the size of the batch
        self.forwards: dict[int, Program | None] = {}
        self.stream: Program | None = None  # that smaller batches can be filled up for
        self.edges = 0.0  # of the graph of one sample
        self.structure = None if self.reason else programs.structure(model)
        alike = self.own and not self.reason
        self.known = programs.known_of(model, loss) if alike else {}

    @property
    def report(self) -> str:
        """What ``History.engine`` says."""
        if any(self.gradients.values()):
            return "compiled"
        return f"eager: {self.reason or _UNPROFITABLE}"

    def stay_eager(self, reason: str) -> None:
        self.reason = reason
        self.gradients, self.forwards, self.stream = {}, {}, None
        programs.log_eager(reason, self.requested)

    def check_structure(self) -> None:
        """Stay eager once somebody has changed what was compiled."""
        self.sync_to_values()
        if not self.reason and programs.structure(self.model) != self.structure:
            self.stay_eager("the model was changed while it was trained")

    # -- Loss, gradient and outputs --------------------------------------------------

    def gradient(self, batch: Samples, times: int, measured: bool) -> Any:
        """The loss of a batch and, if ``measured``, its outputs; and the gradient.

        ``times`` says how many batches of this size there will be.
        """
        known = None
        if len(batch) not in self.gradients and not self.reason:
            known = self._choose(batch, times)
        program = self.gradients.get(len(batch))
        if program is None:
            value, outputs, _ = self._eager(batch, measured) if known is None else known
            return value.data, outputs
        outputs = self.outputs(batch, times) if measured else []
        value, slopes = program(*self._arguments(batch))
        self._set_gradient(slopes)
        return value, outputs

    def _choose(self, batch: Samples, times: int) -> Any:
        """Find a program for batches of this size, or note down that there is none.

        It must agree with the graph: of the library's own models and losses on two
        samples, of others on the batch, whose results in the graph are then returned.
        """
        size = len(batch)
        if self.stream is not None and size < max(self.gradients):
            self.gradients[size] = self.stream  # filled up
            return None
        self._recall("gradients", batch, times)
        if size in self.gradients:
            return None
        ends = self.own and self._streams("gradients")
        few = batch.take(sorted({0, size - 1})) if ends else batch
        gradients = [p.grad for p in self.values]
        found = value, _, slopes = self._eager(few)
        self.edges = _count_edges(value) / len(few)
        reason = self._keep("gradients", batch, few, (value.data, slopes), times)
        if reason:
            self.stay_eager(reason)
        if few is batch and self.gradients.get(size) is None:
            return found
        for parameter, gradient in zip(self.values, gradients, strict=True):
            parameter.grad = gradient
        return None

    def _recall(self, what: str, batch: Samples, times: int) -> None:
        """Take what was compiled for a model like this one, if it would be again."""
        known = self.known.get((what, *_shapes(batch)))
        if known is None:
            return
        program, edges, traced = known
        if self.requested or programs.is_worth_compiling(edges, traced, times):
            getattr(self, what)[len(batch)] = program
            self.edges = edges / len(batch)
            if what == "gradients" and traced < edges:
                self.stream = program

    def _eager(
        self, batch: Samples, measured: bool = True
    ) -> tuple[Value, list[Any], Array]:
        """Loss, outputs (if they are asked for) and gradient by the graph."""
        self.sync_to_values()
        with in_mode(self.model, True):
            found = self.model.batch(batch.X)
            outputs = plain("outputs", list(found)) if measured else []
            try:
                value = self.loss(found, batch.y)
            except TypeError:
                plain("outputs", list(found))  # says which of them is no number
                raise
            if not isinstance(value, Value):
                raise TypeError(
                    f"a loss returns one Value, got {type(value).__name__}: use "
                    f"functions of autograd on the outputs, without .data"
                )
            return value, outputs, self._backward(value)

    def outputs(self, samples: Samples, times: int) -> list[Any]:
        """The outputs as plain numbers; this often, for so many samples.

        They are compiled too, once the loss is.
        """
        size = len(samples)
        compiling = any(self.gradients.values())
        if compiling and size not in self.forwards:
            self._recall("forwards", samples, times)
        if self.forwards.get(size) is None:
            self.sync_to_values()
            found = eager_outputs(self.model, samples.X)
        if compiling and size not in self.forwards:
            self._keep("forwards", samples, samples, found, times)
        program = self.forwards.get(size)
        return found if program is None else program(*self._arguments(samples))

    def _keep(
        self, what: str, batch: Samples, few: Samples, expected: Any, times: int
    ) -> str:
        """Keep a program for batches of this size, if it is worth it, and right.

        It is that of a sample where samples do not meet, else of the batch; of a
        ``few`` the results are known. Returns what is wrong with it, or "".
        """
        reason, size, edges = "", len(batch), self.edges * len(batch)
        kept = getattr(self, what)
        kept[size] = None
        for streamed in (True, False) if self._streams(what) else (False,):
            traced = self.edges if streamed else edges
            if self.requested or programs.is_worth_compiling(edges, traced, times):
                program = self._made(what, streamed, size)
                reason = programs.disagreement(program, self._arguments(few), expected)
                if not reason:
                    kept[size] = program
                    self.known[what, *_shapes(batch)] = program, edges, traced
                    if what == "gradients" and streamed:
                        self.stream = program
                    break
                way = "sample by sample" if streamed else "batch by batch"
                programs.logger.info("not compiled %s: %s", way, reason)
        return reason

    def _streams(self, what: str) -> bool:
        """Whether samples can be computed one by one."""
        apart = what == "forwards" or programs.separable(self.loss)
        return apart and programs.by_samples(self.model)

    def _made(self, what: str, streamed: bool, size: int) -> Program:
        if what == "forwards":
            return output_program(self.model, streamed)
        if streamed:
            return streamed_program(self.model, self.loss, size)
        return gradient_program(self.model, self.loss)

    def _arguments(self, batch: Samples) -> tuple[Array, ...]:
        return self.array(), *batch.arrays

    # -- Numbers: in their Values, or for compiled steps in arrays -------------------

    def array(self) -> Array:
        if self._x is not None:
            return self._x
        x = np.array([p.data for p in self.values])
        if self.direct:
            self._x = x
        return x

    def place(self, x: Array) -> None:
        """Let the parameters be these numbers; the model's Values get them later."""
        self._x, self._g = np.array(x), None

    def slopes(self) -> Array:
        """The gradient that was computed last."""
        return np.array([p.grad for p in self.values]) if self._g is None else self._g

    def sync_to_values(self) -> None:
        """Write numbers and gradients of compiled steps to the Values."""
        x, g = self._x, self._g
        if x is not None:
            try:
                self._write(x, g)
            except BaseException:  # an interruption must not leave half of them
                self._write(x, g)
                raise
            self._x = self._g = None

    def _write(self, x: Array, g: Array | None) -> None:
        assign(self.values, x.tolist())
        if g is not None:
            for parameter, slope in zip(self.values, g.tolist(), strict=True):
                parameter.grad = slope

    def _backward(self, loss: Value) -> Array:
        """The gradient of a loss in the graph, added to what frozen Values have."""
        self.optimiser.zero_grad()
        before = np.array([p.grad for p in self.values])
        loss.backward()
        with np.errstate(invalid="ignore"):
            found: Array = np.array([p.grad for p in self.values]) - before
        return found

    def _set_gradient(self, gradient: Array) -> None:
        if self.direct:
            self._g = gradient
            return
        self.optimiser.zero_grad()
        for parameter, slope in zip(self.values, gradient.tolist(), strict=True):
            parameter.grad += slope

    def clip(self, max_norm: float) -> None:
        """Scale the gradient down to a norm, if it is longer."""
        if self._g is None:
            clip_grad_norm(self.optimiser.params, max_norm)
        else:
            with np.errstate(invalid="ignore"):  # of an infinite gradient
                self._g = self._g * norm_and_scale(self._g, max_norm)[1]

    def finite(self) -> bool:
        if self._g is None:
            return all(map(isfinite, [p.grad for p in self.optimiser.params]))
        return bool(np.isfinite(self._g).all())

    def step(self) -> None:
        optimiser = self.optimiser
        if self._x is None or self._g is None:
            optimiser.step()
            self._x = None
            return
        after, state = optimiser.computed(self._x, self._g)
        self._x, optimiser.steps, optimiser.state = after, optimiser.steps + 1, state


def _shapes(batch: Samples) -> list[tuple[int, ...]]:
    return [array.shape for array in batch.arrays]


def _count_edges(root: Value) -> int:
    interior, _ = graph.topological_order(root)
    return sum([len(xs) for node in interior for _, xs in graph.grouped(node)])
