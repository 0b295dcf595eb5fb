"""Streams: where the elements of an index array lie along an innermost loop."""

from __future__ import annotations

from autograd.compiler.code import Code, Offset

__all__ = ["Stream", "known"]


class Stream:
    """Places ``base + step * i`` of the memory, or by a table, ``base + table[i]``."""

    def __init__(self, base: Offset, step: int, table: int | None = None) -> None:
        self.base, self.step, self.table = base, step, table

    @property
    def fixed(self) -> bool:
        """Whether all elements are one."""
        return self.table is None and self.step == 0

    def load(self, code: Code, i: Offset, mask: str | None) -> str:
        """The numbers at i and behind it, one for each lane."""
        if self.fixed:
            return code.broadcast(code.at("%v", self.base))
        if self.table is None and self.step == 1:
            return code.load(code.at("%v", code.plus(self.base, i)), mask)
        return code.gather("%v", self._places(code, i, mask), mask)

    def store(self, code: Code, i: Offset, mask: str | None, value: str) -> None:
        """Write one number for each lane."""
        if self.table is None and self.step == 1:
            code.store(value, code.at("%v", code.plus(self.base, i)), mask)
        else:
            code.scatter(value, "%v", self._places(code, i, mask), mask)

    def _places(self, code: Code, i: Offset, mask: str | None) -> str:
        if self.table is not None:
            place = code.at("%t", code.plus(i, self.table), "i32")
            indices = code.load_indices(place, mask)
            if self.base == 0:
                return indices
            far = code.splat("i64", self.base)
            return code.emit(f"add <{code.width} x i64> {indices}, {far}")
        start = code.plus(self.base, code.times(i, self.step))
        return code.steps(start, self.step)


def known(i: str) -> Offset:
    """The counter of a loop that runs once is known: 0."""
    return 0 if i == "0" else i
