"""Results of a plan: sections of the outputs in, what the function returns out.

A plan: a function for one structure of arguments, traced, re-rolled, ready to run.

    function -> trace -> optimise -> reroll -> adjoint -> lower -> machine

Reverse mode is derived on the bulk program: for ``grad(f)`` and ``value_and_grad(f)``
it is f that is traced. Other transforms are traced as they are.

Results that stay in the graph: one node for each number that a function returns.

When an argument or a closed-over Value takes part, gradients must flow on. The node's
partial derivatives are one compiled adjoint; asked for derivatives that can be
differentiated again, it replays the program on the nodes themselves.
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
from autograd.compiler.bulk.layout import Section
from autograd.compiler.bulk.reroll import reroll
from autograd.compiler.entry.buffers import Room, room_of
from autograd.compiler.plans.derivatives import along_direction, with_more_inputs
from autograd.compiler.plans.executor import Executor, Settings
from autograd.compiler.plans.signature import gradient_of
from autograd.compiler.trace.arguments import Container
from autograd.compiler.trace.optimise import optimise
from autograd.compiler.trace.program import Ints, Program
from autograd.compiler.trace.trace import collector_off, record
from autograd.compiler.trace.tracer import Source
from autograd.errors import TraceError
from autograd.graph.modes import MODES
from autograd.numbers.gather import TAKE
from autograd.numbers.value import Value
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from autograd.transforms.gradients import (
    Transform,
    check_argnums,
    grad,
    value_and_grad,
    vjp,
)
from autograd.transforms.tree import flatten, matched

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
        loops = len({op.scan for op in self.primal.operations if op.scan})
        if loops:
            lines.insert(3, f"loops over time: {loops}")
        lines.append(f"calls through {'machine code' if self.entered else 'Python'}")
        foreign = {
            operation.primitive.name
            for operation in bulk.operations
            if not isinstance(operation, SumOfProducts)
            and TABLE.get(operation.primitive.name) is not operation.primitive
            and operation.primitive is not TAKE
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


# -- A plan: a function for one structure of arguments, traced, re-rolled,

SECOND_ORDER = ("hvp", "hessian")


def _without_direction(f: Callable[..., Tree]) -> Callable[..., Tree]:
    return lambda x, direction, *others: f(x, *others)


def chosen_of(function: Any, count: int) -> list[int]:
    """The places of the arguments that a gradient function differentiates."""
    transform = gradient_of(function)
    return check_argnums(transform.argnums, count) if transform else []


class Plan(Results):
    """How to compute a function of some structure of arguments."""

    @collector_off()
    def __init__(
        self, function: Callable[..., Tree], args: Sequence[Tree], settings: Settings
    ) -> None:
        self.settings, self.seconds = settings, dict[str, float]()
        self.name = getattr(function, "__name__", "compiled")
        self.entered = False  # whether calls go through machine code
        self.node_rows: dict[int, Primitive] = {}
        self._reverse: dict[int, Executor] = {}
        self.transform = None if settings.strict else gradient_of(function)
        name = self.transform.name if self.transform else ""
        self.second = name in SECOND_ORDER
        self._trace(function, args)
        self.primal: Bulk = self._timed("reroll", self._rerolled)
        self.bulk = self.primal
        if self.transform:
            self.bulk = self._timed("adjoint", self._with_gradient)
        self.sections = self._sections()
        regions = [*self.bulk.regions, *of_results(self)]
        self.bulk = replace(self.bulk, regions=regions)
        self.executor: Executor = self._timed(
            "lower", lambda: Executor(self.bulk, settings, self.sections)
        )

    def _trace(self, function: Callable[..., Tree], args: Sequence[Tree]) -> None:
        """The optimised program of the function, or of what a gradient is taken of."""
        transform = self.transform
        primal = transform.function if transform else function
        if transform and transform.name == "hvp":
            _, rebuild = flatten(args[1])  # by key, where it is a dict in another order
            count = range(len(flatten(args[1])[0]))
            places = rebuild([float(k) for k in count])
            self.order = list(map(int, matched(places, args[0], "the direction")))
            primal = _without_direction(transform.function)
        self.chosen = chosen_of(function, len(args)) if transform else []
        limit = self.settings.limit
        traced = self._timed(
            "trace", lambda: record(primal, args, self.chosen, limit, self.second)
        )
        self.rebuild, self.sources = traced.rebuild, traced.sources
        self.mapped, self.alone = traced.mapped, traced.alone
        self.containers: list[Container] = traced.containers
        self.traced, self.baked = len(traced.program), traced.program.constants
        self.program = self._timed("optimise", lambda: optimise(traced.program))
        self._check_outputs()
        self.starts = self._source_starts()

    def _rerolled(self) -> Bulk:
        """The bulk program, which knows how its inputs lie in memory."""
        bulk = reroll(self.program, self._origin(), exact=self.settings.strict)
        bulk.blocks = [
            (int(self.starts[number]), self.count(source))
            for number, source in enumerate(self.sources)
            if source.kind in ("rows", "array")
        ]
        bulk.regions = of_arguments(self)
        if self.transform and self.transform.name == "hessian":
            count = sum(self.containers[i].count for i in self.chosen)
            bulk = with_more_inputs(bulk, count)
        return bulk

    def _timed(self, name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - start
        return result

    def _check_outputs(self) -> None:
        if self.transform and not (self.alone and len(self.program.outputs) == 1):
            raise TypeError(
                f"{self.transform.name} needs a function that returns one number, got "
                f"a tree of {len(self.program.outputs)}; use jacobian or vjp for "
                f"several outputs"
            )

    # -- inputs ----------------------------------------------------------------------

    def _source_starts(self) -> Ints:
        """The first input number of every source, and the end."""
        counts = [self.count(source) for source in self.sources]
        return np.cumsum([0, *counts])

    def count(self, source: Source) -> int:
        """How many inputs a source has."""
        if source.kind == "value":
            return 1
        if source.kind == "array":
            return int(source.data.size // source.data.shape[source.axis])
        container = self.containers[source.data]
        if source.kind == "rows":
            assert container.shape is not None
            return int(container.count // max(container.shape[source.axis], 1))
        return int(container.count)

    def _origin(self) -> Ints:
        """Which source each input came from; all Values from outside are one."""
        place = [
            len(self.sources) if source.kind == "value" else number
            for number, source in enumerate(self.sources)
        ]
        return np.repeat(np.array(place, np.int64), np.diff(self.starts))

    @cached_property
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
        if bulk.is_batched(bulk.outputs).any():
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
            both = along_direction(both, wrt, self._direction(both, wrt))
        if self.transform.name != "value_and_grad":
            both = replace(both, outputs=both.outputs[1:]).pruned()
        return both

    def _direction(self, first: Bulk, wrt: Ints) -> Ints:
        """The inputs of a direction: the second argument, or those of ``hessian``."""
        assert self.transform is not None
        if self.transform.name == "hvp":
            start, count = int(self.starts[1]), self.containers[1].count
            return start + np.array(self.order[:count], np.int64)
        return np.arange(first.inputs - len(wrt), first.inputs)

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


def _by_rows(array: Any, axis: int) -> Floats:
    """[row of the batch, column], as the memory has it."""
    moved = np.moveaxis(np.asarray(array, float), axis, 0)
    return np.ascontiguousarray(moved).reshape(-1)


# -- Results that stay in the graph: one node for each number that a functi


def recording(leaves: Sequence[Any], closed: Sequence[Value]) -> bool:
    """Whether a call's result is a node: Values take part, and gradients are on."""
    if not closed and not any(leaves):
        return False
    return not MODES.active or MODES.thread.recording


def as_nodes(plan: Any, inputs: Any, leaves: Sequence[Any], results: Any) -> list[Any]:
    """The results with every number a Value, whose operands are the plan's inputs."""
    operands: list[Any] = []
    for source, part in zip(plan.sources, inputs, strict=True):
        if source.kind == "value":
            operands.append(source.data)
        elif source.kind == "numbers" and leaves[source.data] is not None:
            operands += leaves[source.data]
        else:
            operands += part.tolist()
    if plan.program.batch:
        raise TraceError(
            "Values beside a batch: pass plain numbers and use value_and_grad inside "
            "jit, or compute under no_grad"
        )
    count, found = 0, []
    for result in results:
        nodes = np.empty(result.shape, dtype=object)
        for k in range(result.size):
            nodes[k] = _row(plan, count).apply((tuple(operands),))
            count += 1
        found.append(nodes)
    return found


def _row(plan: Any, k: int) -> Primitive:
    """The operation that computes number k of a plan's results."""
    if k not in plan.node_rows:

        def value(xs: Sequence[float]) -> float:
            results = plan.executor.run([np.array(xs, float)])
            return float(np.concatenate(results)[k])

        def partials(xs: Sequence[Any], result: Any) -> Any:
            if all(type(x) is float for x in xs):
                return (plan.cotangents(k, xs),)
            replay = grad(lambda inputs: plan.whole(*inputs)[k])
            return (replay(list(xs)),)

        def pull(xs: Sequence[float], sent: float) -> Any:
            return vjp(lambda *inputs: plan.whole(*inputs)[k], *xs)[1](sent)

        plan.node_rows[k] = Primitive(plan.name, value, joint=partials)
        plan.node_rows[k].pull = pull
    row: Primitive = plan.node_rows[k]
    return row


# -- Regions: large arrays that a program reads and writes where they are.

LARGE = 512  # numbers of an array that is worth it


def of_arguments(plan: Any) -> list[tuple[int, int]]:
    """(first input, count) of large arrays among the arguments of a plan."""
    found = []
    for number, source in enumerate(plan.sources):
        if source.kind not in ("numbers", "rows"):
            continue
        container = plan.containers[source.data]
        if container.shape is not None and container.count >= LARGE:
            found.append((int(plan.starts[number]), plan.count(source)))
    return found


def of_results(plan: Any) -> list[tuple[int, int]]:
    """(first position, count) of large results that lie side by side."""
    bulk, found = plan.bulk, []
    for begin, end, wide in plan.sections:
        positions = bulk.outputs[begin:end]
        size = (end - begin) * (bulk.batch if wide else 1)
        whole = not wide or (end - begin == 1 and bulk.is_batched(positions).all())
        together = size >= LARGE and whole and bool((np.diff(positions) == 1).all())
        if together and positions[0] >= bulk.inputs:
            found.append((int(positions[0]), end - begin))
    return found
