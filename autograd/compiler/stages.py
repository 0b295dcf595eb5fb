"""The stages of a program with a batch: before the rows, the rows, and after them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autograd.compiler.bulk import Bulk, Operation, Sum, Terms
from autograd.compiler.rows import sums_rows

__all__ = ["is_wide", "one_pass", "parted", "stages"]


def one_pass(bulk: Bulk) -> bool:
    """Whether nothing that has lanes waits for a sum over the batch."""
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        waits = any(late[positions].any() for positions in operation.reads())
        if waits and is_wide(bulk, operation):
            return False
        late[operation.target] = waits or sums_rows(operation)
    return True


def is_wide(bulk: Bulk, operation: Operation) -> bool:
    """Whether the results of an operation have lanes."""
    return bool(bulk.has_lanes(operation.target[:1]).any())


def parted(bulk: Bulk) -> Bulk:
    """Sums over rows become operations of one part, which others add up."""
    operations: list[Operation] = []
    size, lanes = bulk.size, [bulk.lanes]
    for operation in bulk.operations:
        alone = isinstance(operation, Sum) and len(operation.terms) == 1
        if alone or not isinstance(operation, Sum) or not sums_rows(operation):
            operations.append(operation)
            continue
        n, parts = len(operation.target), []
        for part in operation.terms:
            if not part.over_rows:
                parts.append(part)
                continue
            target = np.arange(size, size + n)
            size += n
            lanes.append(np.zeros(n, bool))
            operations.append(Sum(target, [part]))
            parts.append(Terms(1, np.arange(n + 1), target))
        operations.append(Sum(operation.target, parts))
    return replace(bulk, operations=operations, size=size, lanes=np.concatenate(lanes))


def stages(bulk: Bulk) -> tuple[list[Operation], list[Operation], list[Operation]]:
    """Shared operations before the rows, those of the rows, and what waits for sums."""
    before: list[Operation] = []
    rows: list[Operation] = []
    after: list[Operation] = []
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        if is_wide(bulk, operation) or sums_rows(operation):
            rows.append(operation)
            late[operation.target] = sums_rows(operation)
        elif any(late[positions].any() for positions in operation.reads()):
            after.append(operation)
            late[operation.target] = True
        else:
            before.append(operation)
    return before, rows, after
