"""Sums of products on numpy: matrix products, sums along axes, or gathered terms.

A part of a sum whose segments have one length and whose streams are affine is a
product of views, summed along the last axes. It is a matrix product where one factor
moves along rows only and the other along columns only:

    y[i, j] = sum over k of a[i, k] * b[k, j]     np.dot(a, b, y)
    y[i]    = sum over k of a[i, k] * b[i, k]     np.vecdot(a, b, y)

Parts with one number for each result are no copies: they are added where they lie. All
others are gathered, and summed by segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Floats, Terms
from autograd.compiler.bulk.nests import Nest
from autograd.compiler.numpy.memory import Do, Memory
from autograd.compiler.numpy.primitives import ZERO
from autograd.compiler.trace.program import Ints

_VECDOT: Any = getattr(np, "vecdot", None)  # numpy 2
_LONG = 1024  # numbers: a longer sum is one of pairs, which loses fewer digits
_LARGE = 4096  # numbers of an outer product
_FEW = 8  # numbers of a strided row that numpy adds as fast as BLAS
_ADDED = 4  # terms that are added one by one, faster than by a reduction
_SMALL = 1024  # numbers: additions in place, where numpy looks for overlaps, do not pay


def matrix_product(do: Do, nest: Nest, views: list[Floats], result: Floats) -> bool:
    """The product of two factors, if one moves along rows, the other along columns.

    The views have the loops of the nest and a last axis, which is summed.
    """
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
        _multiply(do, left, right.swapaxes(-1, -2), out)
        return True
    matrix, vector = (left, right) if rows else (right, left)
    if both:
        do(np.matmul, matrix, vector[..., np.newaxis], out[..., np.newaxis])
    else:
        _multiply(do, matrix, vector, out)
    return True


def _multiply(do: Do, left: Floats, right: Floats, out: Floats) -> None:
    """np.dot takes half the time to begin, and copies what is not in one piece."""
    if out.ndim == 2 and not out.flags.c_contiguous and out.flags.f_contiguous:
        left, right, out = right.T, left.T, out.T
    whole = left.ndim == 2 and left.flags.forc and right.flags.forc
    do(np.dot if whole and out.flags.c_contiguous else np.matmul, left, right, out)


def _products(do: Do, left: Floats, right: Floats, out: Floats) -> None:
    """out = left * right, arrays of one shape."""
    still = [(0 in x.strides) for x in (left, right)]
    if out.ndim == 2 and out.size >= _LARGE and all(still):
        do(np.einsum, "ij,ij->ij", left, right, out=out)  # a loop of its own for this
    else:
        do(np.multiply, left, right, out)


def _sums_along(do: Do, views: list[Floats], result: Floats) -> None:
    """Sums of the only view, or of the products of two, over the last axes."""
    trips = views[0].ndim - result.ndim
    if trips == 1 and result.size == 1:
        flat = [x[(0,) * result.ndim] for x in views]
        if len(flat) > 1 or len(flat[0]) <= _LONG:
            flat.append(np.ones(len(flat[0])))
            do(np.dot, *flat[:2], result.reshape(()))
            return
    if len(views) == 2 and trips == 1 and _VECDOT:
        do(_VECDOT, *views, result)
        return
    if len(views) == 2:
        names = "xy"[:trips]
        do(np.einsum, f"...{names},...{names}->...", *views, out=result)
        return
    (view,) = views
    strided = view.ndim == 2 and view.strides[0] == 8 < view.strides[1]
    if trips == 1 and strided and view.shape[1] > _FEW:
        _multiply(do, view, np.ones(view.shape[1]), result)
    else:
        do(np.add.reduce, view, tuple(range(-trips, 0)), None, result)


def mended(strong: int, left: Floats, right: Floats, out: Floats) -> None:
    """Sums of products in which an exact 0 wins, in the places where out is NaN."""
    if not np.isnan(out).any():
        return
    zero = (left == 0.0) | (right == 0.0) if strong == 2 else left == 0.0
    terms = np.where(zero, 0.0, left * right)
    sums = terms.sum(axis=tuple(range(out.ndim, terms.ndim)))
    np.copyto(out, sums, where=np.isnan(out))


def _length(part: Terms) -> int:
    """How many terms each segment has, or 0 where they differ."""
    counts = part.counts
    k = int(counts[0]) if len(counts) else 0
    return k if bool((counts == k).all()) else 0


def _plain(part: Terms) -> bool:
    """Whether the part is one number for each result."""
    return not (part.is_product or part.over_batch) and _length(part) == 1


def _are_equal(x: Terms, y: Terms) -> bool:
    """Whether two parts are the same products, as those of a square's slope are."""
    if not (x.is_product and y.is_product and x.strong == y.strong):
        return False
    pairs = [(x.offsets, y.offsets), *zip(x.factors, y.factors, strict=True)]
    return all(np.array_equal(a, b) for a, b in pairs)


class Sums:
    """Appends the steps of sums to those of a memory."""

    def __init__(self, memory: Memory) -> None:
        self.memory, self.layout, self._do = memory, memory.layout, memory.do

    def write(self, target: Ints, parts: Sequence[Terms], batched: bool) -> None:
        """target = the sum of all parts."""
        alone = len(parts) == 1 and parts[0].sign > 0
        if alone and self._at_once(parts[0], target, batched):
            return
        result = self.memory.block(target)
        if parts:
            self._added(parts, result, batched)
        else:
            self._do(np.copyto, result, ZERO)
        self.memory.store(target, result)

    def _at_once(self, part: Terms, target: Ints, batched: bool) -> bool:
        """Write the only part to the places of its results, if they are regular."""
        k = _length(part)
        if k != 1 or part.over_batch:
            return k > 0 and self._product(part, k, batched, target=target)
        views = self.memory.together([*part.factors, target], batched)
        if views is None:
            return False
        if part.is_product:
            _products(self._do, *views)
            self._mend(part, views[:2], views[2])
        else:
            self._do(np.copyto, views[1], views[0])
        return True

    def _added(self, parts: Sequence[Terms], result: Floats, batched: bool) -> None:
        """The first part, then one addition for each of the others."""
        positive = [part for part in parts if part.sign > 0]
        negative = [part for part in parts if part.sign < 0]
        if len(positive) == 2 and not negative and _are_equal(*positive):
            self._write(positive[0], result, batched)
            self._do(np.add, result, result, result)
            return
        waiting = sorted(positive, key=_plain)
        waiting += sorted(negative, key=_plain, reverse=True)
        total = self._first(waiting, result, batched)
        while waiting:
            part = waiting.pop(0)
            combine = np.add if part.sign > 0 else np.subtract
            operand = self._operand(part, result, batched)
            shape = total.shape if total.ndim > 1 else operand.shape
            out = self._room(result, waiting)
            operands = total.reshape(shape), operand.reshape(shape)
            self._do(combine, *operands, out.reshape(shape))
            total = out

    def _room(self, result: Floats, waiting: list[Terms]) -> Floats:
        """Where a total goes that is not the last one."""
        small = len(result) <= _SMALL
        return np.empty(len(result)) if waiting and small else result

    def _first(self, waiting: list[Terms], result: Floats, batched: bool) -> Floats:
        """What the total begins with; x + y and x - y are one call."""
        first = waiting.pop(0)
        if first.sign < 0:
            negated = np.empty(len(result))
            self._write(first, negated, batched)
            out = self._room(result, waiting)
            self._do(np.negative, negated, out)
            return out
        if not _plain(first) or not waiting:
            out = self._room(result, waiting)
            self._write(first, out, batched)
            return out
        if not _plain(waiting[0]):
            return self._operand(first, result, batched)
        second = waiting.pop(0)
        x, y = self.memory.operands([*first.factors, *second.factors], batched)
        out = self._room(result, waiting)
        combine = np.add if second.sign > 0 else np.subtract
        self._do(combine, x, y, out.reshape(np.broadcast_shapes(x.shape, y.shape)))
        return out

    def _operand(self, part: Terms, result: Floats, batched: bool) -> Floats:
        """A part where it lies, or in a buffer."""
        if _plain(part):
            return self.memory.operands(part.factors, batched)[0]
        buffer = np.empty(len(result))
        self._write(part, buffer, batched)
        return buffer

    def _write(self, part: Terms, out: Floats, batched: bool) -> None:
        """The sums of a part, without its sign, into a flat array."""
        k = _length(part)
        if k != 1 or part.over_batch:
            if not k or not self._product(part, k, batched, out=out):
                self._gathered(part, out, batched and not part.over_batch)
            return
        operands = self.memory.operands(part.factors, batched)
        out = out.reshape(np.broadcast_shapes(*[x.shape for x in operands]))
        if part.is_product:
            self._do(np.multiply, *operands, out)
            self._mend(part, operands, out)
        else:
            self._do(np.copyto, out, operands[0])

    def _mend(self, part: Terms, factors: Sequence[Floats], out: Floats) -> None:
        """What guarded products, summed along the last axes, are where a plain one
        has made a NaN."""
        if part.strong and part.is_product:
            self.memory.mend(mended, part.strong, *factors, out)

    # -- segments of one length whose streams are affine -----------------------------

    def _product(
        self,
        part: Terms,
        k: int,
        batched: bool,
        *,
        target: Ints | None = None,
        out: Floats | None = None,
    ) -> bool:
        """A matrix product, or dot products; into a flat array, or to positions."""
        streams = [x.reshape(-1, k) for x in part.factors]
        inner: list[tuple[int, ...]] = []
        for stream in streams:
            step = self.memory.inner_step(stream)
            if step is None:
                return False
            sample = self.layout.sample_step(stream[0])
            inner.append((step,) * (k > 1) + (sample,) * part.over_batch)
        trips = (k,) * (k > 1) + (self.layout.samples,) * part.over_batch
        firsts = [x[:, 0] for x in streams]
        both = self._nest(firsts, target, out, batched and not part.over_batch)
        if both is None:
            return False
        nest, result = both
        views = self.memory.views(nest.within(trips, np.array(inner)))
        shape = (*result.shape, *trips)
        two = len(trips) == 1 and len(views) == 2
        if not two or not matrix_product(self._do, nest, views, result):
            _sums_along(self._do, [x.reshape(shape) for x in views], result)
        self._mend(part, [x.reshape(shape) for x in views], result)
        return True

    def _nest(
        self,
        streams: list[Ints],
        target: Ints | None,
        out: Floats | None,
        batched: bool,
    ) -> tuple[Nest, Floats] | None:
        """The loops of the streams, and the results as an array of their shape."""
        nest = self.memory.nest(streams, batched)
        if not self.memory.shallow(nest):
            return None
        if out is not None:
            return nest, out.reshape(nest.counts or (1,))
        assert target is not None
        both = self.memory.nest([*streams, target], batched)
        if not self.memory.shallow(both) or len(both.counts) > len(nest.counts):
            return None
        own = Nest(both.counts, both.steps[-1:], both.bases[-1:])
        nest = Nest(both.counts, both.steps[:-1], both.bases[:-1])
        return nest, self.memory.views(own)[0]

    # -- all others ------------------------------------------------------------------

    def terms(self, part: Terms, order: Any, batched: bool) -> Floats:
        """The terms in an order, gathered."""
        factors = [self.memory.gathered(x[order], batched) for x in part.factors]
        if not part.is_product:
            return factors[0]
        products = np.empty_like(factors[0])
        self._do(np.multiply, *factors, products)
        self._mend(part, factors, products)
        return products

    def _gathered(self, part: Terms, out: Floats, batched: bool) -> None:
        full = part.counts > 0
        starts, k = part.offsets[:-1][full], _length(part)
        if not len(starts):
            self._do(np.copyto, out, ZERO)
            return
        if 0 < k <= len(full) and not part.over_batch:  # term by term, all segments
            order = np.arange(len(part)).reshape(-1, k).T.ravel()
            terms = self.terms(part, order, batched)
            self._term_by_term(terms.reshape(k, -1), out)
            return
        if len(full) == 1 and 0 < k <= _SMALL and not (batched or part.over_batch):
            left = self.terms(part, slice(None), False)
            self._do(np.dot, left, np.ones(k), out.reshape(()))
            return
        terms = self.terms(part, slice(None), batched or part.over_batch)
        if part.over_batch:
            totals = np.empty(len(terms))
            self._do(np.add.reduce, terms.reshape(len(terms), -1), 1, None, totals)
            terms = totals
        out = out.reshape(len(full), *terms.shape[1:])
        if full.all():
            self._do(np.add.reduceat, terms, starts, 0, None, out)
            return
        some = np.empty((len(starts), *terms.shape[1:]))
        self._do(np.copyto, out, ZERO)
        self._do(np.add.reduceat, terms, starts, 0, None, some)
        self._do(_set, out, full, some)

    def _term_by_term(self, terms: Floats, out: Floats) -> None:
        """The sum of [term, result] over the terms."""
        if not 2 <= len(terms) <= _ADDED:
            self._do(np.add.reduce, terms, 0, None, out)
            return
        total = terms[0]
        for number, term in enumerate(terms[1:], 2):
            more = np.empty(len(out)) if number < len(terms) else out
            self._do(np.add, total, term, more)
            total = more


def _set(out: Floats, where: Any, values: Floats) -> None:
    out[where] = values
