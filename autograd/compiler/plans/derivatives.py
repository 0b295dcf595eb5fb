"""What ``jit`` makes of a function, by the transform that made it: one class for each.

A class says which function is traced (``primal``), what the bulk program becomes
(``derived``), how its outputs are cut into *sections*, and how the sections' results
become the caller's.

    value_and_grad(f):  f is traced, its adjoint appended, sections (value, gradients)

Second derivatives are an adjoint of an adjoint: the gradient of gradient . direction is
Hessian times direction (Pearlmutter 1994).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.adjoint.adjoint import adjoint
from autograd.compiler.adjoint.writer import Writer
from autograd.compiler.bulk.bulk import (
    Bulk,
    SumOfProducts,
    Terms,
    with_reads,
)
from autograd.compiler.bulk.layout import Section
from autograd.compiler.plans.executor import Executor
from autograd.compiler.plans.inputs import Inputs
from autograd.compiler.trace.program import Ints, Program
from autograd.compiler.trace.trace import Traced
from autograd.errors import ShapeError
from autograd.transforms.gradients import (
    Transform,
    check_argnums,
    transform_of,
    value_and_grad,
)
from autograd.transforms.tree import flatten, matched

Floats = npt.NDArray[np.float64]
Tree = Any


class Function:
    """A function as it is: other transforms inside it are traced as they are."""

    second_order = False
    chosen: Sequence[int] = ()  # the arguments that are differentiated
    name = ""

    def __init__(self, function: Callable[..., Tree]) -> None:
        self.primal = function

    def connect(self, traced: Traced, inputs: Inputs) -> None:
        """Take in what tracing ``primal`` gave."""
        self.rebuild, self.mapped, self.inputs = traced.rebuild, traced.mapped, inputs

    def extended(self, bulk: Bulk) -> Bulk:
        """The program of ``primal`` with the further inputs that ``derived`` reads."""
        return bulk

    def derived(self, bulk: Bulk) -> Bulk:
        """The program of everything that is returned."""
        return bulk

    def sections(self, bulk: Bulk) -> list[Section]:
        """How the outputs are cut: runs of what the samples share, and single ones."""
        count, mapped = len(bulk.outputs), self.mapped
        cuts = [k for k in range(count) if k == 0 or mapped[k] or mapped[k - 1]]
        return [(a, b, mapped[a]) for a, b in pairwise([*cuts, count])]

    @cached_property
    def is_direct(self) -> bool:
        """Whether each section is a result, as it is."""
        return True

    def collected(self, results: Sequence[Any]) -> list[Any]:
        """Results of sections as those of the function: one for each argument."""
        return list(results)

    def run(self, executor: Executor, parts: Any, buffers: Any) -> list[Floats]:
        """The results of all sections."""
        return executor.run(parts, buffers)

    def shapes(self, bulk: Bulk, sections: Sequence[Section]) -> list[tuple[int, ...]]:
        """Of the results that ``run`` gives."""
        return [
            (b - a, bulk.batch) if batched else (b - a,) for a, b, batched in sections
        ]

    def finish(self, results: Sequence[Any]) -> Tree:
        """The caller's result from those that were collected."""
        leaves: list[Any] = []
        for result in results:
            leaves += list(result) if result.ndim > 1 else result.tolist()
        tree = self.rebuild(leaves)
        return _samples_first(tree) if any(self.mapped) else tree

    def replay(self, program: Program, numbers: Sequence[Any]) -> list[Any]:
        """All results on any numbers, by running the program of ``primal`` on them."""
        return program(*numbers)


class Gradient(Function):
    """``grad(f)``; and, with the value in front, ``value_and_grad(f)``."""

    with_value = False

    def __init__(self, transform: Transform, args: Sequence[Tree]) -> None:
        super().__init__(transform.function)
        self.name, self.single = (
            transform.name,
            not isinstance(transform.argnums, tuple),
        )
        self.chosen = check_argnums(transform.places, len(args))

    def connect(self, traced: Traced, inputs: Inputs) -> None:
        """The function must return one number."""
        super().connect(traced, inputs)
        count = len(traced.program.outputs)
        if not (traced.is_number and count == 1):
            raise TypeError(
                f"{self.name} needs a function that returns one number, got a tree of "
                f"{count}; use jacobian or vjp for several outputs"
            )

    def derived(self, bulk: Bulk) -> Bulk:
        """The adjoint behind the program."""
        if bulk.is_batched(bulk.outputs).any():
            raise TypeError(
                f"{self.name} needs a function that returns one number, got a batch: "
                f"reduce it with sum or mean"
            )
        wrt = self.inputs.places(self.chosen)
        both = self.behind(adjoint(bulk, bulk.outputs, [1.0], wrt), wrt)
        if self.with_value:
            return both
        return replace(both, outputs=both.outputs[1:]).pruned()

    def behind(self, first: Bulk, wrt: Ints) -> Bulk:
        """Value and derivatives, from the program of value and gradient."""
        return first

    def sections(self, bulk: Bulk) -> list[Section]:
        """The value, and a section for each source of the chosen arguments."""
        at = int(self.with_value)
        sections: list[Section] = [(0, 1, False)] * at
        for argument in self.chosen:
            for number in self.inputs.of(argument):
                source = self.inputs.sources[number]
                end = at + self.inputs.count(source)
                sections.append((at, end, source.kind == "samples"))
                at = end
        return sections

    @cached_property
    def is_direct(self) -> bool:
        """Whether no chosen argument is read twice, or by samples."""
        sources = self.inputs.sources
        read = [self.inputs.of(argument) for argument in self.chosen]
        single = all(len(numbers) == 1 for numbers in read)
        return single and all(sources[n].kind == "numbers" for (n,) in read)

    def collected(self, results: Sequence[Any]) -> list[Any]:
        """The value, and one flat gradient for each chosen argument."""
        if self.is_direct:
            return list(results)
        rest = list(results)
        value = [rest.pop(0)] if self.with_value else []
        return value + [self._flat(argument, rest) for argument in self.chosen]

    def _flat(self, argument: int, rest: list[Any]) -> Any:
        """The gradient of an argument, from all sources that read it."""
        spec, total = self.inputs.specs[argument], None
        for number in self.inputs.of(argument):
            source, part = self.inputs.sources[number], rest.pop(0)
            if source.kind == "samples":
                assert spec.shape is not None
                shape = list(spec.shape)
                samples = shape.pop(source.axis)
                part = np.moveaxis(part.T.reshape(samples, *shape), 0, source.axis)
            flat = part.reshape(-1)
            total = flat if total is None else total + flat
        return np.zeros(spec.count) if total is None else total

    def finish(self, results: Sequence[Any]) -> Tree:
        """Gradients like their arguments, behind the value."""
        rest = list(results)
        value = rest.pop(0) if self.with_value else None
        parts = [
            self.inputs.specs[i].gradient(numbers)
            for i, numbers in zip(self.chosen, rest, strict=True)
        ]
        if value is not None:
            value = value[0] if value.dtype == object else float(value[0])
        return self.assembled(value, parts)

    def assembled(self, value: Any, gradients: Sequence[Any]) -> Tree:
        """What the transform returns, made of a value and gradients of any kind."""
        all_of_them = gradients[0] if self.single else tuple(gradients)
        return (value, all_of_them) if self.with_value else all_of_them

    def replay(self, program: Program, numbers: Sequence[Any]) -> list[Any]:
        """The program's value and gradient, on nodes."""
        places = self.inputs.places(self.chosen).tolist()

        def primal(own: list[Any]) -> Any:
            given = list(numbers)
            for place, x in zip(places, own, strict=True):
                given[place] = x
            return program(*given)[0]

        value, slopes = value_and_grad(primal)([numbers[place] for place in places])
        return [value, *slopes] if self.with_value else slopes


class ValueAndGradient(Gradient):
    """``value_and_grad(f)``."""

    with_value = True


class HessianProduct(Gradient):
    """``hvp(f)``: the second argument is the direction."""

    second_order = True

    def __init__(self, transform: Transform, args: Sequence[Tree]) -> None:
        super().__init__(transform, args)
        f = transform.function
        self.primal = lambda x, direction, *others: f(x, *others)
        leaves, rebuild = flatten(
            args[1]
        )  # by key, where it is a dict in another order
        places = rebuild([float(k) for k in range(len(leaves))])
        self.order = list(map(int, matched(places, args[0], "the direction")))

    def behind(self, first: Bulk, wrt: Ints) -> Bulk:
        """Hessian times direction."""
        start, count = int(self.inputs.starts[1]), self.inputs.specs[1].count
        return _along(first, wrt, start + np.array(self.order[:count], np.int64))


class Hessian(Gradient):
    """``hessian(f)``: its product with a direction, for each unit vector."""

    second_order = True

    @property
    def _count(self) -> int:
        count: int = self.inputs.specs[self.chosen[0]].count
        return count

    def extended(self, bulk: Bulk) -> Bulk:
        """The direction's inputs behind all others."""
        return _with_more_inputs(bulk, self._count)

    def behind(self, first: Bulk, wrt: Ints) -> Bulk:
        """Hessian times direction."""
        return _along(first, wrt, np.arange(first.inputs - len(wrt), first.inputs))

    @cached_property
    def is_direct(self) -> bool:
        """The matrix is one result."""
        return True

    def run(self, executor: Executor, parts: Any, buffers: Any) -> list[Floats]:
        """The matrix, row by row."""
        n = self._count
        rows = [executor.run([*parts, unit])[0] for unit in np.eye(n)]
        return [np.array(rows).reshape(n, n)]

    def shapes(self, bulk: Bulk, sections: Sequence[Section]) -> list[tuple[int, ...]]:
        """Of the matrix."""
        return [(self._count, self._count)]

    def finish(self, results: Sequence[Any]) -> Tree:
        """The argument's shape, with the argument's shape in place of each number."""
        spec = self.inputs.specs[self.chosen[0]]
        if spec.shape is not None:
            return results[0].reshape(spec.shape * 2)
        return spec.rebuild_named([spec.gradient(r) for r in results[0]])


KINDS: dict[str, type[Gradient]] = {
    "grad": Gradient,
    "value_and_grad": ValueAndGradient,
    "hvp": HessianProduct,
    "hessian": Hessian,
}


def derivative_of(function: Any) -> Transform | None:
    """The transform of a function whose derivative is found on its bulk program."""
    transform = transform_of(function)
    return transform if transform and transform.name in KINDS else None


def chosen_of(function: Any, count: int) -> list[int]:
    """The places of the arguments that a gradient function differentiates."""
    transform = derivative_of(function)
    return check_argnums(transform.places, count) if transform else []


def derivative(function: Any, args: Sequence[Tree], strict: bool) -> Function:
    """What to compile of a function; with ``strict``, what it computes by itself."""
    transform = None if strict else derivative_of(function)
    if transform is None:
        return Function(function)
    return KINDS[transform.name](transform, args)


def _samples_first(tree: Tree) -> Tree:
    """Arrays that a mapped function returned, with the axis of the batch in front."""
    if isinstance(tree, np.ndarray):
        return np.moveaxis(tree, -1, 0) if tree.ndim > 1 else tree
    if isinstance(tree, dict):
        return {key: _samples_first(part) for key, part in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)([_samples_first(part) for part in tree])
    return tree


# -- second order --------------------------------------------------------------------


def _along(first: Bulk, wrt: Ints, direction: Ints) -> Bulk:
    """From a program that returns a value and its gradient, with the positions of a
    direction among its inputs: one that returns them, and Hessian times direction."""
    n = len(wrt)
    if len(direction) != n:
        raise ShapeError(f"{n} numbers and a direction of {len(direction)}")
    writer = Writer(first)
    target = writer.room(1)
    starts = np.array([0, n])
    terms = Terms(1, starts, (first.outputs[1:], direction))
    writer.operations.append(SumOfProducts(target, [terms]))
    return adjoint(writer.finished(target), target, [1.0], wrt)


def _with_more_inputs(bulk: Bulk, count: int) -> Bulk:
    """The program with ``count`` inputs behind the others, which nothing reads."""

    def moved(x: Ints) -> Ints:
        return np.where(x >= bulk.inputs, x + count, x)

    operations = [
        replace(with_reads(operation, moved), target=moved(operation.target))
        for operation in bulk.operations
    ]
    start = bulk.inputs
    return replace(
        bulk,
        operations=operations,
        size=bulk.size + count,
        inputs=start + count,
        constants={place + count: x for place, x in bulk.constants.items()},
        outputs=moved(bulk.outputs),
        batched=np.insert(bulk.batched, start, np.zeros(count, bool))
        if bulk.batch
        else bulk.batched,
    )
