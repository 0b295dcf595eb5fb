"""A plan: a function for one structure of arguments, traced, re-rolled, ready to run.

    function -> trace -> optimise -> reroll -> adjoint -> lower -> machine

Reverse mode is derived on the bulk program: for ``grad(f)`` and ``value_and_grad(f)``
it is f that is traced. Other transforms are traced as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.adjoint import adjoint
from autograd.compiler.arguments import Container, written
from autograd.compiler.bulk import Bulk
from autograd.compiler.executor import Executor, Settings
from autograd.compiler.optimise import optimise
from autograd.compiler.program import Program
from autograd.compiler.reroll import reroll
from autograd.compiler.trace import record
from autograd.primitive import Primitive
from autograd.transforms import transform_of, value_and_grad

__all__ = ["Plan"]

Floats = npt.NDArray[np.float64]
Tree = Any


class Plan:
    """How to compute a function of some structure of arguments.

    ``run(numbers)`` takes all input numbers and returns the flat results; ``finish``
    makes the caller's result of them.
    """

    def __init__(
        self, function: Callable[..., Tree], args: Sequence[Tree], settings: Settings
    ) -> None:
        self.settings, self.seconds = settings, dict[str, float]()
        self.name = getattr(function, "__name__", "compiled")
        self.node_rows: dict[int, Primitive] = {}
        transform = transform_of(function) if not settings.strict else None
        self.transform = transform
        primal = transform.function if transform else function
        chosen = [i % len(args) for i in transform.places] if transform else []
        self.containers = [
            Container(arg, as_floats=i in chosen) for i, arg in enumerate(args)
        ]
        program = self._trace(primal)
        self.sections = np.cumsum([0] + [c.count for c in self.containers])
        self.chosen = chosen
        bulk = primal_bulk = self._timed(
            "reroll",
            lambda: reroll(program, self._origin(program), exact=settings.strict),
        )
        if transform:
            bulk = self._timed("adjoint", lambda: self._with_gradient(primal_bulk))
        self.program, self.primal, self.bulk = program, primal_bulk, bulk
        self.executor = Executor(bulk, settings)
        self._reverse: dict[int, Executor] = {}

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - start
        return result

    def _trace(self, primal: Callable[..., Tree]) -> Program:
        counts = [container.count for container in self.containers]

        def call(tracers: list[Any]) -> Tree:
            rest = iter(tracers)
            given = [
                container.rebuild([next(rest) for _ in range(count)])
                for container, count in zip(self.containers, counts, strict=True)
            ]
            return primal(*given)

        program, self.rebuild, tracing = self._timed(
            "trace", lambda: record(primal, sum(counts), call, self.settings.limit)
        )
        self.closed, self.traced = tracing.closed, len(program)
        self.baked = program.constants.tolist()
        if self.transform and len(program.outputs) != 1:
            raise TypeError(
                f"{self.transform.name} needs a function that returns one number, got "
                f"{len(program.outputs)}; use jacobian or vjp for several outputs"
            )
        optimised: Program = self._timed("optimise", lambda: optimise(program))
        return optimised

    def _origin(self, program: Program) -> Any:
        """Which argument each input came from; closed-over Values are the last."""
        sizes = np.diff(self.sections)
        origin = np.repeat(np.arange(len(sizes)), sizes)
        rest = program.inputs - len(origin)
        return np.concatenate([origin, np.full(rest, len(sizes))]).astype(np.int64)

    def _with_gradient(self, bulk: Bulk) -> Bulk:
        spans = [np.arange(*self.sections[[i, i + 1]]) for i in self.chosen]
        wrt = np.concatenate(spans) if spans else np.zeros(0, np.int64)
        both = adjoint(bulk, bulk.outputs, [1.0], wrt)
        assert self.transform is not None
        if self.transform.name == "grad":
            both = replace(both, outputs=both.outputs[1:]).pruned()
        return both

    def run(self, numbers: Sequence[Floats]) -> Floats:
        """The flat results for the input numbers, given in parts."""
        return self.executor.run(numbers)

    def cotangents(self, k: int, numbers: Sequence[float]) -> list[float]:
        """The partial derivatives of output k by all inputs, compiled once."""
        if k not in self._reverse:
            bulk = self.bulk
            chosen = replace(bulk, outputs=bulk.outputs[k : k + 1])
            both = adjoint(chosen, chosen.outputs, [1.0], np.arange(bulk.inputs))
            slopes = replace(both, outputs=both.outputs[1:]).pruned()
            self._reverse[k] = Executor(slopes, self.settings)
        found: list[float] = self._reverse[k].run([np.array(numbers, float)]).tolist()
        return found

    def whole(self, *numbers: Any) -> list[Any]:
        """All results on any numbers, by replaying the program."""
        if self.transform is None:
            return self.program(*numbers)
        spans = [range(*self.sections[[i, i + 1]]) for i in self.chosen]
        places = [place for span in spans for place in span]

        def primal(own: list[Any]) -> Any:
            given = list(numbers)
            for place, x in zip(places, own, strict=True):
                given[place] = x
            return self.program(*given)[0]

        value, slopes = value_and_grad(primal)([numbers[place] for place in places])
        return slopes if self.transform.name == "grad" else [value, *slopes]

    def into(self, out: Tree, results: Floats) -> Tree:
        """The results in the arrays of ``out``, which is returned."""
        written(out, results)
        return out

    def report(self) -> str:
        """What was made of the function, and why."""
        bulk = self.executor.bulk
        times = ", ".join(f"{k} {1e3 * t:.1f}" for k, t in self.seconds.items())
        lines = [
            f"{bulk.inputs} inputs, {len(self.bulk.outputs)} results",
            f"traced {self.traced} instructions, {len(self.program)} after optimising",
            f"re-rolled into {len(self.primal.operations)} bulk operations"
            + (
                f", {len(self.bulk.operations)} with gradient" if self.transform else ""
            ),
            f"backend {self.executor.backend}: {self.executor.reason}",
            f"ready after {1e3 * sum(self.seconds.values()):.1f} ms ({times})",
        ]
        if self.baked:
            shown = ", ".join(f"{x:g}" for x in self.baked[:8])
            more = ", ..." if len(self.baked) > 8 else ""
            lines.append(f"{len(self.baked)} numbers baked in: {shown}{more}")
        if self.closed:
            lines.append(f"{len(self.closed)} closed-over Values, read at each call")
        return "\n  ".join(lines)

    def finish(self, numbers: Any) -> Tree:
        """The caller's result from the flat ones."""
        if self.transform is None:
            listed = numbers.tolist() if isinstance(numbers, np.ndarray) else numbers
            return self.rebuild(listed)
        value = [] if self.transform.name == "grad" else [numbers[0]]
        start, parts = len(value), []
        for i in self.chosen:
            container = self.containers[i]
            parts.append(container.gradient(numbers[start : start + container.count]))
            start += container.count
        single = isinstance(self.transform.argnums, int)
        found = parts[0] if single else tuple(parts)
        return (float(value[0]), found) if value else found
