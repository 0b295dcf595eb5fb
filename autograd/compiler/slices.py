"""Irregular rows: index tables for the kernels that read by them."""

from __future__ import annotations

import numpy as np

from autograd.compiler.bulk import Reduce, Terms
from autograd.compiler.loops import Context
from autograd.compiler.program import Ints

__all__ = ["sliced", "write_slices", "write_take", "write_wide_rows"]


def write_take(context: Context, operation: Reduce) -> None:
    """Candidates chosen by an index."""
    context.resident(operation.target, operation.groups[0])
    address, code = context.layout.address, context.code
    columns = [
        operation.starts,
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
    dump: int,
    members: Ints | None = None,
) -> tuple[list[Ints], Ints, Ints]:
    """Rows sorted by length, ``width`` side by side, padded to the longest of them.

    Returns the lengths of the blocks, the targets of all lanes, and the entries of the
    streams: for each block, term by term, those of its lanes. ``pad`` is read where a
    row has no more terms; None repeats its first one. ``dump`` takes what belongs to
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
    targets = np.full(blocks * width, dump)
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
    left, right = part.left, part.right
    context.resident(target, left, left if right is None else right)
    address, code = context.layout.address, context.code
    streams = [address[left]] if right is None else [address[left], address[right]]
    zero, dump, starts = context.zero, context.dump, part.starts
    found, *_ = sliced(code.width, address[target], starts, streams, pad, zero, dump)
    where = [context.tables.add(entries) for entries in found]
    if right is None:
        where.append(where[2])
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
    left, right, strong = part.left, part.right, (0, 1, 3)[part.strong]
    context.resident(target, left, left if right is None else right)
    if right is not None and layout.lane_step(right) > layout.lane_step(left):
        left, right = right, left  # the longer step on the left
        strong = (0, 2, 3)[part.strong]
    if kind is None:
        kind = "wide_sum"
        if right is not None:
            kind = "wide_dot" if layout.wide(right) else "wide_dot_shared"
    if layout.lane_step(left) != 1:
        kind += "_strided"
    columns = [part.starts, layout.address[target], layout.address[left]]
    columns.append(layout.address[right] if right is not None else columns[2])
    pointers = [code.at("%t", tables.add(column), "i32") for column in columns]
    listed = ", ".join(f"ptr {pointer}" for pointer in pointers)
    context.call(
        kind,
        f"ptr %v, {listed}, i64 {len(target)}, i64 {layout.rows}, "
        f"i64 {layout.lane_step(left)}, double "
        f"{code.scalar.constant(float(part.sign))}, i64 {strong}",
    )
