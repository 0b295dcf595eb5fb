"""Locks for what the whole process shares: re-entrant, and free in a forked child.

A signal handler runs in the middle of whatever the main thread does, its critical
sections included: a lock that it holds already must let it in. A child of ``fork`` has
one thread, and a lock that another thread held would stay locked for ever: so who forks
waits for the lock, and child and parent release it.
"""

from __future__ import annotations

import os
import threading
from typing import Any

__all__ = ["process_lock"]


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
