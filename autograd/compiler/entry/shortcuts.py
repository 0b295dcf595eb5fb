"""Shortcuts: calls whose arguments are float64 arrays need not be looked at in full.

A shortcut takes the place of a compiled function's ``__call__``, sees whether a call is
exactly like the one that it was made for, and hands every other call to what was there
before. Native entries do the same in machine code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.plans.buffers import taken, written
from autograd.compiler.plans.plan import Plan
from autograd.compiler.trace.arguments import FLOAT64, is_array
from autograd.graph.modes import MODES

Tree = Any


def array_shortcut(
    plan: Plan, args: Sequence[Tree], fallback: Callable[..., Tree]
) -> Any:
    """Calls with arrays like these, to a plan; None where it takes more than that."""
    function, inputs = plan.function, plan.inputs
    if inputs.closed or not function.is_direct or not all(map(is_array, args)):
        return None
    shapes, sizes = [x.shape for x in args], plan.sizes
    executor, fresh = plan.executor, [None] * len(sizes)
    in_order = [(source.kind, source.data) for source in inputs.sources]
    as_given = in_order == [("numbers", place) for place in range(len(args))]

    def call(*args: Tree, out: Tree = None, **kwargs: Tree) -> Tree:
        if kwargs or MODES.active or len(args) != len(shapes):
            return fallback(*args, out=out, **kwargs)
        numbers = []
        for x, shape in zip(args, shapes, strict=True):
            neat = type(x) is np.ndarray and x.dtype is FLOAT64 and x.shape == shape
            if not (neat and x.flags.c_contiguous):
                return fallback(*args, out=out, **kwargs)
            numbers.append(x if len(shape) == 1 else x.reshape(-1))
        if not as_given:
            numbers = inputs.read(numbers)
        if out is None:
            return function.finish(executor.run(numbers, fresh))
        arrays, buffers = taken(out, plan.room, sizes)
        written(arrays, executor.run(numbers, buffers), function.finish)
        return out

    return staticmethod(call)


def outline(args: Sequence[Tree]) -> Any:
    """What tells most structures of arguments apart, at the cost of a glance."""
    return tuple(
        [
            x.shape
            if type(x) is np.ndarray
            else len(x)
            if type(x) in (list, tuple)
            else type(x)
            for x in args
        ]
    )


def dispatcher(
    entries: dict[Any, Callable[..., Tree]], fallback: Callable[..., Tree]
) -> Any:
    """Calls go to the entry of arguments with their outline, if there is one."""

    def call(*args: Tree, **kwargs: Tree) -> Tree:
        return entries.get(outline(args), fallback)(*args, **kwargs)

    return staticmethod(call)


def attach(instance: Any, shortcut: Any) -> None:
    """Let ``instance(...)`` call a shortcut, or another one than before.

    The instance gets a class of its own, derived from its class, with the shortcut as
    ``__call__``. It is called without ``self``: builtins and static methods bind to
    nothing. A ``__call__`` in Python that asked for the shortcut would cost 70 ns, and
    the call of three numbers, their gradient and all, takes 110.
    """
    kind: Any = type(instance)
    if "__attached__" not in vars(kind):
        names = {"__slots__": (), "__attached__": True, "__doc__": kind.__doc__}
        names |= {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        kind = instance.__class__ = type(kind.__name__, (kind,), names)
    kind.__call__ = shortcut
