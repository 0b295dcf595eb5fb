"""Text in pictures: numbers that stay short, and labels that stay text.

Graphviz reads ``{ | < > " \\`` in a record, ``& <`` in an HTML-like label and ``\\N``
in both as instructions; it refuses NUL and labels over 16,384 characters. Labels come
from users, so each kind of label has one function that makes any text safe for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite

_RECORD = {c: "\\" + c for c in '{}|<>"\\'} | {"&": "&amp;", "\n": "\\n"}
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "\\\\", "\n": "<br/>"}


def number(x: float) -> str:
    """Four significant digits: the one format of all numbers in a picture.

    >>> number(2.0), number(-1 / 3), number(1.5e-7), number(float("-inf"))
    ('2', '-0.3333', '1.5e-07', '-∞')
    """
    if not isfinite(x):
        return "NaN" if x != x else "∞" if x > 0 else "-∞"
    return f"{x + 0.0:.4g}"  # no sign before 0


def clip(text: str, width: int = 60, lines: int = 4) -> str:
    """The text, printable, cut to a few lines of a readable width.

    >>> clip("w" * 20_000, width=6)
    'wwwww…'
    """
    rows = text[: 2 * width * lines].replace("\r\n", "\n").split("\n")
    short = [row if len(row) <= width else row[: width - 1] + "…" for row in rows]
    if len(short) > lines:
        short[lines - 1 :] = ["…"]
    return "\n".join(["".join(map(_printable, row)) for row in short])


def _printable(c: str) -> str:
    """The character, or U+FFFD for controls, lone surrogates and noncharacters."""
    if c == "\t":
        return " "
    code = ord(c)
    control = code < 0x20 or 0x7F <= code < 0xA0
    nowhere = 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0
    last = code & 0xFFFE == 0xFFFE  # the last two of each plane
    return "\ufffd" if control or nowhere or last else c


def record(text: str) -> str:
    """Text for a field of a record-shaped node.

    >>> print(record('a|b "c"'))
    a\\|b \\"c\\"
    """
    text = "".join([_RECORD.get(c, c) for c in text])
    return re.sub(r"(?<=[^\x00-\x7f]) ", "&#32;", text)  # Graphviz 2 loses such spaces


def html(text: str) -> str:
    """Text for a cell of an HTML-like label.

    >>> print(html("a < b"))
    a &lt; b
    """
    return "".join([_HTML.get(c, c) for c in text])


def tooltip(lines: Iterable[str]) -> str:
    """Text that viewers show beside the pointer, in lines.

    >>> print(tooltip(["leaf a & b", "data 1.5"]))
    leaf a &amp; b\\ndata 1.5
    """
    shown = [clip(line, 200).replace("\n", " ") for line in lines]
    # Graphviz reads escapes twice in nodes, once in edges: a sign that looks the same
    escaped = [s.replace("&", "&amp;").replace("\\", "\u29f5") for s in shown]
    return "\\n".join(escaped)
