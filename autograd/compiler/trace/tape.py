"""The instructions of a trace as they are written: three lists.

``native/tracer.c`` has the same in C; which of them serves, ``tracer`` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class ListTape:
    """Codes of instructions, and two indices of operands for each.

    Attributes
    ----------
    count, limit : how many there are, and how many there may be.
    known : {number: index} of the numbers that were baked in.
    """

    limit: int

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}
        self.lists: tuple[list[int], list[int], list[int]] = [], [], []

    @property
    def count(self) -> int:
        """The number of instructions."""
        return len(self.lists[0])

    def append(self, code: int, first: int, second: int) -> int:
        """One more instruction; its index."""
        codes, firsts, seconds = self.lists
        index = len(codes)
        if index >= self.limit:
            self._make_room(1)
        codes.append(code)
        firsts.append(first)
        seconds.append(second)
        return index

    def extend(self, code: int, first: int, count: int) -> None:
        """So many instructions of one code, the first operands consecutive."""
        self._make_room(count)
        codes, firsts, seconds = self.lists
        codes += [code] * count
        firsts += range(first, first + count)
        seconds += [-1] * count

    def written(self) -> tuple[bytes, ...]:
        """Codes, first and second operands, as int64."""
        return tuple([np.array(x, np.int64).tobytes() for x in self.lists])

    def index(self, number: Any) -> int:
        """The index of a number; a trace says how."""
        raise NotImplementedError

    def _make_room(self, count: int) -> None:
        """Raise if so many instructions are too many; a trace says how."""
        raise NotImplementedError
