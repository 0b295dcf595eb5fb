"""Modes: switches that change what a new node does, for one thread at a time.

The hot path of every operation asks one process-wide dict, ``MODES.active``, whether it
is empty. Only while it is not does it ask for the thread's own state: a mode costs
nothing when nobody uses one, and two threads cannot trip over each other's.

An interrupt may come between any two instructions of Python, in ``__exit__`` too. So a
mode is on while a lock is held, and what leaves a ``with`` block is the lock's own
``__exit__``, one call of C: a mode is never left on. Whoever asks next forgets it.
"""

from __future__ import annotations

import os
import threading
from _thread import allocate_lock, get_ident
from collections.abc import Callable
from contextlib import ContextDecorator, suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from autograd.graph import nodes as graph


@dataclass(frozen=True)
class _State:
    """What the modes are in a thread."""

    recording: bool = True
    observers: tuple[Callable[..., object], ...] = ()
    inspect: Callable[[list[Any]], None] | None = None  # after a backward sweep
    watch: Callable[..., None] | None = None  # for every share of a pullback


_PLAIN = _State()


class _Entry:
    """A mode that a thread enters: on from its first moment to the lock's release."""

    __slots__ = ("lock", "on", "state", "thread")

    def __init__(self) -> None:
        self.lock, self.on, self.state = allocate_lock(), False, _PLAIN
        self.thread = get_ident()
        self.lock.acquire()


class _Own(threading.local):
    """The entries of this thread, the innermost last."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []


class _Modes:
    __slots__ = ("_own", "active")

    def __init__(self) -> None:
        self.active: dict[_Entry, None] = {}  # of all threads
        self._own = _Own()

    @property
    def thread(self) -> _State:
        """The state of this thread; entries that are over are forgotten.

        A signal handler that asks, too, may come in between any two steps.
        """
        entries = self._own.entries
        for entry in entries[::-1]:
            if entry.lock.locked():
                break
            with suppress(ValueError):  # forgotten in the meantime
                entries.remove(entry)
            self.active.pop(entry, None)
        for entry in entries[::-1]:
            if entry.on:
                return entry.state
        for entry in list(self.active):
            if not entry.lock.locked():
                self.active.pop(entry, None)
        return _PLAIN

    def add(self, entry: _Entry, **changes: Any) -> None:
        """One more entry of this thread, which is not on yet."""
        entry.state = replace(self.thread, **changes)
        self._own.entries.append(entry)
        self.active[entry] = None

    def alone(self) -> None:
        """Other threads, and their modes, do not exist in a forked child."""
        for entry in list(self.active):
            if entry.thread != get_ident():
                self.active.pop(entry, None)


MODES = _Modes()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MODES.alone)


class _Exit:
    """Gives the ``with`` statement, which asks before it enters, a lock's own exit."""

    def __get__(self, mode: Mode | None, kind: Any = None) -> Callable[..., None]:
        return self if mode is None else mode.current().lock.__exit__

    def __call__(self, mode: Mode, *details: Any) -> None:
        """Called by who asked the class, as ``contextlib.ExitStack`` does."""
        mode.current().lock.release()


class Mode(ContextDecorator):
    """A context manager and decorator that changes the state of this thread."""

    _entry: _Entry | None = None
    given: Any = None  # what ``with ... as`` gives

    def changes(self, state: _State) -> dict[str, Any]:
        """The fields of the state that change."""
        raise NotImplementedError

    def current(self) -> _Entry:
        """The entry that is on, or that will be."""
        if self._entry is None or not self._entry.lock.locked():
            self._entry = _Entry()
        return self._entry

    def _recreate_cm(self) -> Mode:
        """Each call of a decorated function enters anew, in any thread."""
        new = copy(self)
        new._entry = None
        return new

    def __enter__(self) -> Any:
        entry, given = self.current(), self.given
        if entry.on:
            name = type(self).__name__
            raise RuntimeError(f"this {name}() is entered already: make another one")
        MODES.add(entry, **self.changes(MODES.thread))
        entry.on = True  # the last step: before, it counts for nothing
        return given

    __exit__ = _Exit()


class no_grad(Mode):
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

    def changes(self, state: _State) -> dict[str, Any]:
        """Nothing is recorded."""
        return {"recording": False}


class observed(Mode):
    """Call ``observer(node, primitive, operands)`` for what this thread makes."""

    def __init__(self, observer: Callable[..., object]) -> None:
        self.observer = observer

    def changes(self, state: _State) -> dict[str, Any]:
        """One observer more."""
        return {"observers": (*state.observers, self.observer)}


def notify(number: Any, primitive: Any, operands: Any) -> Any:
    """Let the observers see a number that was just made, and from what."""
    for observer in MODES.thread.observers:
        observer(number, primitive, operands)
    return number


def finish_node(node: Any) -> Any:
    """Show a new Value to the observers; without recording it becomes a leaf."""
    state = MODES.thread
    for observer in state.observers:
        observer(node, node._primitive, graph.operands(node))
    if not state.recording:
        graph.attach(node, None, graph.UNRECORDED, ())
    return node
