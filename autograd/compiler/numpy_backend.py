"""The embedded backend: every bulk operation is one or a few calls of numpy.

Index arrays become views of the memory where they are affine (``nests``), gathers where
they are not. A sum of products becomes a matrix product where one factor varies along
rows only and the other along columns only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.arrays import NUMPY
from autograd.compiler.bulk import Bulk, Map, Operation, Reduce, Sum, Terms, runs_of
from autograd.compiler.layout import Layout, unmixed
from autograd.compiler.memory import MemoryMachine
from autograd.compiler.nests import Nest
from autograd.compiler.numpy_memory import DEEPEST, Floats, Memory
from autograd.compiler.numpy_rows import EXACT, FOLDS, take_rows
from autograd.compiler.numpy_steps import steps_of
from autograd.compiler.program import Ints
from autograd.gather import TAKE
from autograd.primitive import Primitive
from autograd.primitives import TABLE

__all__ = ["EXACT", "NumpyMachine"]


class NumpyMachine(MemoryMachine):
    """A bulk program with a memory of its own, ready to run (one thread at a time)."""

    def __init__(
        self, bulk: Bulk, strict: bool = False, numbers: Floats | None = None
    ) -> None:
        bulk = unmixed(bulk)
        self.layout, self.strict = Layout(bulk, bulk.batch), strict
        self._store = Memory(self.layout, numbers)
        self.memory, self._do = self._store.numbers, self._store.do
        for same in runs_of(bulk.operations):
            if same[0].loop:
                self._do(steps_of(self.layout, self.memory, same))
            else:
                self._operation(same[0])

    def _operation(self, operation: Operation) -> None:
        result = self._store.result(operation.target)
        wide = self.layout.wide(operation.target)
        if isinstance(operation, Map):
            self._map(operation.row, operation.operands, result, wide)
        elif isinstance(operation, Sum):
            self._sum(operation.terms, result, wide)
        else:
            self._reduce(operation, result, wide)
        self._store.store(operation.target, result)

    def run(self) -> None:
        """Compute everything from the inputs in the memory."""
        with np.errstate(all="ignore"):
            for step in self._store.steps:
                step()

    def _map(
        self, row: Primitive, streams: Sequence[Ints], result: Floats, wide: bool
    ) -> None:
        if not len(result):
            return
        operands = self._store.operands(streams, wide)
        out = result.reshape(np.broadcast_shapes(*[x.shape for x in operands]))
        function = NUMPY.get(row.name) if TABLE.get(row.name) is row else None
        if self.strict and row.name not in EXACT:
            function = None
        if isinstance(function, np.ufunc):
            self._do(function, *operands, out)
            return
        if function is None:  # the row's own evaluation, called for each element
            function = np.frompyfunc(row.evaluate, len(operands), 1)
        evaluate: Callable[..., Any] = function

        def step() -> None:
            out[...] = evaluate(*operands)

        self._do(step)

    # -- sums ------------------------------------------------------------------------

    def _sum(self, parts: Sequence[Terms], result: Floats, wide: bool) -> None:
        if not parts:
            self._do(result.fill, 0.0)
        if self.strict:
            for part in parts:
                self._in_order(part, result, wide)
            return
        if self._sum_of_two(parts, result, wide):
            return
        positive_first = sorted(parts, key=lambda part: part.sign < 0)
        for number, part in enumerate(positive_first):
            share = np.empty(len(result)) if number else result
            self._share(part, share, wide)
            if number:
                combine = np.add if part.sign > 0 else np.subtract
                self._do(combine, result, share, result)
            elif part.sign < 0:
                self._do(np.negative, result, result)

    def _in_order(self, part: Terms, result: Floats, wide: bool) -> None:
        """Terms added one after the other, as the eager engine does.

        A sum begins with 0, a dot product with the neutral -0.
        """
        terms = self._gathered_terms(part, wide or part.over_rows)
        first = -0.0 if part.right is not None else 0.0
        rows, starts, counts = part.rows, part.starts[:-1], part.counts
        out = result.reshape(len(counts), -1)
        along = np.arange(len(rows)) - starts[rows]
        slices = [np.flatnonzero(along == j) for j in range(int(counts.max(initial=0)))]

        def step() -> None:
            flat = terms.reshape(len(rows), -1)
            out[...] = np.where(counts > 0, first, 0.0)[:, np.newaxis]
            for chosen in slices:
                if not part.over_rows:
                    out[rows[chosen]] += flat[chosen]
                    continue
                for lane in range(flat.shape[1]):
                    out[rows[chosen], 0] += flat[chosen, lane]

        self._do(step)

    def _sum_of_two(self, parts: Sequence[Terms], result: Floats, wide: bool) -> bool:
        """x + y and x - y are one call."""
        n = len(parts[0].starts) - 1 if parts else 0
        if len(parts) != 2 or not n or any(part.over_rows for part in parts):
            return False
        plain = [p.right is None and len(p.left) == n for p in parts]
        if not all(plain) or not all((p.counts == 1).all() for p in parts):
            return False
        first, second = sorted(parts, key=lambda part: part.sign < 0)
        if first.sign < 0:
            return False
        row = TABLE["add"] if second.sign > 0 else TABLE["subtract"]
        self._map(row, [first.left, second.left], result, wide)
        return True

    def _share(self, part: Terms, out: Floats, wide: bool) -> None:
        """The sum of the terms of one form, without its sign."""
        counts = part.counts
        n, k = len(counts), int(counts[0]) if len(counts) else 0
        wide = wide and not part.over_rows
        if not (counts == k).all() or k == 0:
            self._ragged(part, out, wide)
        elif k == 1 and not part.over_rows and part.right is not None:
            self._map(TABLE["multiply"], [part.left, part.right], out, wide)
        elif k == 1 and not part.over_rows:
            (operand,) = self._store.operands([part.left], wide)
            target = out.reshape(operand.shape)
            self._do(np.copyto, target, operand)
        elif not self._product(part, n, k, out, wide):
            self._ragged(part, out, wide)

    def _product(self, part: Terms, n: int, k: int, out: Floats, wide: bool) -> bool:
        """Rows of k terms whose streams are affine: a matrix product, or einsum."""
        address = self.layout.address
        streams = [x.reshape(n, k) for x in (part.left, part.right) if x is not None]
        inner: list[tuple[int, ...]] = []
        for stream in streams:
            places = address[stream]
            step = int(places[0, 1] - places[0, 0]) if k > 1 else 0
            if not (places == places[:, :1] + step * np.arange(k)).all():
                return False
            lane = (self.layout.lane_step(stream[0]),) if part.over_rows else ()
            inner.append((step, *lane) if k > 1 else lane)
        trips = ((k,) if k > 1 else ()) + (
            (self.layout.rows,) if part.over_rows else ()
        )
        nest = self._store.nest([x[:, 0] for x in streams], wide)
        if not nest.affine or len(nest.counts) > DEEPEST:
            return False
        steps = np.concatenate([nest.steps, np.array(inner)], axis=1)
        views = self._store.views(Nest((*nest.counts, *trips), steps, nest.bases))
        result = out.reshape(nest.counts or (1,))
        shape = (*result.shape, *trips)
        axes = tuple(range(-len(trips), 0))
        if len(views) == 1:
            self._do(np.add.reduce, views[0].reshape(shape), axes, None, result)
        elif len(trips) > 1 or not self._matrix_product(nest, views, result):
            left, right = [x.reshape(shape) for x in views]
            names = "xy"[: len(trips)]
            form = f"...{names},...{names}->..."
            self._do(partial(np.einsum, form, left, right, out=result))
        return True

    def _matrix_product(self, nest: Nest, views: list[Floats], result: Floats) -> bool:
        moves = nest.steps != 0
        rows = np.flatnonzero(moves[0] & ~moves[1]).tolist()
        columns = np.flatnonzero(~moves[0] & moves[1]).tolist()
        if len(rows) > 1 or len(columns) > 1 or not (rows or columns):
            return False
        both = [i for i in range(len(nest.counts)) if i not in rows + columns]
        k = len(nest.counts)
        left = views[0].transpose(*both, *rows, *columns, k)
        right = views[1].transpose(*both, *columns, *rows, k)
        out = result.transpose(*both, *rows, *columns)
        # a factor has the same entries all along an axis on which it stands still
        left = left[..., 0, :] if columns else left
        right = right[..., 0, :] if rows else right
        if rows and columns:
            self._do(np.matmul, left, right.swapaxes(-1, -2), out)
        else:
            matrix, vector = (left, right) if rows else (right, left)
            self._do(np.matmul, matrix, vector[..., np.newaxis], out[..., np.newaxis])
        return True

    def _gathered_terms(self, part: Terms, wide: bool) -> Floats:
        terms = self._store.gathered(part.left, wide)
        if part.right is not None:
            self._do(np.multiply, terms, self._store.gathered(part.right, wide), terms)
        return terms

    def _ragged(self, part: Terms, out: Floats, wide: bool) -> None:
        full = part.counts > 0
        starts = part.starts[:-1][full]
        out = out.reshape(len(full), -1) if len(full) else out
        if not len(starts):
            self._do(out.fill, 0.0)
            return
        terms = self._gathered_terms(part, wide or part.over_rows)
        terms = terms.reshape(len(terms), -1)
        if part.over_rows:
            rows = np.empty((len(terms), 1))
            self._do(np.add.reduce, terms, 1, None, rows, True)
            terms = rows
        if full.all():
            self._do(np.add.reduceat, terms, starts, 0, None, out)
            return
        some = np.empty((len(starts), terms.shape[1]))
        self._do(out.fill, 0.0)
        self._do(np.add.reduceat, terms, starts, 0, None, some)
        self._do(out.__setitem__, full, some)

    def _reduce(self, operation: Reduce, out: Floats, wide: bool) -> None:
        row, starts = operation.row, operation.starts
        n = len(starts) - 1
        fold = FOLDS.get(row.name) if TABLE.get(row.name) is row else None
        groups = [self._store.gathered(group, wide) for group in operation.groups]
        groups = [group.reshape(len(group), -1) for group in groups]
        out = out.reshape(n, -1) if n else out
        if fold is not None and (np.diff(starts) > 0).all() and len(out):
            self._do(fold.reduceat, groups[0], starts[:-1], 0, None, out)
            return

        if row is TAKE and len(out):
            self._do(take_rows, groups[0], starts, out)
            return

        def step() -> None:
            for i, (a, b) in enumerate(pairwise(starts)):
                for lane in range(out.shape[1]):
                    operands = [tuple(group[a:b, lane].tolist()) for group in groups]
                    out[i, lane] = row.evaluate(*operands)

        self._do(step)
