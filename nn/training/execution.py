"""Execution: how the steps of a run are computed, eagerly or compiled.

The first batch of every size is computed eagerly. Where the steps to come are worth it,
its loss is then compiled, and the program's results compared with what was just
computed. A model and a loss of the library's own do so by themselves, others on
request. What cannot be compiled goes on eagerly, and the log says why.

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
        own = programs.is_own_model(model) and programs.is_own_loss(loss)
        self.reason = programs.reason_against(compile, own)  # why all is eager, or ""
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
        self.known = programs.known_of(model, loss) if not self.reason and own else {}

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
        size = len(batch)
        if size not in self.gradients and not self.reason:
            if self._fits(batch) and ("filled", *_shapes(batch)) in self.known:
                self.gradients[size] = self.stream
            else:
                self._recall("gradients", batch, times)
        if self.gradients.get(size) is None:
            with in_mode(self.model, True):
                value, outputs = self._eager(batch, times)
        program = self.gradients.get(size)
        if program is not None:  # of the first batch too: runs are alike, bit for bit
            outputs = self.outputs(batch, times) if measured else []
            value, slopes = program(*self._arguments(batch))
            self._set_gradient(slopes)
        return value, outputs

    def _fits(self, batch: Samples) -> bool:
        """Whether a program is there that such a batch only has to be filled up for."""
        return self.stream is not None and len(batch) < max(self.gradients)

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

    def _eager(self, batch: Samples, times: int) -> tuple[float, list[Any]]:
        self.sync_to_values()
        gradients = [p.grad for p in self.values]
        found = self.model.batch(batch.X)
        outputs = plain("outputs", list(found))
        value = self.loss(found, batch.y)
        if not isinstance(value, Value):
            raise TypeError(
                f"a loss returns one Value, got {type(value).__name__}: use functions "
                f"of autograd on the outputs, without .data"
            )
        slopes = self._backward(value)
        if not self.reason and len(batch) not in self.gradients:
            self.edges = _count_edges(value) / len(batch)
            expected = value.data, slopes
            if self._fits(batch):
                reason = self._fill(batch, expected)
            else:
                reason = self._keep("gradients", batch, expected, times)
            if reason:
                self.stay_eager(reason)
            if self.gradients.get(len(batch)):  # which computes this batch once more
                for parameter, gradient in zip(self.values, gradients, strict=True):
                    parameter.grad = gradient
        return value.data, outputs

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
            self._keep("forwards", samples, found, times)
        program = self.forwards.get(size)
        return found if program is None else program(*self._arguments(samples))

    def _fill(self, batch: Samples, expected: Any) -> str:
        """Take the program of the larger batches for this one, if it is right."""
        assert self.stream is not None
        reason = programs.disagreement(self.stream, self._arguments(batch), expected)
        if not reason:
            self.gradients[len(batch)] = self.stream
            self.known["filled", *_shapes(batch)] = True
        return reason

    def _keep(self, what: str, batch: Samples, expected: Any, times: int) -> str:
        """Keep a program for batches of this size, if it is worth it, and right.

        It is that of a sample where samples do not meet, else of the batch. Returns
        what is wrong with it, or "".
        """
        reason, size, edges = "", len(batch), self.edges * len(batch)
        kept = getattr(self, what)
        kept[size] = None
        for streamed in (True, False) if self._streams(what) else (False,):
            traced = self.edges if streamed else edges
            if self.requested or programs.is_worth_compiling(edges, traced, times):
                program = self._made(what, streamed, size)
                reason = programs.disagreement(
                    program, self._arguments(batch), expected
                )
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
