"""source_lines: which line of Python made each node.

Kept on the nodes that are made while the mode is on, for messages (``detect_anomaly``)
and for pages (``viz.explore``).
"""

from __future__ import annotations

import linecache
import os
import sys
from typing import Any, NamedTuple

import autograd
from autograd.graph.modes import Mode
from autograd.numbers.value import Value

_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(autograd.__file__)))
_OURS = tuple(os.path.join(_FOLDER, name, "") for name in ("autograd", "nn", "viz"))
_NAME = "_source_line"


class Line(NamedTuple):
    """A line of a file; ``str`` shows its code as well."""

    file: str
    number: int

    def __str__(self) -> str:
        code = linecache.getline(self.file, self.number).strip()
        return f"{self.file}:{self.number}" + (f": {code}" if code else "")


class source_lines(Mode):
    """Note for every node the line that makes it, in this thread.

    ``viz.explore`` shows the lines of a graph that was made in such a block.

    >>> from autograd import Value, source_lines
    >>> with source_lines():
    ...     y = Value(2.0) * Value(3.0)
    """

    def changes(self, state: Any) -> dict[str, Any]:
        """New nodes are looked at."""
        return {"observers": (*state.observers, _note)}


def _note(number: Any, primitive: Any, operands: Any) -> None:
    note_line(number)


def note_line(number: Any) -> Line:
    """The innermost line outside this library, noted on the node that it makes."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    line = Line(frame.f_code.co_filename, frame.f_lineno)
    if isinstance(number, Value):
        number.__dict__[_NAME] = line
    return line


def line_of(node: Any) -> Line | None:
    """The line that made a node, where it was noted."""
    found: Line | None = getattr(node, "__dict__", {}).get(_NAME)
    return found
