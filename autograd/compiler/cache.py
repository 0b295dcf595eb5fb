"""Machine code on disk, so that the next process need not generate it again.

A file is named by the SHA-256 of what it was made from (the text, the processor, its
features, LLVM's version) and begins with the SHA-256 of that and of its contents: a
truncated, stale or misnamed file is one that is not there. Files are written aside and
renamed, so that concurrent writers cannot meet. Whatever goes wrong with the directory
(read-only, full, missing) costs time only.

The directory is ``SCALAR_AUTOGRAD_CACHE``, or ``scalar-autograd`` below
``XDG_CACHE_HOME`` or ``~/.cache``; set the variable to an empty text for no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

__all__ = ["LARGEST", "directory", "load", "save"]

LARGEST = 256 << 20  # bytes that are kept; the files used longest ago go first
_DIGEST = 32


def directory() -> Path | None:
    """Where files are kept; None for nowhere."""
    chosen = os.environ.get("SCALAR_AUTOGRAD_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "scalar-autograd"


def _path(key: str) -> Path | None:
    place = directory()
    name = hashlib.sha256(key.encode()).hexdigest()
    return None if place is None else place / f"{name}.o"


def _digest(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + code).digest()


def load(key: str) -> bytes | None:
    """The object code that was saved under a key, if it is there and whole."""
    with contextlib.suppress(OSError, RuntimeError):
        path = _path(key)
        if path is None:
            return None
        found = path.read_bytes()
        if _digest(key, found[_DIGEST:]) == found[:_DIGEST]:
            with contextlib.suppress(OSError):
                os.utime(path)
            return found[_DIGEST:]
    return None


def save(key: str, code: bytes) -> None:
    """Keep object code under a key; silently not, where that cannot be."""
    with contextlib.suppress(OSError, RuntimeError):
        path = _path(key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(key, code) + code)
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        _prune(path.parent)


def _prune(place: Path) -> None:
    files = [(f.stat().st_mtime, f.stat().st_size, f) for f in place.glob("*.o")]
    size = sum(length for _, length, _ in files)
    for _, length, file in sorted(files, key=lambda entry: entry[0]):
        if size <= LARGEST:
            return
        file.unlink(missing_ok=True)
        size -= length
