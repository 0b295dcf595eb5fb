"""The steps of a numpy machine as one Python function, which calls one after the other.

Large arrays need not be copied into the memory: where they are *regions*, the function
takes them as arguments, and makes its views of them anew at each call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.layout import Layout
from autograd.compiler.numpy_memory import Floats, Step

__all__ = ["Region", "function_of", "movable_regions", "regions_of"]

Region = tuple[int, int]  # addresses in the memory, begin to end
LARGE = 8192  # numbers that are worth more than a few views of them
_MANY = 4000  # steps that are too many for one function


def regions_of(layout: Layout, regions: Sequence[tuple[int, int]]) -> list[Region]:
    """The large ones without lanes, which lie in one piece."""
    found = []
    for first, count in regions:
        places = layout.address[first : first + count]
        shared = not layout.step[first : first + count].any()
        if count >= LARGE and shared and places[-1] - places[0] == count - 1:
            found.append((int(places[0]), int(places[-1]) + 1))
    return found


def movable_regions(
    steps: Sequence[Step], numbers: Floats, regions: Sequence[Region]
) -> list[Region]:
    """The regions that may lie elsewhere than in the memory."""
    if len(steps) > _MANY:
        return []
    code = _Code(numbers, regions)
    return [region for region in regions if code.movable(region, steps)]


def function_of(
    steps: Sequence[Step], numbers: Floats, regions: Sequence[Region]
) -> Callable[..., None]:
    """The steps as a function of arrays for movable regions.

    Called with fewer arrays, or None for some, it uses their places in the memory.
    """
    if len(steps) > _MANY:

        def run() -> None:
            for function, arguments, named in steps:
                function(*arguments, **named)

        return run
    code = _Code(numbers, regions)
    for step in steps:
        code.step(*step)
    return code.function()


class _Code:
    """The text of the function, and what its names stand for."""

    def __init__(self, numbers: Floats, regions: Sequence[Region]) -> None:
        self.numbers, self.regions = numbers, regions
        self.origin = _address(numbers)
        self.names: dict[str, Any] = {"array": np.ndarray}
        self.known: dict[Any, str] = {}
        self.lines: list[str] = []
        for k, (begin, end) in enumerate(regions):
            self.names[f"m{k}"] = numbers[begin:end]

    def function(self) -> Callable[..., None]:
        """Compile the text."""
        parameters = ", ".join(f"r{k}=None" for k in range(len(self.regions)))
        own = [
            f"  r{k} = m{k} if r{k} is None else r{k}" for k in range(len(self.regions))
        ]
        text = "\n".join([f"def run({parameters}):", *own, *self.lines, "  return"])
        exec(compile(text, "<steps of a numpy machine>", "exec"), self.names)
        run: Callable[..., None] = self.names["run"]
        return run

    def step(
        self, function: Any, arguments: Sequence[Any], named: dict[str, Any]
    ) -> None:
        """One call."""
        texts = [self._argument(x) for x in arguments]
        texts += [f"{name}={self._argument(x)}" for name, x in named.items()]
        self.lines.append(f"  {self._name(function)}({', '.join(texts)})")

    def _name(self, x: Any) -> str:
        name = self.known.setdefault(id(x), f"x{len(self.names)}")
        self.names[name] = x
        return name

    def _argument(self, x: Any) -> str:
        span = self.span(x)
        inside = [k for k, region in enumerate(self.regions) if _within(span, region)]
        if not inside:
            return self._name(x)
        (k,) = inside
        offset = _address(x) - self.origin - 8 * self.regions[k][0]
        view = f"array({x.shape}, float, r{k}, {offset}, {x.strides})"
        if view not in self.known:
            self.known[view] = f"v{len(self.known)}"
            self.lines.append(f"  {self.known[view]} = {view}")
        return self.known[view]

    def span(self, x: Any) -> Region | None:
        """Where in the memory an array begins and ends; None for those elsewhere."""
        if not isinstance(x, np.ndarray) or x.dtype != float or not x.size:
            return None
        moves = [(n - 1) * step for n, step in zip(x.shape, x.strides, strict=True)]
        first = _address(x) - self.origin
        low = first + sum(move for move in moves if move < 0)
        high = first + sum(move for move in moves if move > 0)
        if high < 0 or low >= 8 * len(self.numbers):
            return None
        return low // 8, high // 8 + 1

    def movable(self, region: Region, steps: Sequence[Step]) -> bool:
        """Whether every step reads and writes it by views of it alone."""
        for function, arguments, named in steps:
            if getattr(function, "__self__", None) is self.numbers:
                index = np.asarray(arguments[0])  # take, and __setitem__
                if ((index >= region[0]) & (index < region[1])).any():
                    return False
                continue
            spans = [self.span(x) for x in (*arguments, *named.values())]
            if not arguments or any(_crosses(span, region) for span in spans):
                return False
        return True


def _address(x: Floats) -> int:
    found: int = x.__array_interface__["data"][0]
    return found


def _within(span: Region | None, region: Region) -> bool:
    return span is not None and region[0] <= span[0] and span[1] <= region[1]


def _crosses(span: Region | None, region: Region) -> bool:
    """Whether an array lies in a region only in part."""
    meets = span is not None and span[0] < region[1] and region[0] < span[1]
    return meets and not _within(span, region)
