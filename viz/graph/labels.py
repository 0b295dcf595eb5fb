"""Text in pictures: numbers that stay short, and labels that stay text.

Graphviz reads ``{ | < > " \\`` in a record, ``& <`` in an HTML-like label and ``\\N``
in both as instructions; it refuses NUL and labels over 16,384 characters. Labels come
from users, so each kind of label has one function that makes any text safe for it.
"""

from __future__ import annotations

import re
from math import isfinite

_RECORD = {c: "\\" + c for c in '{}|<>"\\'} | {"&": "&amp;", "\n": "\\n"}
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "\\\\", "\n": "<br/>"}


def number(x: float) -> str:
    """Four decimals where they say enough, else four significant digits.

    >>> number(2.0), number(-1.5e-7), number(float("nan"))
    ('2.0000', '-1.500e-07', 'nan')
    """
    if x == 0.0 or 1e-3 <= abs(x) < 1e6 or not isfinite(x):
        return f"{x:.4f}"
    return f"{x:.3e}"


def constant(x: float) -> str:
    """A plain number that took part in an operation, as one would write it.

    >>> constant(2.0), constant(1 / 3)
    ('2', '0.3333')
    """
    return f"{x:.4g}"


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
    """The character, or U+FFFD where neither SVG nor UTF-8 has a place for it."""
    if c == "\t":
        return " "
    code = ord(c)
    control = code < 0x20 or 0x7F <= code < 0xA0
    nowhere = 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF)
    return "\ufffd" if control or nowhere else c


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
