"""Machine code on disk, so that the next process need not generate it again.

What is loaded is run, so that who can write a file here can run code: the directory is
a trust boundary (``docs/security.md``). It and its files belong to the user and nobody
else may write to them; files are opened without following links and without waiting,
and it is the open file that is asked. Otherwise there is no cache, and one warning.

A file is named by the SHA-256 of what it was made from (the text, the processor, its
features, LLVM's version) and begins with the SHA-256 of that and of its contents: a
truncated, stale or misnamed file is one that is not there. That is no signature. Files
are written aside and renamed, so that concurrent writers cannot meet. Whatever goes
wrong with the directory (read-only, full, missing) costs time only.

The directory is ``SCALAR_AUTOGRAD_CACHE``, or ``scalar-autograd`` below
``XDG_CACHE_HOME`` or ``~/.cache``; set the variable to an empty text for no cache.
Relative paths are ignored, as the XDG Base Directory Specification wants it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

LARGEST = 256 << 20  # bytes that are kept; the files used longest ago go first
SHARDS = 16  # folders, each with its share: only the one written to is pruned
MOST = 512  # files of a shard, so that pruning takes a time that does not grow
ABANDONED = 3600.0  # seconds after which a part belongs to a writer that was killed
_DIGEST = 32
_FLAGS = ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
_FLAGS_HERE = sum(getattr(os, name, 0) for name in _FLAGS)
_RELATIVE = {os.open, os.rename, os.unlink, os.stat} <= os.supports_dir_fd


class CacheWarning(UserWarning):
    """The cache of machine code is not used, and why."""


class _UnsafeError(OSError):
    """Others may write there, or it is not what it should be."""


def directory() -> Path | None:
    """Where files are kept; None for nowhere."""
    chosen = os.environ.get("SCALAR_AUTOGRAD_CACHE")
    if chosen:
        if not os.path.isabs(chosen):
            _warn(f"SCALAR_AUTOGRAD_CACHE={chosen!r} is no absolute path")
        return _absolute(chosen)
    if chosen is not None:
        return None
    base = _absolute(os.environ.get("XDG_CACHE_HOME", ""))
    if base is None:
        home = _absolute(os.path.expanduser("~"))
        base = None if home is None else home / ".cache"
    return None if base is None else base / "scalar-autograd"


def _absolute(text: str) -> Path | None:
    return Path(text) if os.path.isabs(text) else None


_warned: set[str] = set()


def _warn(reason: str) -> None:
    """Once in a process for each reason."""
    if reason not in _warned:
        _warned.add(reason)
        warnings.warn(f"no cache of machine code: {reason}", CacheWarning, stacklevel=3)


def load(key: str) -> bytes | None:
    """The object code that was saved under a key, if it is there and whole."""
    with _harmless(), _shard(key) as shard:
        name = _name(key)
        content = shard.contents(name)
        digest, code = content[:_DIGEST], content[_DIGEST:]
        if _digest(key, code) == digest:
            with contextlib.suppress(OSError):
                shard.do(os.utime, name)
            return code
    return None


def save(key: str, code: bytes) -> None:
    """Keep object code under a key; silently not, where that cannot be."""
    with _harmless(), _shard(key, make=True) as shard:
        if _DIGEST + len(code) <= _share():
            shard.put(_name(key), _digest(key, code) + code)
            shard.prune()


def _name(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()}.o"


def _digest(key: str, code: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + code).digest()


def _share() -> int:
    return LARGEST // SHARDS


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    """Whatever goes wrong with a disk ends the block, no more."""
    try:
        yield
    except _UnsafeError as error:
        _warn(str(error))
    except OSError:
        pass


@contextlib.contextmanager
def _shard(key: str, make: bool = False) -> Iterator[_Folder]:
    place = directory()
    if place is None:
        raise FileNotFoundError("there is no place for a cache")
    if make:
        place.parent.mkdir(parents=True, exist_ok=True)
    with _opened(str(place), None, make) as folder:
        number = int(_name(key)[:8], 16) % SHARDS
        with _opened(f"{number:02x}", folder, make) as shard:
            yield shard


@contextlib.contextmanager
def _opened(name: str, above: _Folder | None, make: bool) -> Iterator[_Folder]:
    """A folder, which no link leads to and nobody else may write to."""
    path = os.path.join(above.path, name) if above else name
    if make:
        with contextlib.suppress(FileExistsError):
            above.do(os.mkdir, name, 0o700) if above else os.mkdir(path, 0o700)
    if not _RELATIVE:  # Windows: what lies below a user's home is the user's
        yield _Folder(path, None)
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | _FLAGS_HERE
    try:
        number = above.do(os.open, name, flags) if above else os.open(path, flags)
    except OSError as error:
        if os.path.islink(path):
            raise _UnsafeError(f"{path} is a link") from error
        raise
    try:
        _refuse_strangers(os.fstat(number), path, stat.S_ISDIR)
        yield _Folder(path, number)
    finally:
        os.close(number)


def _refuse_strangers(
    status: os.stat_result, path: str, kind: Callable[[int], bool]
) -> None:
    """Raise unless it is of that kind, the user's, and nobody else may write to it."""
    if not kind(status.st_mode):
        raise _UnsafeError(f"{path} is not what belongs there: remove it")
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid != os.geteuid():
        raise _UnsafeError(
            f"{path} belongs to user {status.st_uid}, and this is {os.geteuid()}: "
            f"set SCALAR_AUTOGRAD_CACHE to a directory of your own"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(status.st_mode)
        raise _UnsafeError(
            f"others may write to {path} (mode {mode:o}): remove it, or, if you trust "
            f"what is there, chmod go-w"
        )


class _Folder:
    """An open folder; names are looked up in it, wherever its path leads by now."""

    def __init__(self, path: str, number: int | None) -> None:
        self.path, self.number = path, number

    def do(self, function: Callable[..., Any], name: str, *arguments: Any) -> Any:
        """A function of ``os`` applied to a name in the folder."""
        if self.number is None:
            return function(os.path.join(self.path, name), *arguments)
        return function(name, *arguments, dir_fd=self.number)

    def contents(self, name: str) -> bytes:
        """Of a regular file of the user's that is not larger than a share."""
        handle = self.do(os.open, name, os.O_RDONLY | _FLAGS_HERE)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            _refuse_strangers(status, os.path.join(self.path, name), stat.S_ISREG)
            size = status.st_size
            return file.read(size) if size <= _share() else b""

    def put(self, name: str, content: bytes) -> None:
        """A file that appears whole or not at all."""
        aside = f"{token_hex(8)}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS_HERE
        handle = self.do(os.open, aside, flags, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            self.replace(aside, name)
        except BaseException:
            with contextlib.suppress(OSError):
                self.do(os.unlink, aside)
            raise

    def replace(self, old: str, new: str) -> None:
        if self.number is None:
            os.replace(os.path.join(self.path, old), os.path.join(self.path, new))
        else:
            os.replace(old, new, src_dir_fd=self.number, dst_dir_fd=self.number)

    def prune(self) -> None:
        """Remove what was used longest ago beyond the share, and abandoned parts."""
        files, now = [], time.time()
        with os.scandir(self.path if self.number is None else self.number) as entries:
            for entry in entries:
                status = self.do(os.lstat, entry.name)
                if entry.name.endswith(".o"):
                    files.append((status.st_mtime, status.st_size, entry.name))
                elif now - status.st_mtime > ABANDONED:
                    self.do(os.unlink, entry.name)
        size = sum(length for _, length, _ in files)
        count = len(files)
        for _, length, name in sorted(files):
            if size <= _share() and count <= MOST:
                return
            with contextlib.suppress(OSError):
                self.do(os.unlink, name)
            size, count = size - length, count - 1
