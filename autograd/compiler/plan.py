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

from autograd.compiler.adjoint import adjoint
from autograd.compiler.arguments import Container
from autograd.compiler.binding import gradient_of
from autograd.compiler.bulk import Bulk
from autograd.compiler.executor import Executor, Settings
from autograd.compiler.optimise import optimise
from autograd.compiler.program import Ints
from autograd.compiler.recording import Source
from autograd.compiler.regions import of_arguments, of_results
from autograd.compiler.reroll import reroll
from autograd.compiler.results import Results
from autograd.compiler.second_order import along_direction, with_more_inputs
from autograd.compiler.trace import collector_off, record
from autograd.errors import TraceError
from autograd.primitive import Primitive
from autograd.transforms import check_argnums, value_and_grad
from autograd.tree import flatten, matched

__all__ = ["Plan", "chosen_of"]

Floats = npt.NDArray[np.float64]
Tree = Any
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
