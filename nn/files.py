"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from secrets import token_hex


def replace(path: Path, content: bytes) -> None:
    """Put a complete file in the place of the old one, in one step.

    The old one's mode stays. A link stays too: the file that it leads to is replaced.
    What is no regular file, such as ``/dev/stdout``, is written to instead. Raises
    OSError when the path cannot be written, ValueError when it is no path.
    """
    target = Path(os.path.realpath(path))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        target.write_bytes(content)
        return
    draft = target.with_name(f".{token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            if mode is not None:
                draft.chmod(stat.S_IMODE(mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
