"""Calls of kernels: sums of many terms, and reductions, matched to what they are.

A regular sum, target[i] = sum over k of left[..] right[..], is a nest of loops over the
segments with one step of k for each factor. It is

- a *product* of matrices where along some loop one factor stands still: that one is
  broadcast, the other loaded in lanes;
- *rows* of dot products where lanes run along k.

    y[i, j] = sum of a[i, k] b[k, j], k < m, j < n:
    by i and j the target moves by (n, 1), a by (m, 0), b by (0, 1): lanes run along j,
    where a stands still, and rows of register tiles along i, where b does

All else are ragged segments, by index tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograd.compiler.bulk.bulk import SegmentReduce, SumOfProducts, Terms
from autograd.compiler.bulk.nests import Nest
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.kernels.dense import strong_bits
from autograd.compiler.llvm.kernels.ragged import Slices
from autograd.compiler.llvm.loops.context import Context
from autograd.compiler.llvm.loops.elementwise import has_code
from autograd.compiler.trace.program import Ints
from autograd.numbers.gather import TAKE

_PACKED = 1 << 18  # numbers of a transposed copy, at most


def write_sum(context: Context, operation: SumOfProducts) -> None:
    """A sum of one form with many terms."""
    (part,) = operation.terms
    target, batched = operation.target, context.layout.is_batched(operation.target)
    shape = _regular(context, target, part, batched)
    if shape is not None and (_write_product(shape) or _write_rows(shape)):
        return
    assert not part.over_batch  # those are regular: samples lie a constant step apart
    if batched:
        kind = "sum"
        if part.is_product:
            second = context.layout.is_batched(_by_step(context, part)[1])
            kind = "dot" if second else "dot_shared"
        _write_batched(context, f"wide_{kind}", target, part)
    else:
        kind = "slices_dot" if part.is_product else "slices_sum"
        _write_slices(context, kind, target, part, context.cells.zero)


def write_reduce(context: Context, operation: SegmentReduce) -> bool:
    """A choice or a fold; False if there is no kernel for it."""
    name, target = operation.primitive.name, operation.target
    batched = context.layout.is_batched(target)
    if operation.primitive is TAKE and not batched:
        _write_take(context, operation)
        return True
    if not has_code(operation) or operation.has_gaps:
        return False
    part = Terms(1, operation.offsets, operation.groups[:1])
    if batched:
        _write_batched(context, f"wide_{name}", target, part)
    else:
        pad = context.cells.one if name == "prod" else None
        _write_slices(context, f"slices_{name}", target, part, pad)
    return True


# -- Regular sums --------------------------------------------------------------------


@dataclass(eq=False)
class _Regular:
    """A regular sum: a nest over (target, left, right), and the steps of its terms.

    A plain sum stands as a product with a right factor that does not move.
    """

    context: Context
    part: Terms
    nest: Nest
    terms: int
    steps: tuple[int, int]  # of the factors from term to term
    streams: list[Ints]

    @property
    def sign(self) -> str:
        return self.context.code.scalar.constant(float(self.part.sign))

    def strong(self, first: int) -> int:
        """%strong of a kernel whose first factor is the left one (0) or the right."""
        return strong_bits(self.part.strong, first)

    def around(
        self, inside: set[int | None], call: Callable[[list[Offset]], object]
    ) -> None:
        """The call inside the loops, and the table, that it does not run itself."""
        outer = [d for d in range(len(self.nest.counts)) if d not in inside]
        self.context.nest(self.nest, outer, self.streams, call)


def _regular(
    context: Context, target: Ints, part: Terms, batched: bool
) -> _Regular | None:
    layout, n = context.layout, len(target)
    k = len(part) // n if n else 0
    if not (part.counts == k).all() or (k < 2 and not part.over_batch):
        return None
    firsts, inner = [target], []
    for stream in part.factors:
        table = layout.address[stream].reshape(n, k)
        if part.over_batch:
            step = layout.sample_step(stream)
        else:
            step = int(table[0, 1] - table[0, 0])
        if not (table == table[:, :1] + step * np.arange(k)).all():
            return None
        firsts.append(stream[::k])
        inner.append(step)
    nest = context.nest_of(firsts, batched)
    if not part.is_product:
        still = np.zeros((1, len(nest.counts)), np.int64)
        steps = np.concatenate([nest.steps, still])
        bases = np.concatenate([nest.bases, 0 * nest.bases[:1]])
        nest = Nest(nest.counts, steps, bases)
        inner.append(0)
    terms = layout.samples if part.over_batch else k
    steps_of_terms = inner[0], inner[1]
    return _Regular(context, part, nest.limited(4), terms, steps_of_terms, firsts)


@dataclass(frozen=True)
class _Product:
    """A way to see a regular sum as a product of matrices.

    Attributes
    ----------
    lanes : the loop along which lanes run: one factor stands still.
    vector : the factor that moves there, 0 or 1; it is loaded, the other is broadcast.
    rows : the longest loop along which the vector factor stands still, if any.
    packed : whether the vector factor is copied, transposed, first.
    score : the larger, the better.
    """

    lanes: int
    vector: int
    rows: int | None
    packed: bool
    score: tuple[bool, bool, int, int]


def _products(shape: _Regular) -> list[_Product]:
    counts, steps, candidates = shape.nest.counts, shape.nest.steps, []
    for d, count in enumerate(counts):
        for vector in (0, 1)[: len(shape.part.factors)]:
            target, move, other = steps[[0, 1 + vector, 2 - vector], d].tolist()
            if other != 0 or move <= 0 or target == 0 or count < 2:
                continue
            rows = max(
                (e for e in range(len(counts)) if e != d and not steps[1 + vector, e]),
                key=lambda e: counts[e],
                default=None,
            )
            height = counts[rows] if rows is not None else 1
            packed = move != 1
            small = height >= 4 and count * shape.terms <= _PACKED
            if packed and not (small and shape.steps[vector] == 1):
                continue
            score = (not packed, target == 1, min(count, 16), height)
            candidates.append(_Product(d, vector, rows, packed, score))
    return candidates


def _write_product(shape: _Regular) -> bool:
    """out[i, j] = sum_k a[i, k] b[k, j]: j along lanes, i along rows of tiles."""
    product = max(_products(shape), key=lambda product: product.score, default=None)
    if product is None:
        return False
    context, code, nest = shape.context, shape.context.code, shape.nest
    vector, scalar = product.vector, 1 - product.vector
    nj, dj = nest.counts[product.lanes], int(nest.steps[0, product.lanes])
    ni, di, ai = 1, 0, 0
    if product.rows is not None:
        ni = nest.counts[product.rows]
        di, ai = nest.steps[[0, 1 + scalar], product.rows].tolist()
    one = code.at("%v", context.cells.one)

    def call(bases: list[Offset]) -> None:
        out = code.at("%v", bases[0])
        a = code.at("%v", bases[1 + scalar]) if shape.part.is_product else one
        b, bk = code.at("%v", bases[1 + vector]), shape.steps[vector]
        if product.packed:
            scratch = code.at("%v", context.scratch_for(nj * shape.terms))
            bj = int(nest.steps[1 + vector, product.lanes])
            context.call("pack", scratch, nj, b, bj, nj, shape.terms)
            b, bk = scratch, nj
        context.call(
            "product" if dj == 1 else "product_scattered",
            *(out, di, dj, a, ai, shape.steps[scalar], b, bk),
            *(ni, nj, shape.terms, shape.sign, shape.strong(scalar)),
        )

    shape.around({product.lanes, product.rows}, call)
    return True


def _write_rows(shape: _Regular) -> bool:
    """Lanes run along the terms: dot products of rows.

    Over the batch the terms may lie any steps apart.
    """
    is_product, over_batch = shape.part.is_product, shape.part.over_batch
    strided = shape.steps[0] != 1 or (is_product and shape.steps[1] != 1)
    if strided and not over_batch:
        return False
    context, code, nest = shape.context, shape.context.code, shape.nest
    best = max(
        range(len(nest.counts)),
        key=lambda d: (not strided and bool(nest.steps[2, d] == 0), nest.counts[d]),
        default=None,
    )
    n = nest.counts[best] if best is not None else 1
    dj, aj, bj = nest.steps[:, best].tolist() if best is not None else (1, 0, 0)
    kind = "rows_each" if bj != 0 else "rows_shared"
    if strided:
        kind = "rows_strided"
    elif not is_product:
        kind = "rows_of_sums"
    one = code.at("%v", context.cells.one) if strided else ""

    def call(bases: list[Offset]) -> None:
        out, a, b = [code.at("%v", base) for base in bases]
        b = one if strided and not is_product else b
        steps = list(shape.steps) if strided else []
        rows: list[Offset] = [out, dj, a, aj, b, bj, n, shape.terms, *steps]
        context.call(kind, *rows, shape.sign, shape.strong(0))

    shape.around({best}, call)
    return True


# -- Ragged segments -----------------------------------------------------------------


def _write_slices(
    context: Context, kind: str, target: Ints, part: Terms, pad: int | None
) -> None:
    """Segments side by side in lanes; see ``Slices``."""
    context.resident(target, *part.factors)
    address, code = context.layout.address, context.code
    slices = Slices(code.width, part.offsets)
    streams = [
        slices.entries(address[x], pad, context.cells.zero) for x in part.factors
    ]
    targets = slices.lanes(address[target], context.cells.sink)
    starts = [context.tables.add(x) for x in (slices.lengths, targets, *streams)]
    starts += starts[2:] * (not part.is_product)  # kernels take two streams
    pointers = [code.at("%t", start, "i32") for start in starts]
    sign = code.scalar.constant(float(part.sign))
    context.call(
        kind, "%v", *pointers, len(slices.lengths), sign, strong_bits(part.strong)
    )


def _by_step(context: Context, part: Terms) -> tuple[Ints, Ints]:
    """The factors, the one whose samples lie further apart first."""
    step, (left, right) = context.layout.sample_step, (part.factors * 2)[:2]
    return (right, left) if step(right) > step(left) else (left, right)


def _write_batched(context: Context, kind: str, target: Ints, part: Terms) -> None:
    """Segments of batched numbers: index by index, samples side by side in lanes."""
    layout, code = context.layout, context.code
    context.resident(target, *part.factors)
    left, right = _by_step(context, part)
    step = layout.sample_step(left)
    swapped = left is not part.factors[0]
    columns = [part.offsets, *[layout.address[x] for x in (target, left, right)]]
    pointers = context.table_pointers(columns)
    sign, strong = code.scalar.constant(float(part.sign)), part.strong
    kind += "_strided" * (step != 1)
    sizes = len(target), layout.samples, step
    context.call(kind, "%v", *pointers, *sizes, sign, strong_bits(strong, swapped))


def _write_take(context: Context, operation: SegmentReduce) -> None:
    """Candidates chosen by an index."""
    context.resident(operation.target, operation.groups[0])
    address, count = context.layout.address, len(operation.target)
    streams = [address[operation.target], address[operation.groups[0]]]
    pointers = context.table_pointers([operation.offsets, *streams])
    context.call("take", "%v", *pointers, pointers[-1], count, count)
