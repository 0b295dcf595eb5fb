"""Modes: switches that change what a new node does, for one thread at a time.

The hot path of every operation reads one process-wide count, ``MODES.active``. Only
while it is above zero does it ask the thread's own state: a mode costs nothing when
nobody uses one, and two threads cannot trip over each other's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd import graph
from autograd.locks import process_lock

__all__ = ["MODES", "no_grad", "observed"]


class _Modes(threading.local):
    """What the modes are in this thread; ``MODES.active`` counts over all threads."""

    recording = True
    observers: tuple[Callable[..., object], ...] = ()
    inspect: Callable[[list[Any]], None] | None = None  # after a backward sweep
    watch: Callable[..., None] | None = None  # for every share of a pullback
    depth = 0  # of modes that this thread is in


class _Count:
    __slots__ = ("active", "lock", "thread")

    def __init__(self) -> None:
        self.active = 0
        self.lock = process_lock()
        self.thread = _Modes()

    def change(self, by: int) -> None:
        with self.lock:
            self.active += by
            self.thread.depth += by

    def alone(self) -> None:
        """Other threads, whose modes were counted, do not exist in a forked child."""
        self.active = self.thread.depth


MODES = _Count()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MODES.alone)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute values without recording a graph, in this thread.

    Works as a context manager and as a decorator; nested use is fine. Results are
    leaves: they have data, and no operands to send a gradient to.

    >>> from autograd import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.operands
    ()
    """
    state = MODES.thread
    before = state.recording
    MODES.change(+1)
    try:
        state.recording = False
        yield
    finally:
        state.recording = before
        MODES.change(-1)


@contextmanager
def observed(observer: Callable[..., object]) -> Iterator[None]:
    """Call ``observer(node, primitive, operands)`` for what this thread makes."""
    state = MODES.thread
    before = state.observers
    MODES.change(+1)
    try:
        state.observers = (*before, observer)
        yield
    finally:
        state.observers = before
        MODES.change(-1)


def show(number: Any, primitive: Any, operands: Any) -> Any:
    """Let the observers see a number that was just made, and from what."""
    for observer in MODES.thread.observers:
        observer(number, primitive, operands)
    return number


def admit(node: Any) -> Any:
    """Show a new Value to the observers; without recording it becomes a leaf."""
    show(node, node._primitive, graph.operands(node))
    state = MODES.thread
    if not state.recording:
        node._primitive = node._first = node._second = node._x = node._y = None
    return node
