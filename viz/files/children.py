"""Child processes that do not outlive the call that started them.

An exception, Ctrl-C among them, ends the child and what it started in turn: it leads a
process group of its own. SIGTERM and SIGHUP would end this process on the spot, and
leave the child and temporary files behind; while a child runs they unwind the call
first. Python lets the main thread alone handle signals; a handler of the program's own
stays in its place.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

_DEADLY = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]


class _Ended(BaseException):
    """This process was asked to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _leave(number: int, _: Any) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    raise _Ended(number)


@contextmanager
def orderly_end() -> Iterator[None]:
    """Let a signal that ends the process unwind this block first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [n for n in _DEADLY if n and signal.getsignal(n) is signal.SIG_DFL]
    try:
        for number in ours:
            signal.signal(number, _leave)
        yield
    except _Ended as ended:
        signal.signal(ended.number, signal.SIG_DFL)
        os.kill(os.getpid(), ended.number)
        raise SystemExit(128 + ended.number) from None  # the signal is blocked
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _held() -> Iterator[None]:
    """Signals wait until the block has ended: a child that was started has a name."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, *_DEADLY) if n}
    ours = {n: handler for n, handler in before.items() if callable(handler)}
    try:
        for number in ours:
            signal.signal(number, lambda number, _: waiting.append(number))
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
    for number in waiting:
        signal.raise_signal(number)


def run(
    command: Sequence[str], content: bytes, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """What a command makes of its input. Raises OSError if it cannot be started."""
    pipe, group, child = subprocess.PIPE, os.name == "posix", None
    try:
        with _held():
            child = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                start_new_session=group,
            )
        out, said = child.communicate(content)
    except BaseException:
        if child is not None:
            with suppress(OSError), child:  # which closes its pipes, and waits
                os.killpg(child.pid, signal.SIGKILL) if group else child.kill()
        raise
    return subprocess.CompletedProcess(command, child.returncode, out, said)
