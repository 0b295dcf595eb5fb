"""``out=``: results written into arrays that the caller holds.

Each array is compared with its part of the result (by place in lists, by key in dicts)
before anything is computed: its size, whether it can be written, and whether it shares
memory with another, which would be overwritten. Arguments may share memory with the
arrays: they are read first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from operator import is_
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.errors import ShapeError
from autograd.transforms.tree import flatten

Floats = npt.NDArray[np.float64]
FLOAT64 = np.dtype(np.float64)
Tree = Any
_WORK = 10_000  # for the question whether two arrays share memory


@dataclass(frozen=True)
class Room:
    """What a result, or a part of it, needs: an array, or one for each of its parts."""

    shape: tuple[int, ...] | None  # of one array for all; None where parts differ
    parts: dict[Any, Room]


_NUMBER = Room((), {})


def room_of(result: Tree) -> Room:
    """The room for a result like this one.

    >>> room_of([1.0, 2.0]).shape
    (2,)
    """
    if isinstance(result, dict):
        return Room(None, {key: room_of(part) for key, part in result.items()})
    if not isinstance(result, list | tuple):
        return Room(np.shape(result), {})
    parts = [_NUMBER if type(x) is float else room_of(x) for x in result]
    return Room(_stacked(parts), dict(enumerate(parts)))


def _stacked(parts: Sequence[Room]) -> tuple[int, ...] | None:
    first = parts[0].shape if parts else ()
    if first is None or any(part.shape != first for part in parts):
        return None
    return (len(parts), *first)


def matched(out: Tree, room: Room) -> list[Any]:
    """The arrays of ``out`` in the order of the result.

    Raises TypeError for what is no array of floats, and ShapeError where structure or
    sizes differ, for arrays that are read-only, and for those that share memory.
    """
    arrays: list[Any] = []
    _collect(out, room, "out", arrays)
    for k, array in enumerate(arrays):
        if any(_shared(array, other) for other in arrays[:k]) or _folded(array):
            raise ShapeError(
                f"array {k} of out= shares memory with another, or with itself, and "
                f"results would overwrite each other: give each an array of its own"
            )
    return arrays


def _are_neat(out: Tree, room: Room, sizes: Sequence[int]) -> bool:
    """Whether ``matched`` and ``buffers_of`` would pass on the arrays as they are.

    A quick look at what most calls give: one whole float64 array for each section.
    """
    if type(out) is np.ndarray and room.shape is not None:
        arrays: Any = (out,)
    elif type(out) in (tuple, list) and len(room.parts) == len(sizes):
        if room.shape is not None or 0 not in room.parts:
            return False
        arrays = out
    else:
        return False
    if len(arrays) != len(sizes):
        return False
    for x, size in zip(arrays, sizes, strict=True):
        neat = type(x) is np.ndarray and x.dtype is FLOAT64 and x.size == size
        if not (neat and x.flags.carray):
            return False
    if len(arrays) == 2:
        return not np.may_share_memory(*arrays)
    return len(arrays) == 1


def taken(out: Tree, room: Room, sizes: Sequence[int]) -> tuple[Any, Any]:
    """The arrays of ``out``, checked; and those of them that results go right into."""
    if _are_neat(out, room, sizes):
        arrays = [out] if type(out) is np.ndarray else list(out)
        return arrays, arrays
    arrays = matched(out, room)
    return arrays, buffers_of(arrays, sizes)


def _collect(out: Tree, room: Room, place: str, arrays: list[Any]) -> None:
    if isinstance(out, np.ndarray):
        _check(out, room, place)
        arrays.append(out)
        return
    if not isinstance(out, list | tuple | dict):
        raise TypeError(
            f"out= takes numpy arrays, got {type(out).__name__}: make one with "
            "numpy.empty"
        )
    named = out if isinstance(out, dict) else dict(enumerate(out))
    if named.keys() != room.parts.keys():
        raise ShapeError(
            f"{place} has parts {[*named]}, and the result there has {[*room.parts]}: "
            "give an array for each of these"
        )
    for key, part in room.parts.items():
        _collect(named[key], part, f"{place}[{key!r}]", arrays)


def _check(array: Any, room: Room, place: str) -> None:
    if room.shape is None:
        raise ShapeError(
            f"{place} is one array, and the result there has parts {[*room.parts]} of "
            f"different shapes: give an array for each"
        )
    if array.size != prod(room.shape):
        raise ShapeError(
            f"{place} has room for {array.size} number(s), and the result there has "
            f"{prod(room.shape)}, an array of shape {room.shape}: give one of that "
            "shape"
        )
    if not np.can_cast(FLOAT64, array.dtype, "same_kind"):
        raise TypeError(
            f"{place} is an array of {array.dtype}, which holds no floats: make it "
            "with dtype=float"
        )
    if not array.flags.writeable:
        raise ShapeError(f"{place} is read-only: give an array that can be written to")


def _shared(array: Any, other: Any) -> bool:
    """Whether two arrays have memory in common; what is hard to tell, has."""
    if not np.may_share_memory(array, other):
        return False
    try:
        return np.shares_memory(array, other, max_work=_WORK)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _folded(array: Any) -> bool:
    """Whether two places of an array may be one in memory."""
    if array.flags.contiguous or array.flags.f_contiguous:
        return False
    strides = zip(map(abs, array.strides), array.shape, strict=True)
    span = array.itemsize
    for stride, count in sorted([axis for axis in strides if axis[1] > 1]):
        if stride < span:
            return True
        span += stride * (count - 1)
    return False


def buffers_of(arrays: Sequence[Any], sizes: Sequence[int]) -> list[Floats | None]:
    """The arrays that results of these sizes can be written into."""
    if [array.size for array in arrays] != sizes:
        return [None] * len(sizes)
    return [
        array if array.dtype is FLOAT64 and array.flags.carray else None
        for array in arrays
    ]


def written(
    arrays: Sequence[Any],
    results: Sequence[Floats],
    finish: Callable[[Sequence[Floats]], Tree],
) -> None:
    """Copy results that are not there yet into arrays, one after the other.

    ``finish`` makes of them what the function returns, whose numbers fill arrays of
    other sizes in their order.
    """
    if len(arrays) == len(results) and all(map(is_, arrays, results)):
        return
    room = [array.size for array in arrays]
    if room != [result.size for result in results]:
        flat = np.array(flatten(finish(results))[0], float)
        results = np.split(flat, np.cumsum(room)[:-1])
    for array, result in zip(arrays, results, strict=True):
        if not np.may_share_memory(array, result):
            np.copyto(array, result.reshape(array.shape), casting="same_kind")
