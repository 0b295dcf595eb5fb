"""The adjoints of rows of many operands: ragged, chosen by an index, or by columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.bulk import Reduce
from autograd.compiler.program import CODE, ROWS, Ints
from autograd.compiler.symbols import Block
from autograd.gather import TAKE
from autograd.primitives import TABLE, equal

__all__ = ["RAGGED", "visit_reduce"]

# Rows whose partials are maps and sums over the operands, the same for each of them:
# their rules hold for one block of ragged operands in place of the sequence.
RAGGED = {ROWS[CODE[name]] for name in ("maximum", "minimum", "logsumexp")}


def visit_reduce(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """Push the shares of an operation to its operands; ``run`` is the reverse pass."""
    if operation.row is TAKE:
        _take(run, operation, cotangent)
    elif operation.row in RAGGED and not operation.loop:
        _ragged(run, operation, cotangent)
    else:
        _columns(run, operation, cotangent)


def _ragged(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """Maximum and its like: one block holds the operands of all rows."""
    rows, positions = operation.rows, operation.groups[0]
    kept = cotangent[rows] >= 0
    if not kept.all():
        used = np.flatnonzero(cotangent >= 0)
        lengths = np.diff(operation.starts)[used]
        rows, positions = np.repeat(np.arange(len(used)), lengths), positions[kept]
        result, cotangent = operation.target[used], cotangent[used]
    else:
        result = operation.target
    xs = [Block(run.writer, positions, rows)]
    (partial,) = operation.row.joint(xs, Block(run.writer, result))[0]
    seed = Block(run.writer, cotangent[rows], rows)
    run.share(operation.row, positions, seed, partial)


def _take(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """All candidates of all rows at once: the chosen one has partial 1."""
    first, lengths = operation.starts[:-1], np.diff(operation.starts) - 1
    rows = np.repeat(np.arange(len(first)), lengths)
    along = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    candidates = operation.groups[0][first[rows] + 1 + along]
    place = [run.writer.constant(float(k)) for k in range(int(lengths.max()))]
    index = Block(run.writer, operation.groups[0][first], rows)
    counted = Block(run.writer, np.array(place)[along], rows)
    length = np.array([run.writer.constant(float(k)) for k in lengths.tolist()])
    from_end = TABLE["subtract"].apply((counted, Block(run.writer, length, rows)))
    hit = equal.apply((index, counted)) + equal.apply((index, from_end))
    seed = Block(run.writer, cotangent, rows)
    chosen = TAKE.product(seed, hit)
    run.push(1, candidates, chosen.positions, None)


def _columns(run: Any, operation: Reduce, cotangent: Ints) -> None:
    """Any row of many operands: rows of one length together, operand by operand."""
    lengths = np.diff(operation.starts)
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
