"""The adjoints of rows of many operands: ragged, chosen by an index, or by columns."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from autograd.compiler.bulk import Reduce
from autograd.compiler.choices import read_by_all
from autograd.compiler.program import CODE, ROWS, Ints
from autograd.compiler.symbols import Block, Writer
from autograd.gather import TAKE, place_of
from autograd.primitives import equal

__all__ = ["RAGGED", "visit_reduce"]

# Rows whose partials are maps and sums over the operands, the same for each of them:
# their rules hold for one block of ragged operands in place of the sequence.
RAGGED = {ROWS[CODE[name]] for name in ("maximum", "minimum", "logsumexp")}


def visit_reduce(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """Push the shares of an operation to its operands; ``run`` is the reverse pass."""
    if operation.loop:  # one number for each step, operand by operand
        _columns(run, operation, cotangent)
    elif operation.row is TAKE:
        _take(run, operation, cotangent)
    elif operation.row in RAGGED:
        _ragged(run, operation, cotangent)
    else:
        _columns(run, operation, cotangent)


def _ragged(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """Maximum and its like: one block holds the operands of all rows."""
    rows, positions = operation.rows, operation.groups[0]
    kept = cotangent[rows] >= 0
    if not kept.all():
        used = np.flatnonzero(cotangent >= 0)
        lengths = operation.counts[used]
        rows, positions = np.repeat(np.arange(len(used)), lengths), positions[kept]
        result, cotangent = operation.target[used], cotangent[used]
    else:
        result = operation.target
    xs = [Block(run.writer, positions, rows)]
    (partial,) = operation.row.joint(xs, Block(run.writer, result))[0]
    seed = Block(run.writer, cotangent[rows], rows)
    run.share(operation.row, positions, seed, partial)


def _take(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """All candidates of all rows at once: the chosen one has partial 1.

    Which one that is, is found once for all rows with one index and length.
    """
    used = cotangent >= 0
    first = operation.starts[:-1][used]
    lengths = operation.counts[used] - 1
    widest = int(lengths.max()) + 1
    pairs, pair = np.unique(
        operation.groups[0][first] * widest + lengths, return_inverse=True
    )
    index, count = np.divmod(pairs, widest)
    hit = _hits(run.writer, index, count)
    row, along = _ragged_range(lengths)
    candidates = operation.groups[0][first[row] + 1 + along]
    chosen = (np.cumsum(count) - count)[pair[row]] + along  # which of the hits
    order = np.lexsort((row, chosen))  # side by side in memory, as the hits are
    hits, seeds = hit.positions[chosen[order]], cotangent[used][row[order]]
    pushed = np.empty_like(order)
    pushed[order] = run.writer.products(hits, seeds, strong=1)  # a hit is finite
    run.push(1, candidates, pushed, None, behind=True)
    if not run.guarded:
        for begin, end in zip(first + 1, first + 1 + lengths, strict=True):
            own = operation.groups[0][begin:end]
            common = read_by_all(run.bulk, run.owner, run.place, own)
            run.choices.reach(common, False)


def _hits(writer: Writer, index: Ints, count: Ints) -> Block:
    """For each index, whether it says 0, 1, ... count - 1, from either end."""
    whole = np.array([writer.constant(float(k)) for k in range(int(count.max()) + 1)])
    place: Any = place_of(Block(writer, index), Block(writer, whole[count]))
    row, along = _ragged_range(count)
    at = Block(writer, place.positions[row])
    return cast(Block, equal.apply((at, Block(writer, whole[along]))))


def _ragged_range(lengths: Ints) -> tuple[Ints, Ints]:
    """Row and place in the row of each item of rows of these lengths."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _columns(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """Any row of many operands: rows of one length together, operand by operand."""
    lengths = operation.counts
    for length in np.unique(lengths[cotangent >= 0]).tolist():
        used = np.flatnonzero((lengths == length) & (cotangent >= 0))
        first = operation.starts[used]
        columns = [
            [group[first + k] for k in range(length)] for group in operation.groups
        ]
        xs = [[Block(run.writer, x) for x in column] for column in columns]
        result = Block(run.writer, operation.target[used])
        seed = Block(run.writer, cotangent[used])
        partials = operation.row.joint(*xs, result)
        for column, row in zip(columns, partials, strict=True):
            for target, partial in zip(column, row, strict=True):
                run.share(operation.row, target, seed, partial)
