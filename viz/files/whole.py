"""Files of the format that their name asks for, which appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograd.errors import RenderError
from nn.files import replace


def format_of(target: Path, known: Iterable[str], kind: str = "a known format") -> str:
    """The format that a file's name asks for, or RenderError that lists those known.

    >>> format_of(Path("net.PNG"), ("png", "svg"))
    'png'
    """
    format = target.suffix[1:].lower()
    if format not in known:
        raise RenderError(
            f"{target.name!r} does not end in {kind}: use one of "
            f"{', '.join('.' + name for name in known)}"
        )
    return format


def write(target: Path, content: bytes) -> None:
    """Put a whole file in its place, or raise RenderError."""
    try:
        replace(target, content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RenderError(
            f"cannot write {str(target)!r}: {reason}; choose a path in a folder that "
            "exists and can be written to"
        ) from error
