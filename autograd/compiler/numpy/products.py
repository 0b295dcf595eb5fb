"""Products on numpy: of matrices by BLAS, and sums of products along the last axes.

Sums of terms on numpy: regular ones are products of views, others are gathered.

A sum of products becomes a matrix product where one factor varies along rows only and
the other along columns only. Parts that are a number for each result are no copies:
they are added where they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import Floats, Terms
from autograd.compiler.bulk.nests import Nest
from autograd.compiler.numpy.memory import Memory
from autograd.compiler.trace.program import Ints

_VECDOT: Any = getattr(np, "vecdot", None)  # numpy 2
_LONG = 1024  # numbers: a longer sum is one of pairs, which loses fewer digits
_LARGE = 4096  # numbers of an outer product
_FEW = 8  # numbers of a strided row that numpy adds as fast as BLAS

Do = Callable[..., None]


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


def products(do: Do, left: Floats, right: Floats, out: Floats) -> None:
    """out = left * right, arrays of one shape."""
    still = [(0 in x.strides) for x in (left, right)]
    if out.ndim == 2 and out.size >= _LARGE and all(still):
        do(np.einsum, "ij,ij->ij", left, right, out=out)  # a loop of its own for this
    else:
        do(np.multiply, left, right, out)


def sums_along(do: Do, views: list[Floats], result: Floats) -> None:
    """Sums of the only view, or of the products of two, over the last axes."""
    trips = views[0].ndim - result.ndim
    if trips == 1 and result.size == 1:
        rows = [x[(0,) * result.ndim] for x in views]
        if len(rows) > 1 or len(rows[0]) <= _LONG:
            rows.append(np.ones(len(rows[0])))
            do(np.dot, *rows[:2], result.reshape(()))
            return
    if len(views) == 1:
        _sums(do, views[0], trips, result)
    elif trips == 1 and _VECDOT:
        do(_VECDOT, *views, result)
    else:
        names = "xy"[:trips]
        do(np.einsum, f"...{names},...{names}->...", *views, out=result)


def _sums(do: Do, view: Floats, trips: int, result: Floats) -> None:
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


# -- Sums of terms on numpy: regular ones are products of views, others are

_ZERO = np.zeros(())
_ADDED = 4  # terms that are added one by one, faster than by a reduction
_SMALL = 1024  # numbers: additions in place, where numpy looks for overlaps, do not pay


def _length(part: Terms) -> int:
    """How many terms each row has, or 0 where they differ."""
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

    def __init__(self, store: Memory) -> None:
        self.store, self.layout, self._do = store, store.layout, store.do

    def write(self, target: Ints, parts: Sequence[Terms], wide: bool) -> None:
        """target = the sum of all parts."""
        if not len(target):
            return
        alone = len(parts) == 1 and parts[0].sign > 0
        if alone and self._at_once(parts[0], target, wide):
            return
        result = self.store.block(target)
        if parts:
            self._added(parts, result, wide)
        else:
            self._do(np.copyto, result, _ZERO)
        self.store.store(target, result)

    def _at_once(self, part: Terms, target: Ints, wide: bool) -> bool:
        """Write the only part to the places of its results, if they are regular."""
        k = _length(part)
        if k == 1 and not part.over_batch:
            views = self.store.together([*part.factors, target], wide)
            if views is None:
                return False
            if part.is_product:
                products(self._do, *views)
                self._mend(part, views[:2], views[2])
            else:
                self._do(np.copyto, views[1], views[0])
            return True
        return k > 0 and self._product(
            part, k, None, target, wide and not part.over_batch
        )

    def _added(self, parts: Sequence[Terms], result: Floats, wide: bool) -> None:
        """The first part, then one addition for each of the others."""
        positive = [part for part in parts if part.sign > 0]
        negative = [part for part in parts if part.sign < 0]
        waiting = sorted(positive, key=_plain) + sorted(
            negative, key=lambda x: -_plain(x)
        )
        if len(positive) == 2 and not negative and _are_equal(*positive):
            self._share(positive[0], result, wide)
            self._do(np.add, result, result, result)
            return
        total = self._first(waiting, result, wide)
        while waiting:
            part = waiting.pop(0)
            combine = np.add if part.sign > 0 else np.subtract
            operand = self._operand(part, result, wide)
            shape = total.shape if total.ndim > 1 else operand.shape
            out = self._room(result, waiting)
            operands = total.reshape(shape), operand.reshape(shape)
            self._do(combine, *operands, out.reshape(shape))
            total = out

    def _room(self, result: Floats, waiting: list[Terms]) -> Floats:
        """Where a total goes that is not the last one."""
        small = len(result) <= _SMALL
        return np.empty(len(result)) if waiting and small else result

    def _first(self, waiting: list[Terms], result: Floats, wide: bool) -> Floats:
        """What the total begins with; x + y and x - y are one call."""
        first = waiting.pop(0)
        if first.sign < 0:
            share = np.empty(len(result))
            self._share(first, share, wide)
            out = self._room(result, waiting)
            self._do(np.negative, share, out)
            return out
        if not _plain(first) or not waiting:
            out = self._room(result, waiting)
            self._share(first, out, wide)
            return out
        if not _plain(waiting[0]):
            return self._operand(first, result, wide)
        second = waiting.pop(0)
        x, y = self.store.operands([*first.factors, *second.factors], wide)
        out = self._room(result, waiting)
        combine = np.add if second.sign > 0 else np.subtract
        self._do(combine, x, y, out.reshape(np.broadcast_shapes(x.shape, y.shape)))
        return out

    def _operand(self, part: Terms, result: Floats, wide: bool) -> Floats:
        """A part where it lies, or in a buffer."""
        if _plain(part):
            return self.store.operands(part.factors, wide)[0]
        share = np.empty(len(result))
        self._share(part, share, wide)
        return share

    def _share(self, part: Terms, out: Floats, wide: bool) -> None:
        """The sum of the terms of one form, without its sign, into a flat array."""
        k, wide = _length(part), wide and not part.over_batch
        if k == 1 and not part.over_batch:
            operands = self.store.operands(part.factors, wide)
            target = out.reshape(np.broadcast_shapes(*[x.shape for x in operands]))
            if part.is_product:
                self._do(np.multiply, *operands, target)
                self._mend(part, operands, target)
            else:
                self._do(np.copyto, target, operands[0])
        elif not k or not self._product(part, k, out, None, wide):
            self._ragged(part, out, wide)

    # -- rows of one length whose streams are affine ---------------------------------

    def _product(
        self, part: Terms, k: int, out: Floats | None, target: Ints | None, wide: bool
    ) -> bool:
        """A matrix product, or dot products; into a flat array, or to positions."""
        streams = [x.reshape(-1, k) for x in part.factors]
        inner: list[tuple[int, ...]] = []
        for stream in streams:
            step = self.store.inner_step(stream)
            if step is None:
                return False
            lane = (self.layout.sample_step(stream[0]),) if part.over_batch else ()
            inner.append((step, *lane) if k > 1 else lane)
        over = (self.layout.samples,) if part.over_batch else ()
        trips = ((k,) if k > 1 else ()) + over
        found = self._nest([x[:, 0] for x in streams], out, target, wide)
        if found is None:
            return False
        nest, result = found
        steps = np.concatenate([nest.steps, np.array(inner)], axis=1)
        views = self.store.views(Nest((*nest.counts, *trips), steps, nest.bases))
        shape = (*result.shape, *trips)
        two = len(trips) == 1 and len(views) == 2
        if not two or not matrix_product(self._do, nest, views, result):
            sums_along(self._do, [x.reshape(shape) for x in views], result)
        self._mend(part, [x.reshape(shape) for x in views], result)
        return True

    def _mend(self, part: Terms, factors: Sequence[Floats], out: Floats) -> None:
        """What guarded products, summed along the last axes, are where a plain one
        has made a NaN."""
        if part.strong and part.is_product:
            self.store.mend(mended, part.strong, *factors, out)

    def _nest(
        self, streams: list[Ints], out: Floats | None, target: Ints | None, wide: bool
    ) -> tuple[Nest, Floats] | None:
        """The loops of the streams, and the results as an array of their shape."""
        nest = self.store.nest(streams, wide)
        if not self.store.shallow(nest):
            return None
        if out is not None:
            return nest, out.reshape(nest.counts or (1,))
        assert target is not None
        both = self.store.nest([*streams, target], wide)
        if not self.store.shallow(both) or len(both.counts) > len(nest.counts):
            return None
        n = len(streams)
        own = Nest(both.counts, both.steps[n:], both.bases[n:])
        nest = Nest(both.counts, both.steps[:n], both.bases[:n])
        return nest, self.store.views(own)[0]

    # -- all others ------------------------------------------------------------------

    def terms(self, part: Terms, order: Any, wide: bool) -> Floats:
        """The terms in an order, gathered."""
        factors = [self.store.gathered(x[order], wide) for x in part.factors]
        if not part.is_product:
            return factors[0]
        products = np.empty_like(factors[0])
        self._do(np.multiply, *factors, products)
        self._mend(part, factors, products)
        return products

    def _ragged(self, part: Terms, out: Floats, wide: bool) -> None:
        full = part.counts > 0
        starts, k = part.offsets[:-1][full], _length(part)
        if not len(starts):
            self._do(np.copyto, out, _ZERO)
            return
        if 0 < k <= len(full) and not part.over_batch:  # term by term, all rows
            order = np.arange(len(part)).reshape(-1, k).T.ravel()
            terms = self.terms(part, order, wide)
            self._term_by_term(terms.reshape(k, -1), out)
            return
        if len(full) == 1 and 0 < k <= _SMALL and not (wide or part.over_batch):
            left = self.terms(part, slice(None), False)
            self._do(np.dot, left, np.ones(k), out.reshape(()))
            return
        terms = self.terms(part, slice(None), wide or part.over_batch)
        if part.over_batch:
            rows = np.empty(len(terms))
            self._do(np.add.reduce, terms.reshape(len(terms), -1), 1, None, rows)
            terms = rows
        out = out.reshape(len(full), *terms.shape[1:])
        if full.all():
            self._do(np.add.reduceat, terms, starts, 0, None, out)
            return
        some = np.empty((len(starts), *terms.shape[1:]))
        self._do(np.copyto, out, _ZERO)
        self._do(np.add.reduceat, terms, starts, 0, None, some)
        self._do(_set, out, full, some)

    def _term_by_term(self, terms: Floats, out: Floats) -> None:
        """The sum of [term, row] over the terms."""
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
