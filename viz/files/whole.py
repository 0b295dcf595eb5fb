"""Files that appear whole or not at all, and errors that name them."""

from __future__ import annotations

from pathlib import Path

from autograd.errors import RenderError
from nn.files import replace


def write(target: Path, content: bytes) -> None:
    """Put a whole file in its place, or raise RenderError."""
    try:
        replace(target, content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RenderError(f"cannot write {str(target)!r}: {reason}") from error
