"""A plan: a function for one structure of arguments, traced, re-rolled, ready to run.

    function -> trace -> optimise -> reroll -> adjoint -> lower -> machine

Reverse mode is derived on the bulk program: for ``grad(f)`` and ``value_and_grad(f)``
it is f that is traced. Other transforms are traced as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.adjoint.adjoint import adjoint
from autograd.compiler.bulk.bulk import Bulk, SumOfProducts
from autograd.compiler.bulk.reroll import reroll
from autograd.compiler.plans.buffers import Room, room_of
from autograd.compiler.plans.derivatives import derivative
from autograd.compiler.plans.executor import Executor, Settings
from autograd.compiler.plans.inputs import LARGE, Inputs
from autograd.compiler.trace.optimise import optimise
from autograd.compiler.trace.trace import collector_off, record
from autograd.errors import TraceError
from autograd.numbers.gather import TAKE
from autograd.table.primitive import Composite

Floats = npt.NDArray[np.float64]
Tree = Any


class Plan:
    """How to compute a function of some structure of arguments.

    Attributes
    ----------
    function : what is compiled of it (see ``derivatives``).
    inputs : where the inputs come from.
    program, primal, bulk : the traced function; its bulk program; the same with
        derivatives.
    sections : how the outputs are cut, see ``Executor``.
    waits_for_entry : whether a shortcut is to be made as soon as the machine is there.
    has_native_entry : whether calls go through machine code.
    """

    @collector_off()
    def __init__(
        self, function: Callable[..., Tree], args: Sequence[Tree], settings: Settings
    ) -> None:
        self.settings, self.seconds = settings, dict[str, float]()
        self.name = getattr(function, "__name__", "compiled")
        self.has_native_entry = self.waits_for_entry = False
        self.operations: dict[int, Composite] = {}  # of results that are nodes
        self._slopes: dict[int, Executor] = {}
        made = self.function = derivative(function, args, settings.strict)
        order = made.primal, args, made.chosen, settings.limit, made.second_order
        traced = self._timed("trace", lambda: record(*order))
        self.traced, self.baked = len(traced.program), traced.program.constants
        self.program = self._timed("optimise", lambda: optimise(traced.program))
        self.inputs = Inputs(traced.sources, traced.specs)
        made.connect(traced, self.inputs)
        self.primal: Bulk = self._timed("reroll", self._rerolled)
        self.bulk = self.primal
        if made.name:
            self.bulk = self._timed("adjoint", lambda: made.derived(self.primal))
        self.sections = made.sections(self.bulk)
        regions = [*self.bulk.regions, *self._regions_of_results()]
        self.bulk = replace(self.bulk, regions=regions)
        self.executor: Executor = self._timed(
            "lower", lambda: Executor(self.bulk, settings, self.sections)
        )

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - start
        return result

    def _rerolled(self) -> Bulk:
        """The bulk program, which knows how its inputs lie in memory."""
        bulk = reroll(self.program, self.inputs.origin(), exact=self.settings.strict)
        bulk.blocks, bulk.regions = self.inputs.blocks(), self.inputs.regions()
        return self.function.extended(bulk)

    def _regions_of_results(self) -> list[tuple[int, int]]:
        """(first position, count) of large results that lie side by side."""
        bulk, regions = self.bulk, []
        for begin, end, batched in self.sections:
            positions = bulk.outputs[begin:end]
            size = (end - begin) * (bulk.batch if batched else 1)
            alone = end - begin == 1 and bulk.is_batched(positions).all()
            if size < LARGE or not (alone or not batched):
                continue
            if (np.diff(positions) == 1).all() and positions[0] >= bulk.inputs:
                regions.append((int(positions[0]), end - begin))
        return regions

    # -- results ---------------------------------------------------------------------

    @cached_property
    def sizes(self) -> list[int]:
        """How many numbers the result of each section has."""
        samples = self.bulk.batch
        return [
            (b - a) * (samples if batched else 1) for a, b, batched in self.sections
        ]

    @cached_property
    def room(self) -> Room:
        """What ``out=`` must have room for."""
        empty = map(np.zeros, self.function.shapes(self.bulk, self.sections))
        return room_of(self.function.finish(self.function.collected(list(empty))))

    # -- derivatives of results that stay in the graph -------------------------------

    def slopes(self, k: int, numbers: Sequence[float]) -> list[float]:
        """The partial derivatives of output k by all inputs, compiled once."""
        if k not in self._slopes:
            bulk = self.bulk
            chosen = replace(bulk, outputs=bulk.outputs[k : k + 1])
            both = adjoint(chosen, chosen.outputs, [1.0], np.arange(bulk.inputs))
            gradient = replace(both, outputs=both.outputs[1:]).pruned()
            sections = [(0, len(gradient.outputs), False)]
            self._slopes[k] = Executor(gradient, self.settings, sections)
        (result,) = self._slopes[k].run([np.array(numbers, float)])
        listed: list[float] = result.tolist()
        return listed

    def replay(self, *numbers: Any) -> list[Any]:
        """All results on any numbers, by running the program on them."""
        if self.program.batch:
            raise TraceError(
                "a batch cannot be replayed on nodes: put the derivatives inside jit"
            )
        return self.function.replay(self.program, numbers)

    # -- report ----------------------------------------------------------------------

    def report(self) -> str:
        """What was made of the function, and why."""
        bulk, primal = self.executor.bulk, self.primal.operations
        times = ", ".join(f"{k} {1e3 * t:.1f}" for k, t in self.seconds.items())
        loops = len({operation.scan for operation in primal if operation.scan})
        called = {
            operation.primitive.name
            for operation in bulk.operations
            if not (isinstance(operation, SumOfProducts) or operation.primitive.builtin)
            and operation.primitive is not TAKE
        }
        baked = ", ".join(f"{x:g}" for x in self.baked[:8])
        more = ", ..." if len(self.baked) > 8 else ""
        closed = len(self.inputs.closed)
        lines = [
            f"{bulk.inputs} inputs, {len(self.bulk.outputs)} results"
            + (f", {bulk.batch} rows" if bulk.batch else ""),
            f"traced {self.traced} instructions, {len(self.program)} after optimising",
            f"re-rolled into {len(primal)} bulk operations"
            + (
                f", {len(self.bulk.operations)} with gradient"
                if self.function.name
                else ""
            ),
            loops and f"loops over time: {loops}",
            f"backend {self.executor.backend}, {self.executor.form}: "
            f"{self.executor.reason}",
            f"ready after {1e3 * sum(self.seconds.values()):.1f} ms ({times})",
            f"calls through {'machine code' if self.has_native_entry else 'Python'}",
            called
            and f"rows without code of their own, run by Python: "
            f"{', '.join(sorted(called))}",
            baked and f"{len(self.baked)} numbers baked in: {baked}{more}",
            closed and f"{closed} closed-over Values, read at each call",
        ]
        return "\n  ".join([line for line in lines if line])
