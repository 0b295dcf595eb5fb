"""What a matrix of derivatives will cost, said before it is computed."""

from __future__ import annotations

import warnings

LARGE = 10**6  # derivatives: some ten seconds of the eager engine
_BYTES = 32  # a Python float in a list; an index in a set is not less


def announce(
    entries: int, passes: int, what: str, remedy: str, callers: int = 1
) -> bool:
    """Warn if so many derivatives, by so many passes, are many; whether they are.

    The warning is of the line that called the last of so many callers.
    """
    if entries <= LARGE:
        return False
    size = entries * _BYTES / 1e9
    warnings.warn(
        f"{what} {entries:,} derivatives by {passes:,} passes over the graph, about "
        f"{size:.2g} GB as Python objects, and minutes or more; {remedy}",
        RuntimeWarning,
        stacklevel=callers + 2,
    )
    return True
