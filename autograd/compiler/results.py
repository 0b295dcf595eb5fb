"""Results of a plan: sections of the outputs in, what the function returns out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.arguments import Container
from autograd.compiler.buffers import Room, room_of
from autograd.compiler.bulk import Bulk, Sum
from autograd.compiler.executor import Executor
from autograd.compiler.memory import Section
from autograd.compiler.program import Ints, Program
from autograd.compiler.recording import Source
from autograd.gather import TAKE
from autograd.primitives import TABLE
from autograd.transforms import Transform

__all__ = ["Results"]

Floats = npt.NDArray[np.float64]
Tree = Any


class Results:
    """The part of a plan that knows how results are put together, and reports."""

    transform: Transform | None
    primal: Bulk
    bulk: Bulk
    program: Program
    executor: Executor
    containers: list[Container]
    sources: list[Source]
    sections: list[Section]
    starts: Ints
    chosen: list[int]
    mapped: list[bool]
    rebuild: Callable[..., Tree]
    seconds: dict[str, float]
    traced: int
    baked: Floats
    entered: bool
    sources_of: Callable[[int], list[int]]

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

    @cached_property
    def sizes(self) -> list[int]:
        """How many numbers the result of each section has."""
        rows = self.bulk.batch
        return [(b - a) * (rows if wide else 1) for a, b, wide in self.sections]

    @cached_property
    def room(self) -> Room:
        """What ``out=`` must have room for."""
        rows = self.bulk.batch
        if self.transform is not None and self.transform.name == "hessian":
            empty = [np.zeros((n, n)) for n in self.sizes]
        else:
            empty = [
                np.zeros((b - a, rows) if wide else b - a)
                for a, b, wide in self.sections
            ]
        return room_of(self.finish(self.collected(empty)))

    def finish(self, results: Sequence[Any]) -> Tree:
        """The caller's result from those of the sections."""
        if self.transform is None:
            leaves: list[Any] = []
            for result in results:
                leaves += list(result) if result.ndim > 1 else result.tolist()
            found = self.rebuild(leaves)
            return _rows_first(found) if any(self.mapped) else found
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
        if self.direct:
            return list(results)
        rest = list(results)
        assert self.transform is not None
        found = [rest.pop(0)] if self.transform.name == "value_and_grad" else []
        return found + [self._gradient(i, rest) for i in self.chosen]

    @cached_property
    def direct(self) -> bool:
        """Whether each section is a result: no argument is read twice, or by rows."""
        if self.transform is None or self.transform.name == "hessian":
            return True
        read = [self.sources_of(i) for i in self.chosen]
        single = all(len(numbers) == 1 for numbers in read)
        return single and all(self.sources[n].kind == "numbers" for (n,) in read)

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
        loops = len({op.loop for op in self.primal.operations if op.loop})
        if loops:
            lines.insert(3, f"loops over time: {loops}")
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
            lines.append(f"rows without code of their own, run by Python: {names}")
        if len(self.baked):
            shown = ", ".join(f"{x:g}" for x in self.baked[:8])
            more = ", ..." if len(self.baked) > 8 else ""
            lines.append(f"{len(self.baked)} numbers baked in: {shown}{more}")
        closed = sum(source.kind == "value" for source in self.sources)
        if closed:
            lines.append(f"{closed} closed-over Values, read at each call")
        return "\n  ".join(lines)


def _rows_first(tree: Tree) -> Tree:
    """Arrays that a mapped function returned, with the axis of its rows in front."""
    if isinstance(tree, np.ndarray):
        return np.moveaxis(tree, -1, 0) if tree.ndim > 1 else tree
    if isinstance(tree, dict):
        return {key: _rows_first(part) for key, part in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)([_rows_first(part) for part in tree])
    return tree
