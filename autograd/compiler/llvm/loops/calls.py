"""Calls of kernels: sums of many terms, and folds, matched to what they are.

A regular sum is a product of matrices where one factor stands still along the lanes,
rows of dot products where both run along the terms, and else a sum over slices of
irregular segments, by index tables.

    sum_k W[i, k] x[k] for 16 rows of 8:  nest (16, 8), W moves by (8, 1), x by (0, 1):
    rows that share a factor, one call of ``rows_shared``
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import SegmentReduce, SumOfProducts, Terms
from autograd.compiler.bulk.nests import Nest
from autograd.compiler.llvm.kernels.code import Offset
from autograd.compiler.llvm.loops.context import Context
from autograd.compiler.llvm.loops.elementwise import has_code
from autograd.compiler.trace.program import Ints
from autograd.numbers.gather import TAKE


def write_take(context: Context, operation: SegmentReduce) -> None:
    """Candidates chosen by an index."""
    context.resident(operation.target, operation.groups[0])
    address, code = context.layout.address, context.code
    columns = [
        operation.offsets,
        address[operation.target],
        address[operation.groups[0]],
    ]
    places = [code.at("%t", context.tables.add(column), "i32") for column in columns]
    listed = ", ".join(f"ptr {place}" for place in [*places, places[2]])
    count = len(operation.target)
    context.call("take", f"ptr %v, {listed}, i64 {count}, i64 {count}")


def sliced(
    width: int,
    target: Ints,
    starts: Ints,
    streams: list[Ints],
    pad: int | None,
    zero: int,
    sink: int,
    members: Ints | None = None,
) -> tuple[list[Ints], Ints, Ints]:
    """Rows sorted by length, ``width`` side by side, padded to the longest of them.

    Returns the lengths of the blocks, the targets of all lanes, and the entries of the
    streams: for each block, term by term, those of its lanes. ``pad`` is read where a
    row has no more terms; None repeats its first one. ``sink`` takes what belongs to
    no row, and ``zero`` is read for it. A block holds rows of one group: so many
    ``members`` each has, all rows are one by default. Also returned are the first block
    of each group and the first term of each block, with the ends.
    """
    lengths, n = np.diff(starts), len(target)
    members = np.array([n]) if members is None else members
    group = np.repeat(np.arange(len(members)), members)
    order = np.lexsort((-lengths, group))
    block = np.concatenate([[0], np.cumsum(-(-members // width))])
    skipped = block[:-1] * width - (np.cumsum(members) - members)
    place = np.empty(n, np.int64)  # of each row among the lanes of all blocks
    place[order] = np.arange(n) + skipped[group[order]]
    blocks = int(block[-1])
    longest = np.zeros(blocks, np.int64)
    leading = place % width == 0
    longest[place[leading] // width] = lengths[leading]
    offset = np.concatenate([[0], np.cumsum(longest)])
    first = offset[place // width] * width + place % width  # entry of each row
    row = np.repeat(np.arange(n), lengths)
    entry = first[row] + (np.arange(len(row)) - starts[row]) * width
    targets = np.full(blocks * width, sink)
    targets[place] = target
    found = [longest, targets]
    for stream in streams:
        if pad is None:
            lead = np.full(blocks * width, zero)
            lead[place] = stream[starts[:-1]]
            filled = np.repeat(lead.reshape(blocks, width), longest, axis=0).ravel()
        else:
            filled = np.full(int(offset[-1]) * width, pad)
        filled[entry] = stream
        found.append(filled)
    return found, block, offset


def write_slices(
    context: Context, kind: str, target: Ints, part: Terms, pad: int | None
) -> None:
    """Irregular rows, by tables."""
    context.resident(target, *part.factors)
    address, code = context.layout.address, context.code
    streams = [address[x] for x in part.factors]
    zero, sink, starts = context.zero, context.sink, part.offsets
    found, *_ = sliced(code.width, address[target], starts, streams, pad, zero, sink)
    where = [context.tables.add(entries) for entries in found]
    where += where[2:] * (not part.is_product)  # kernels take two streams
    pointers = [code.at("%t", start, "i32") for start in where]
    listed = ", ".join(f"ptr {pointer}" for pointer in pointers)
    context.call(
        kind,
        f"ptr %v, {listed}, i64 {len(found[0])}, double "
        f"{code.scalar.constant(float(part.sign))}, i64 {(0, 1, 3)[part.strong]}",
    )


def write_wide_rows(
    context: Context, target: Ints, part: Terms, kind: str | None = None
) -> None:
    """Irregular rows of numbers with lanes: index by index, lanes side by side."""
    layout, code, tables = context.layout, context.code, context.tables
    left, right = part.factors[0], part.factors[-1]  # kernels take two streams
    strong = (0, 1, 3)[part.strong]
    context.resident(target, left, right)
    if layout.sample_step(right) > layout.sample_step(left):
        left, right = right, left  # the longer step on the left
        strong = (0, 2, 3)[part.strong]
    if kind is None:
        kind = "wide_sum"
        if part.is_product:
            kind = "wide_dot" if layout.is_batched(right) else "wide_dot_shared"
    if layout.sample_step(left) != 1:
        kind += "_strided"
    columns = [part.offsets, *[layout.address[x] for x in (target, left, right)]]
    pointers = [code.at("%t", tables.add(column), "i32") for column in columns]
    listed = ", ".join(f"ptr {pointer}" for pointer in pointers)
    context.call(
        kind,
        f"ptr %v, {listed}, i64 {len(target)}, i64 {layout.samples}, "
        f"i64 {layout.sample_step(left)}, double "
        f"{code.scalar.constant(float(part.sign))}, i64 {strong}",
    )


# -- Which kernel ----------------------------------------------------------------------

_PACKED = 1 << 18  # numbers of a transposed copy, at most


def write_sum(context: Context, operation: SumOfProducts) -> None:
    """A sum of one form with many terms."""
    (part,) = operation.terms
    batched = context.layout.is_batched(operation.target)
    shape = _regular(context, operation.target, part, batched)
    if shape is not None and (_as_product(context, shape) or _as_rows(context, shape)):
        return
    if part.over_batch:
        assert shape is not None  # rows lie a constant step apart
        _as_strided_rows(context, shape)
        return
    if batched:
        write_wide_rows(context, operation.target, part)
        return
    kind = "slices_dot" if part.is_product else "slices_sum"
    write_slices(context, kind, operation.target, part, context.zero)


def write_reduce(context: Context, operation: SegmentReduce) -> bool:
    """A fold by maximum, minimum or product; False if the row is none of them."""
    name = operation.primitive.name
    if operation.primitive is TAKE and not context.layout.is_batched(operation.target):
        write_take(context, operation)
        return True
    if not has_code(operation) or operation.has_gaps:
        return False
    group = operation.groups[0]
    own = Terms(1, operation.offsets, (group,))
    if context.layout.is_batched(operation.target):
        write_wide_rows(context, operation.target, own, f"wide_{name}")
        return True
    pad = context.one if name == "prod" else None
    write_slices(context, f"slices_{name}", operation.target, own, pad)
    return True


@dataclass(eq=False)
class _Shape:
    """A regular sum: a nest over (target, left, right) rows, and the steps of terms."""

    nest: Nest
    terms: int
    inner: tuple[int, int]
    plain: bool
    sign: int
    strong: int
    streams: list[Ints]

    def strength(self, first: int) -> int:
        """The argument %strong of a kernel whose first factor is the left (0) or not.

        Bit 0 is set where an exact 0 of its first factor wins, bit 1 for the second.
        """
        return (0, 1 + first, 3)[self.strong]


def _regular(
    context: Context, target: Ints, part: Terms, batched: bool
) -> _Shape | None:
    layout, n = context.layout, len(target)
    k = len(part) // n if n else 0
    if not (part.counts == k).all() or (k < 2 and not part.over_batch):
        return None
    firsts, inner = [target], []
    for stream in part.factors:
        table = layout.address[stream].reshape(n, k)
        step = (
            layout.sample_step(stream)
            if part.over_batch
            else int(table[0, 1] - table[0, 0])
        )
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
    how = not part.is_product, part.sign, part.strong
    return _Shape(nest.limited(4), terms, (inner[0], inner[1]), *how, firsts)


def _as_product(context: Context, shape: _Shape) -> bool:
    """Lanes run where one factor stands still: it is broadcast, the other loaded."""
    best = None
    for d, count in enumerate(shape.nest.counts):
        target, *moves = shape.nest.steps[:, d].tolist()
        for vector in (0, 1):
            if shape.plain and vector == 1:
                continue
            if moves[1 - vector] != 0 or moves[vector] == 0 or target == 0:
                continue
            rows = _row_loop(shape, d, vector)
            height = shape.nest.counts[rows] if rows is not None else 1
            packed = abs(moves[vector]) != 1
            if moves[vector] < 0 or (
                packed and not _may_pack(shape, vector, count, height)
            ):
                continue
            score = (not packed, target == 1, min(count, 16), height)
            if count >= 2 and (best is None or score > best[0]):
                best = score, d, vector, rows, packed
    if best is None:
        return False
    _, d, vector, rows, packed = best
    _product(context, shape, d, vector, rows, packed)
    return True


def _may_pack(shape: _Shape, vector: int, count: int, height: int) -> bool:
    unit = shape.inner[vector] == 1
    return unit and height >= 4 and count * shape.terms <= _PACKED


def _row_loop(shape: _Shape, lanes: int, vector: int) -> int | None:
    """The longest loop along which the vector factor stands still."""
    found = [
        d
        for d in range(len(shape.nest.counts))
        if d != lanes and shape.nest.steps[1 + vector, d] == 0
    ]
    return max(found, key=lambda d: shape.nest.counts[d], default=None)


def _product(
    context: Context, shape: _Shape, d: int, vector: int, rows: int | None, packed: bool
) -> None:
    nest, code = shape.nest, context.code
    steps = nest.steps
    scalar = 1 - vector
    ni = nest.counts[rows] if rows is not None else 1
    di = int(steps[0, rows]) if rows is not None else 0
    ai = int(steps[1 + scalar, rows]) if rows is not None else 0
    nj, dj = nest.counts[d], int(steps[0, d])
    name = "product" if dj == 1 else "product_scattered"
    ak, bk = shape.inner[scalar], shape.inner[vector]
    one = context.address(context.one)

    def call(bases: list[Offset]) -> None:
        out = code.at("%v", bases[0])
        a = one if shape.plain else code.at("%v", bases[1 + scalar])
        b, step = code.at("%v", bases[1 + vector]), bk
        if packed:
            copy = code.at("%v", context.scratch_room(nj * shape.terms))
            bj = int(steps[1 + vector, d])
            context.call(
                "pack",
                f"ptr {copy}, i64 {nj}, ptr {b}, i64 {bj}, i64 {nj}, i64 {shape.terms}",
            )
            b, step = copy, nj
        context.call(
            name,
            f"ptr {out}, i64 {di}, i64 {dj}, ptr {a}, i64 {ai}, i64 {ak}, ptr {b}, "
            f"i64 {step}, i64 {ni}, i64 {nj}, i64 {shape.terms}, "
            f"double {code.scalar.constant(float(shape.sign))}, "
            f"i64 {shape.strength(scalar)}",
        )

    _around(context, shape, {d, rows} - {None}, call)


def _as_rows(context: Context, shape: _Shape) -> bool:
    """Lanes run along the terms: dot products of rows."""
    if shape.inner[0] != 1 or (not shape.plain and shape.inner[1] != 1):
        return False
    nest, code = shape.nest, context.code
    best = max(
        range(len(nest.counts)),
        key=lambda d: (bool(nest.steps[2, d] == 0), nest.counts[d]),
        default=None,
    )
    n = nest.counts[best] if best is not None else 1
    dj, aj, bj = nest.steps[:, best].tolist() if best is not None else (1, 0, 0)
    kind = "rows_each" if bj != 0 else "rows_shared"
    if shape.plain:
        kind = "rows_of_sums"

    def call(bases: list[Offset]) -> None:
        out, a, b = [code.at("%v", base) for base in bases]
        context.call(
            kind,
            f"ptr {out}, i64 {dj}, ptr {a}, i64 {aj}, ptr {b}, i64 {bj}, i64 {n}, "
            f"i64 {shape.terms}, double {code.scalar.constant(float(shape.sign))}, "
            f"i64 {shape.strength(0)}",
        )

    _around(context, shape, {best} - {None}, call)
    return True


def _as_strided_rows(context: Context, shape: _Shape) -> None:
    """Dot products of rows whose numbers lie any steps apart."""
    nest, code = shape.nest, context.code
    best = max(range(len(nest.counts)), key=lambda d: nest.counts[d], default=None)
    n = nest.counts[best] if best is not None else 1
    dj, aj, bj = nest.steps[:, best].tolist() if best is not None else (1, 0, 0)
    one = context.address(context.one)

    def call(bases: list[Offset]) -> None:
        out, a, b = [code.at("%v", base) for base in bases]
        context.call(
            "rows_strided",
            f"ptr {out}, i64 {dj}, ptr {a}, i64 {aj}, ptr {one if shape.plain else b}, "
            f"i64 {bj}, i64 {n}, i64 {shape.terms}, i64 {shape.inner[0]}, "
            f"i64 {shape.inner[1]}, double {code.scalar.constant(float(shape.sign))}, "
            f"i64 {shape.strength(0)}",
        )

    _around(context, shape, {best} - {None}, call)


def _around(context: Context, shape: _Shape, taken: set[Any], call: Any) -> None:
    """The call inside the loops, and the table, that it does not run itself."""
    outer = [d for d in range(len(shape.nest.counts)) if d not in taken]
    context.nest(shape.nest, outer, shape.streams, call)
