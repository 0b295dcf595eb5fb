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
import numpy.typing as npt

from autograd.arrays import NUMPY
from autograd.compiler.bulk import Bulk, Map, Reduce, Sum, Terms
from autograd.compiler.nests import Nest, factor
from autograd.compiler.program import Ints
from autograd.primitive import Primitive
from autograd.primitives import TABLE

__all__ = ["EXACT", "NumpyMachine"]

Floats = npt.NDArray[np.float64]
_FOLDS: dict[str, Any] = {  # rows of many operands that are folds of a ufunc
    "maximum": np.maximum,
    "minimum": np.minimum,
    "prod": np.multiply,
}
# Rows that numpy evaluates with the very bits of the float evaluation.
EXACT = {
    *("add", "subtract", "multiply", "divide"),
    *("negative", "absolute", "sign", "floor"),
    *("ceil", "trunc", "sqrt", "where"),
    *("less", "less_equal", "greater", "greater_equal"),
    *("equal", "not_equal", "guarded_multiply", "relu"),
    *("step", "nonnegative", "one_minus_square"),
}
_DEEPEST = 4  # loops of a view; streams of more are gathered


class NumpyMachine:
    """A bulk program with a memory of its own, ready to run (one thread at a time)."""

    def __init__(self, bulk: Bulk, strict: bool = False) -> None:
        self.memory, self.strict = bulk.memory(), strict
        self.steps: list[Callable[[], Any]] = []
        for operation in bulk.operations:
            result = self._result(operation.target)
            if isinstance(operation, Map):
                self._map(operation.row, operation.operands, result)
            elif isinstance(operation, Sum):
                self._sum(operation.terms, result)
            else:
                self._reduce(operation, result)
            if result.base is None:
                self._do(self.memory.__setitem__, operation.target, result)

    def run(self) -> None:
        """Compute everything from the inputs in the memory."""
        with np.errstate(all="ignore"):
            for step in self.steps:
                step()

    def _do(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.steps.append(partial(function, *arguments))

    # -- streams ---------------------------------------------------------------------

    def _result(self, target: Ints) -> Floats:
        """The block of the memory where a result belongs, or a buffer."""
        n = len(target)
        if n and target[-1] - target[0] == n - 1 and (np.diff(target) == 1).all():
            return self.memory[target[0] : target[0] + n]
        return np.empty(n)

    def _views(self, nest: Nest) -> list[Floats]:
        """The streams of an affine nest, as views of the memory."""
        return [
            np.lib.stride_tricks.as_strided(
                self.memory[int(base) :],
                shape=nest.counts or (1,),
                strides=tuple([8 * int(step) for step in steps]) or (8,),
            )
            for base, steps in zip(nest.bases[:, 0], nest.steps, strict=True)
        ]

    def _operands(self, streams: Sequence[Ints]) -> list[Floats]:
        """Arrays of one shape for the operands of an elementwise operation."""
        nest = factor(streams)
        if nest.affine and len(nest.counts) <= _DEEPEST:
            return self._views(nest)
        flat = []
        for positions in streams:
            own = factor([positions])
            if own.affine and len(own.counts) < 2:
                flat += self._views(own)
            else:
                flat.append(self._gathered(positions))
        return flat

    def _gathered(self, positions: Ints) -> Floats:
        buffer = np.empty(len(positions))
        index = np.ascontiguousarray(positions)
        self._do(self.memory.take, index, None, buffer, "clip")  # bounds are verified
        return buffer

    # -- operations ------------------------------------------------------------------

    def _map(self, row: Primitive, streams: Sequence[Ints], result: Floats) -> None:
        if not len(result):
            return
        operands = self._operands(streams)
        out = result.reshape(operands[0].shape)
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

    def _sum(self, parts: Sequence[Terms], result: Floats) -> None:
        if not parts:
            self._do(result.fill, 0.0)
        if self.strict:
            for part in parts:
                self._in_order(part, result)
            return
        if self._sum_of_two(parts, result):
            return
        positive_first = sorted(parts, key=lambda part: part.sign < 0)
        for number, part in enumerate(positive_first):
            share = np.empty(len(result)) if number else result
            self._share(part, share)
            if number:
                combine = np.add if part.sign > 0 else np.subtract
                self._do(combine, result, share, result)
            elif part.sign < 0:
                self._do(np.negative, result, result)

    def _in_order(self, part: Terms, result: Floats) -> None:
        """Terms added one after the other, as the eager engine does.

        A sum begins with 0, a dot product with the neutral -0.
        """
        terms, rows, n = self._gathered(part.left), part.rows, len(result)
        if part.right is not None:
            self._do(np.multiply, terms, self._gathered(part.right), terms)

        def step() -> None:
            result[:] = np.bincount(rows, weights=terms, minlength=n)
            if part.right is not None and (result == 0.0).any():
                positive = np.bincount(rows, ~np.signbit(terms), minlength=n)
                result[(positive == 0) & (part.counts > 0)] = -0.0

        self._do(step)

    def _sum_of_two(self, parts: Sequence[Terms], result: Floats) -> bool:
        """x + y and x - y are one call."""
        n = len(result)
        if len(parts) != 2 or not n:
            return False
        plain = [p.right is None and len(p.left) == n for p in parts]
        if not all(plain) or not all((p.counts == 1).all() for p in parts):
            return False
        first, second = sorted(parts, key=lambda part: part.sign < 0)
        if first.sign < 0:
            return False
        operands = self._operands([first.left, second.left])
        combine = np.add if second.sign > 0 else np.subtract
        self._do(combine, *operands, result.reshape(operands[0].shape))
        return True

    def _share(self, part: Terms, out: Floats) -> None:
        """The sum of the terms of one form, without its sign."""
        counts = part.counts
        n, k = len(counts), int(counts[0]) if len(counts) else 0
        if not (counts == k).all() or k == 0:
            self._ragged(part, out)
        elif k == 1 and part.right is not None:
            self._map(TABLE["multiply"], [part.left, part.right], out)
        elif k == 1:
            (operand,) = self._operands([part.left])
            self._do(np.copyto, out.reshape(operand.shape), operand)
        elif not self._product(part, n, k, out):
            left = self._gathered(part.left).reshape(n, k)
            if part.right is None:
                self._do(np.add.reduce, left, 1, None, out)
            else:
                right = self._gathered(part.right).reshape(n, k)
                self._do(partial(np.einsum, "nk,nk->n", left, right, out=out))

    def _product(self, part: Terms, n: int, k: int, out: Floats) -> bool:
        """Rows of k terms whose streams are affine: a matrix product, or einsum."""
        streams = [x.reshape(n, k) for x in (part.left, part.right) if x is not None]
        inner = [int(x[0, 1] - x[0, 0]) for x in streams]
        along = np.arange(k)
        regular = all(
            (x == x[:, :1] + step * along).all()
            for x, step in zip(streams, inner, strict=True)
        )
        nest = factor([x[:, 0] for x in streams])
        if not regular or not nest.affine or len(nest.counts) > _DEEPEST:
            return False
        steps = np.concatenate([nest.steps, np.array(inner)[:, np.newaxis]], axis=1)
        views = self._views(Nest((*nest.counts, k), steps, nest.bases))
        result = out.reshape(nest.counts or (1,))
        if len(views) == 1:
            self._do(
                np.add.reduce, views[0].reshape(*result.shape, k), -1, None, result
            )
        elif not self._matrix_product(nest, views, result):
            left, right = [x.reshape(*result.shape, k) for x in views]
            self._do(partial(np.einsum, "...k,...k->...", left, right, out=result))
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

    def _ragged(self, part: Terms, out: Floats) -> None:
        full = part.counts > 0
        starts = part.starts[:-1][full]
        if not len(starts):
            self._do(out.fill, 0.0)
            return
        terms = self._gathered(part.left)
        if part.right is not None:
            self._do(np.multiply, terms, self._gathered(part.right), terms)
        if full.all():
            self._do(np.add.reduceat, terms, starts, 0, None, out)
            return
        some = np.empty(len(starts))
        self._do(out.fill, 0.0)
        self._do(np.add.reduceat, terms, starts, 0, None, some)
        self._do(out.__setitem__, full, some)

    def _reduce(self, operation: Reduce, out: Floats) -> None:
        row, starts = operation.row, operation.starts
        fold = _FOLDS.get(row.name) if TABLE.get(row.name) is row else None
        groups = [self._gathered(group) for group in operation.groups]
        if fold is not None and (np.diff(starts) > 0).all() and len(out):
            self._do(fold.reduceat, groups[0], starts[:-1], 0, None, out)
            return

        def step() -> None:
            for i, (a, b) in enumerate(pairwise(starts)):
                operands = [tuple(group[a:b].tolist()) for group in groups]
                out[i] = row.evaluate(*operands)

        self._do(step)
