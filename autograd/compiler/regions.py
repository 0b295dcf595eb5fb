"""Regions: large arrays that a program reads and writes where they are.

An entry that is called with arrays need not copy them into the memory. It notes how
far each lies from its place there, and the program adds that to its addresses.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["of_arguments", "of_results"]

LARGE = 512  # numbers of an array that is worth it


def of_arguments(plan: Any) -> list[tuple[int, int]]:
    """(first input, count) of large arrays among the arguments of a plan."""
    found = []
    for number, source in enumerate(plan.sources):
        if source.kind not in ("numbers", "rows"):
            continue
        container = plan.containers[source.data]
        if container.shape is not None and container.count >= LARGE:
            found.append((int(plan.starts[number]), plan.count(source)))
    return found


def of_results(plan: Any) -> list[tuple[int, int]]:
    """(first position, count) of large results that lie side by side."""
    bulk, found = plan.bulk, []
    for begin, end, wide in plan.sections:
        positions = bulk.outputs[begin:end]
        size = (end - begin) * (bulk.batch if wide else 1)
        whole = not wide or (end - begin == 1 and bulk.has_lanes(positions).all())
        together = size >= LARGE and whole and bool((np.diff(positions) == 1).all())
        if together and positions[0] >= bulk.inputs:
            found.append((int(positions[0]), end - begin))
    return found
