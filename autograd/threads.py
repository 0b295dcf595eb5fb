"""Threads: work spread over several, work apart from signals, and a lock for both.

``process_lock`` guards what the whole process shares. A signal handler runs in the
middle of whatever the main thread does, its critical sections included: a lock that
it holds already must let it in. A child of ``fork`` has one thread, and a lock that
another thread held would stay locked for ever: so who forks waits for the lock, and
child and parent release it.

``spread``: all helpers have ended when the call ends. Helpers write into memory that
the caller owns. So the caller must not go on while one of them still writes: not even
when an interrupt ends its wait, and not when another interrupt comes while it waits
for them to stop. Python has no such wait: signals are looked at between any two
instructions, and in every wait for a lock. But it looks at none in the middle of a
call of C. A helper works under a lock of its own; the last thing that ``spread``
does, whatever happened, is one call that takes all these locks. A helper that comes
too late finds its lock taken, or no work left, and leaves.

Signals are handled by the main thread alone, so that helpers are never interrupted.
``apart`` lets one do what must not stop halfway, nor be entered again by a handler:
imports, and calls of libraries that lock.

Source: CPython, *Python/ceval.c* (where the eval breaker is checked: at the start of
a function, at jumps backwards, and after calls) and ``pythread.h``.
"""

from __future__ import annotations

import ctypes
import os
import threading
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count as counter
from itertools import repeat
from queue import SimpleQueue
from typing import Any, TypeVar


def process_lock() -> Any:
    """A new lock, to be made once for each piece of state, when a module is imported.

    >>> lock = process_lock()
    >>> with lock, lock:
    ...     pass
    """
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire,
            after_in_parent=lock.release,
            after_in_child=lock.release,
        )
    return lock


T = TypeVar("T")


def _lock_function(name: str, result: type | None, *kinds: type) -> Callable[..., int]:
    """A function of CPython's locks; while it runs, other threads do."""
    call: Callable[..., int] = ctypes.CFUNCTYPE(result, *kinds)(
        (f"PyThread_{name}", ctypes.pythonapi)
    )
    return call


_allocate = _lock_function("allocate_lock", ctypes.c_void_p)
_acquire = _lock_function("acquire_lock", ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_release = _lock_function("release_lock", None, ctypes.c_void_p)
NOW, WAIT = 0, 1
# Free locks, kept for later calls: a helper may come to its lock at any time after.
_idle: list[int] = []


class _Job:
    """Pieces of work, the next of which goes to whoever asks."""

    def __init__(self, work: Callable[[int], None], count: int) -> None:
        self.work, self.count, self.stopped = work, count, False
        self.next, self.ended = counter().__next__, counter(1).__next__
        self.reports: SimpleQueue[BaseException | None] = SimpleQueue()

    def run(self) -> None:
        """Do pieces as long as there are any; report the end of all."""
        while not self.stopped:
            k = self.next()
            if k >= self.count:
                return
            self.work(k)
            if self.ended() == self.count:
                self.reports.put(None)

    def help(self, lock: int) -> None:
        """The same in a thread of its own, where errors are reported as well."""
        if not _acquire(lock, NOW):  # the call is over
            return
        try:
            self.run()
        except BaseException as error:
            self.stopped = True
            self.reports.put(error)
        finally:
            _release(lock)


def apart(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, in a thread that no signal stops.

    An interrupt ends the wait for it, at once; the work goes on to its end.

    >>> apart(lambda: threading.current_thread() is threading.main_thread())
    False
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((work(), None))
        except BaseException as error:
            answers.put((None, error))

    try:
        threading.Thread(target=answer, name="autograd: apart").start()
    except RuntimeError:  # no more threads
        return work()
    found, error = answers.get()
    if error is not None:
        raise error
    result: T = found
    return result


def _a_lock() -> int:
    try:
        return _idle.pop()
    except IndexError:
        return _allocate()


def spread(work: Callable[[int], None], count: int, threads: int) -> None:
    """work(k) for every k below ``count``, by this thread and some helpers.

    No piece is under way when the call ends, be it by an error of a piece or by an
    interrupt; then some pieces are not done. Where threads cannot be started, this one
    does all the work.

    >>> done = [0] * 5
    >>> def work(k):
    ...     done[k] = k * k
    >>> spread(work, 5, threads=2)
    >>> done
    [0, 1, 4, 9, 16]
    """
    job = _Job(work, count)
    locks = [_a_lock() for _ in range(min(threads, count) - 1)]
    taken = map(_acquire, locks, repeat(WAIT))
    try:
        with suppress(RuntimeError):  # no more threads
            for lock in locks:
                start_new_thread(job.help, (lock,))
        job.run()
        error = job.reports.get() if count else None
        if error is not None:
            raise error
    finally:
        job.stopped = True
        deque(taken, 0)
    for lock in locks:
        _release(lock)
    _idle.extend(locks)
