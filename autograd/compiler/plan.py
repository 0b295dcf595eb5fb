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
from autograd.compiler.arguments import Container
from autograd.compiler.binding import gradient_of
from autograd.compiler.bulk import Bulk, Sum, Terms
from autograd.compiler.executor import Executor, Settings
from autograd.compiler.memory import Section
from autograd.compiler.optimise import optimise
from autograd.compiler.program import Ints
from autograd.compiler.reroll import reroll
from autograd.compiler.symbols import Writer
from autograd.compiler.trace import record
from autograd.compiler.tracer import Source
from autograd.errors import ShapeError, TraceError
from autograd.gather import TAKE
from autograd.primitive import Primitive
from autograd.primitives import TABLE
from autograd.transforms import check_argnums, value_and_grad

__all__ = ["Plan", "chosen_of"]

Floats = npt.NDArray[np.float64]
Tree = Any


def _without_direction(f: Callable[..., Tree]) -> Callable[..., Tree]:
    return lambda x, direction, *others: f(x, *others)


def chosen_of(function: Any, count: int) -> list[int]:
    """The places of the arguments that a gradient function differentiates."""
    transform = gradient_of(function)
    return check_argnums(transform.argnums, count) if transform else []


class Plan:
    """How to compute a function of some structure of arguments."""

    def __init__(
        self, function: Callable[..., Tree], args: Sequence[Tree], settings: Settings
    ) -> None:
        self.settings, self.seconds = settings, dict[str, float]()
        self.name = getattr(function, "__name__", "compiled")
        self.entered = False  # whether calls go through machine code
        self.node_rows: dict[int, Primitive] = {}
        transform = None if settings.strict else gradient_of(function)
        self.transform = transform
        primal = transform.function if transform else function
        self.second = transform is not None and transform.name in ("hvp", "hessian")
        if transform and transform.name == "hvp":
            primal = _without_direction(transform.function)
        self.chosen = chosen_of(function, len(args)) if transform else []
        traced = self._timed(
            "trace",
            lambda: record(primal, args, self.chosen, settings.limit, self.second),
        )
        self.rebuild, self.sources = traced.rebuild, traced.sources
        self.mapped, self.alone = traced.mapped, traced.alone
        self.containers: list[Container] = traced.containers
        self.traced, self.baked = len(traced.program), traced.program.constants
        self.program = self._timed("optimise", lambda: optimise(traced.program))
        self._check_outputs()
        self.starts = self._source_starts()
        self.primal: Bulk = self._timed(
            "reroll",
            lambda: reroll(self.program, self._origin(), exact=settings.strict),
        )
        self.primal.blocks = [
            (int(self.starts[number]), self._count(source))
            for number, source in enumerate(self.sources)
            if source.kind in ("rows", "array")
        ]
        if transform and transform.name == "hessian":
            self.primal = self.primal.with_more_inputs(
                sum(self.containers[i].count for i in self.chosen)
            )
        self.bulk = self.primal
        if transform:
            self.bulk = self._timed("adjoint", self._with_gradient)
        self.sections = self._sections()
        self.executor: Executor = self._timed(
            "lower", lambda: Executor(self.bulk, settings, self.sections)
        )
        self._reverse: dict[int, Executor] = {}

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - start
        return result

    def _check_outputs(self) -> None:
        if self.transform and not (self.alone and len(self.program.outputs) == 1):
            raise TypeError(
                f"{self.transform.name} needs a function that returns one number, got "
                f"{len(self.program.outputs)}; use jacobian or vjp for several outputs"
            )

    # -- inputs ----------------------------------------------------------------------

    def _source_starts(self) -> Ints:
        """The first input number of every source, and the end."""
        counts = [self._count(source) for source in self.sources]
        return np.cumsum([0, *counts])

    def _count(self, source: Source) -> int:
        if source.kind == "value":
            return 1
        if source.kind == "array":
            return int(source.data.size // source.data.shape[source.axis])
        container = self.containers[source.data]
        if source.kind == "rows":
            assert container.shape is not None
            return container.count // max(container.shape[source.axis], 1)
        return container.count

    def _origin(self) -> Ints:
        """Which source each input came from; all Values from outside are one."""
        place = [
            len(self.sources) if source.kind == "value" else number
            for number, source in enumerate(self.sources)
        ]
        return np.repeat(np.array(place, np.int64), np.diff(self.starts))

    @property
    def closed(self) -> list[Any]:
        """The Values from outside, which are read at each call."""
        return [source.data for source in self.sources if source.kind == "value"]

    def inputs(self, numbers: Sequence[Floats]) -> list[Floats]:
        """The parts of the memory's inputs, from the flat numbers of the arguments."""
        parts = []
        for source in self.sources:
            if source.kind == "value":
                parts.append(np.array([source.data.data]))
            elif source.kind == "array":
                parts.append(_by_rows(source.data, source.axis))
            elif source.kind == "rows":
                shape = self.containers[source.data].shape
                assert shape is not None
                given = numbers[source.data].reshape(shape)
                parts.append(_by_rows(given, source.axis))
            else:
                parts.append(numbers[source.data])
        return parts

    def run(
        self, inputs: Sequence[Floats], buffers: Sequence[Floats | None] | None
    ) -> list[Floats]:
        """The results of all sections; of a Hessian, row by row."""
        if self.transform is None or self.transform.name != "hessian":
            return self.executor.run(inputs, buffers)
        n = self.containers[self.chosen[0]].count
        rows = [self.executor.run([*inputs, unit])[0] for unit in np.eye(n)]
        return [np.array(rows).reshape(n, n)]

    # -- derivatives -----------------------------------------------------------------

    def _with_gradient(self) -> Bulk:
        bulk = self.primal
        assert self.transform is not None
        if bulk.has_lanes(bulk.outputs).any():
            raise TypeError(
                f"{self.transform.name} needs a function that returns one number, got "
                f"a batch: reduce it with sum or mean"
            )
        spans = [
            np.arange(*self.starts[[number, number + 1]])
            for i in self.chosen
            for number in self.sources_of(i)
        ]
        wrt = np.concatenate(spans) if spans else np.zeros(0, np.int64)
        both = adjoint(bulk, bulk.outputs, [1.0], wrt)
        if self.second:
            both = self._second_order(both, wrt)
        if self.transform.name != "value_and_grad":
            both = replace(both, outputs=both.outputs[1:]).pruned()
        return both

    def _second_order(self, first: Bulk, wrt: Ints) -> Bulk:
        """The adjoint of (gradient . direction): Hessian times direction.

        The direction is the second argument, or for ``hessian`` further inputs.
        Source: Pearlmutter 1994.
        """
        assert self.transform is not None
        if self.transform.name == "hvp":
            direction = np.arange(*self.starts[[1, 2]])
        else:
            direction = np.arange(first.inputs - len(wrt), first.inputs)
        n = len(wrt)
        if len(direction) != n:
            raise ShapeError(f"{n} numbers and a direction of {len(direction)}")
        writer = Writer(first)
        target = writer.room(1)
        gradient = first.outputs[1:]
        starts = np.array([0, n])
        writer.operations.append(Sum(target, [Terms(1, starts, gradient, direction)]))
        along = writer.finished(target)
        return adjoint(along, target, [1.0], wrt)

    def sources_of(self, argument: int) -> list[int]:
        """The sources that read an argument."""
        return [
            number
            for number, source in enumerate(self.sources)
            if source.kind in ("numbers", "rows") and source.data == argument
        ]

    def cotangents(self, k: int, numbers: Sequence[float]) -> list[float]:
        """The partial derivatives of output k by all inputs, compiled once."""
        if k not in self._reverse:
            bulk = self.bulk
            chosen = replace(bulk, outputs=bulk.outputs[k : k + 1])
            both = adjoint(chosen, chosen.outputs, [1.0], np.arange(bulk.inputs))
            slopes = replace(both, outputs=both.outputs[1:]).pruned()
            sections = [(0, len(slopes.outputs), False)]
            self._reverse[k] = Executor(slopes, self.settings, sections)
        (found,) = self._reverse[k].run([np.array(numbers, float)])
        listed: list[float] = found.tolist()
        return listed

    def whole(self, *numbers: Any) -> list[Any]:
        """All results on any numbers, by replaying the program."""
        if self.program.batch:
            raise TraceError(
                "a batch cannot be replayed on nodes: put the derivatives inside jit"
            )
        if self.transform is None:
            return self.program(*numbers)
        spans = [range(*self.starts[[i, i + 1]]) for i in self.chosen]
        places = [place for span in spans for place in span]

        def primal(own: list[Any]) -> Any:
            given = list(numbers)
            for place, x in zip(places, own, strict=True):
                given[place] = x
            return self.program(*given)[0]

        value, slopes = value_and_grad(primal)([numbers[place] for place in places])
        return slopes if self.transform.name == "grad" else [value, *slopes]

    # -- results ---------------------------------------------------------------------

    def _sections(self) -> list[Section]:
        """How the outputs are cut: value and gradients, or runs of what is shared."""
        count = len(self.bulk.outputs)
        if self.transform is None:
            wide = self.mapped
            if not count:
                return []
            cuts = [k for k in range(count) if k == 0 or wide[k] or wide[k - 1]]
            return [
                (a, b, wide[a]) for a, b in zip(cuts, [*cuts[1:], count], strict=True)
            ]
        found: list[Section] = []
        at = 0
        if self.transform.name == "value_and_grad":
            found.append((0, 1, False))
            at = 1
        for i in self.chosen:
            for number in self.sources_of(i):
                size = int(self.starts[number + 1] - self.starts[number])
                found.append((at, at + size, self.sources[number].kind == "rows"))
                at += size
        return found

    def sizes(self) -> list[int]:
        """How many numbers the result of each section has."""
        rows = self.bulk.batch
        return [(b - a) * (rows if wide else 1) for a, b, wide in self.sections]

    def finish(self, results: Sequence[Any]) -> Tree:
        """The caller's result from those of the sections."""
        if self.transform is None:
            leaves: list[Any] = []
            for result in results:
                leaves += list(result) if result.ndim > 1 else result.tolist()
            return self.rebuild(leaves)
        if self.transform.name == "hessian":
            container = self.containers[self.chosen[0]]
            if container.shape is not None:
                return results[0].reshape(container.shape * 2)
            return container.rebuild_named([container.gradient(r) for r in results[0]])
        rest = list(results)
        value = rest.pop(0) if self.transform.name == "value_and_grad" else None
        parts = [
            self.containers[i].gradient(numbers)
            for i, numbers in zip(self.chosen, rest, strict=True)
        ]
        found = parts[0] if isinstance(self.transform.argnums, int) else tuple(parts)
        if value is None:
            return found
        return (value[0] if value.dtype == object else float(value[0])), found

    def collected(self, results: Sequence[Any]) -> list[Any]:
        """Results of sections as those of the function: one for each argument."""
        if self.transform is None or self.transform.name == "hessian":
            return list(results)
        rest = list(results)
        found = [rest.pop(0)] if self.transform.name == "value_and_grad" else []
        return found + [self._gradient(i, rest) for i in self.chosen]

    def _gradient(self, argument: int, rest: list[Any]) -> Any:
        """The gradient of an argument, flat, from all sources that read it."""
        container, total = self.containers[argument], None
        for number in self.sources_of(argument):
            source, part = self.sources[number], rest.pop(0)
            if source.kind == "rows":
                assert container.shape is not None
                moved = list(container.shape)
                rows = moved.pop(source.axis)
                part = np.moveaxis(part.T.reshape(rows, *moved), 0, source.axis)
            flat = part.reshape(-1)
            total = flat if total is None else total + flat
        return np.zeros(container.count) if total is None else total

    def report(self) -> str:
        """What was made of the function, and why."""
        bulk = self.executor.bulk
        times = ", ".join(f"{k} {1e3 * t:.1f}" for k, t in self.seconds.items())
        gradient = f", {len(self.bulk.operations)} with gradient"
        lines = [
            f"{bulk.inputs} inputs, {len(self.bulk.outputs)} results"
            + (f", {bulk.batch} rows" if bulk.batch else ""),
            f"traced {self.traced} instructions, {len(self.program)} after optimising",
            f"re-rolled into {len(self.primal.operations)} bulk operations"
            + (gradient if self.transform else ""),
            f"backend {self.executor.backend}, {self.executor.form}: "
            f"{self.executor.reason}",
            f"ready after {1e3 * sum(self.seconds.values()):.1f} ms ({times})",
        ]
        lines.append(f"calls through {'machine code' if self.entered else 'Python'}")
        foreign = {
            operation.row.name
            for operation in bulk.operations
            if not isinstance(operation, Sum)
            and TABLE.get(operation.row.name) is not operation.row
            and operation.row is not TAKE
        }
        if foreign:
            names = ", ".join(sorted(foreign))
            lines.append(f"rows without code of their own, called back: {names}")
        if len(self.baked):
            shown = ", ".join(f"{x:g}" for x in self.baked[:8])
            more = ", ..." if len(self.baked) > 8 else ""
            lines.append(f"{len(self.baked)} numbers baked in: {shown}{more}")
        if self.closed:
            lines.append(f"{len(self.closed)} closed-over Values, read at each call")
        return "\n  ".join(lines)


def _by_rows(array: Any, axis: int) -> Floats:
    """[row of the batch, column], as the memory has it."""
    moved = np.moveaxis(np.asarray(array, float), axis, 0)
    return np.ascontiguousarray(moved).reshape(-1)
