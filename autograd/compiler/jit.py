"""``jit``: a function of scalars in, a fast function out.

A call looks for the plan of its arguments' structure and makes one when there is none:
a function is compiled before its first result. Numbers of arguments may change from
call to call; their structure, and what is named in ``static=``, select the plan.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import update_wrapper
from importlib import import_module
from types import MethodType
from typing import Any

from autograd.compiler.entry.shortcuts import (
    array_shortcut,
    attach,
    dispatcher,
    outline,
)
from autograd.compiler.plans.buffers import taken, written
from autograd.compiler.plans.derivatives import chosen_of
from autograd.compiler.plans.executor import Settings
from autograd.compiler.plans.nodes import as_nodes, recording
from autograd.compiler.plans.plan import Plan
from autograd.compiler.plans.signature import Binding, from_recipe, to_recipe
from autograd.compiler.trace.arguments import key_of, numbers_of
from autograd.compiler.trace.tracer import LIMIT, OuterTransformError
from autograd.errors import TraceError
from autograd.graph.modes import MODES
from autograd.notebooks import Shown
from autograd.spelling import spelled
from autograd.threads import apart

Tree = Any
_CHAINED = 8  # entries of a function that are tried one after the other
_MANY = 32  # plans of a function that are worth a word


class Compiled(Shown):
    """A compiled function: call it as the original; see ``jit``."""

    def __init__(
        self,
        function: Callable[..., Tree],
        static: int | str | Sequence[int | str],
        settings: Settings,
    ) -> None:
        update_wrapper(self, function)
        self.function, self.settings = function, settings
        self.binding = Binding(function, static)
        self.plans: dict[Any, Plan] = {}
        self.chosen: dict[Any, list[int]] = {}  # which arguments gradients are of
        self.entries: dict[Any, Callable[..., Tree]] = {}  # by outline of arguments

    def __call__(self, *args: Tree, out: Tree = None, **kwargs: Tree) -> Tree:
        """What the function returns; written into the arrays of ``out``, if given."""
        try:
            found = self._prepare(args, kwargs)
        except OuterTransformError:  # f closes over a number of a transform under way
            found = None
        if found is None:
            return self.function(*args, **kwargs)
        plan, numbers, leaves = found
        function, parts = plan.function, plan.inputs.read(numbers)
        arrays = buffers = None
        if out is not None:
            arrays, buffers = taken(out, plan.room, plan.sizes)
        results = function.run(plan.executor, parts, buffers)
        nodes = recording(leaves, plan.inputs.closed)
        if nodes and function.second_order:
            return self.function(*args, **kwargs)
        if nodes:
            if out is not None:
                raise TraceError(
                    "out= takes plain numbers, and the result is a node: leave out= "
                    "away, or compute under no_grad"
                )
            results = as_nodes(plan, parts, leaves, results)
        results = function.collected(results)
        if arrays is None:
            return function.finish(results)
        written(arrays, results, function.finish)
        return out

    def _prepare(self, args: Any, kwargs: Any) -> Any:
        """The plan, the input numbers in parts, and the leaves where they are nodes.

        None where the function must run as it is: under a transform, or a mode that
        wants to see every node.
        """
        if MODES.active and (MODES.thread.observers or MODES.thread.watch):
            return None
        signature, traced = self.binding.split(args, kwargs)
        if signature not in self.chosen:
            bound = signature.bound(self.function)
            self.chosen[signature] = chosen_of(bound, len(traced))
        numbers, leaves = [], []
        for place, x in enumerate(traced):
            part, own = numbers_of(x, place in self.chosen[signature])
            if part is None:
                return None
            numbers.append(part)
            leaves.append(own)
        sizes = [part.size for part in numbers]
        key = signature, *sizes, *[key_of(x) for x in traced]
        plan = self.plans.get(key)
        if plan is None:
            function = signature.bound(self.function)
            plan = self.plans[key] = Plan(function, traced, self.settings)
            plan.waits_for_entry = function is self.function
            if len(self.plans) == _MANY:
                self._say_that_there_are_many()
        if plan.waits_for_entry and not plan.executor.is_compiling:
            plan.waits_for_entry = False
            self._enter(plan, traced)
        return plan, numbers, leaves

    def _enter(self, plan: Plan, args: list[Tree]) -> None:
        """Let calls like this one take a shortcut from now on, if there is one."""
        if plan.function.second_order:
            return
        slow, form = MethodType(Compiled.__call__, self), outline(args)
        chained = len(self.entries) < _CHAINED
        past = type(self).__call__  # an earlier shortcut, or this class's own method
        own = self.entries.get(form, slow)
        if chained and past is not Compiled.__call__:
            own = past
        entry = None
        if plan.executor.backend == "llvm":
            native = apart(lambda: import_module("autograd.compiler.entry.native"))
            entry = native.entry_of(plan, args, own)
            plan.has_native_entry = entry is not None
        entry = entry or array_shortcut(plan, args, own)
        if entry is None:
            return
        self.entries[form] = getattr(entry, "__func__", entry)
        attach(self, entry if chained else dispatcher(self.entries, slow))

    def _say_that_there_are_many(self) -> None:
        name = getattr(self.function, "__name__", repr(self.function))
        level, frame = 1, sys._getframe()
        while frame.f_back and frame.f_globals["__name__"].startswith("autograd."):
            level, frame = level + 1, frame.f_back
        warnings.warn(
            f"{name} was compiled for {_MANY} structures of its arguments: every new "
            f"length, shape, set of keys or static value is compiled anew. Pad to a "
            f"few lengths and mask with where, pass numbers that vary as arguments "
            f"that are not static, and give objects in static= an __eq__ and __hash__",
            RuntimeWarning,
            stacklevel=level,
        )

    def report(self) -> str:
        """What was compiled, for every structure of arguments seen so far."""
        name = getattr(self.function, "__name__", repr(self.function))
        if not self.plans:
            return f"{name}: not called yet"
        return "\n".join(f"{name}: {plan.report()}" for plan in self.plans.values())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        path = getattr(self, "__qualname__", "")
        if _named(self.__module__, path) is self:  # a decorated function
            return path
        arguments = self.binding.static, *astuple(self.settings)
        return _again, (to_recipe(self.function), *arguments)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        return f"<compiled {name}, {len(self.plans)} plans>"


def _named(module: str, path: str) -> Any:
    """What can be imported under that name; None for nothing."""
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def _again(recipe: Any, *arguments: Any) -> Compiled:
    """A compiled function out of its pickle."""
    return jit(from_recipe(recipe), *arguments)


@spelled(
    {"static_argnums": "static", "static_argnames": "static", "fun": "f"},
    {
        "donate_argnums": "nothing: give arrays to write into at the call, out=",
        "donate_argnames": "nothing: give arrays to write into at the call, out=",
        "in_axes": "jit(vmap(f, in_axes=...))",
        "argnums": "jit(grad(f, argnums=...))",
        "device": "nothing: everything runs on the processor",
        "nopython": "nothing: what cannot be compiled is an error",
        "parallel": "nothing: vmap and mean run batches on all cores",
        "cache": "nothing: machine code is kept on disk by itself",
    },
)
def jit(
    f: Callable[..., Tree],
    static: int | str | Sequence[int | str] = (),
    backend: str | None = None,
    strict: bool = False,
    background: bool = False,
    limit: int = LIMIT,
) -> Compiled:
    """f, compiled: traced once for each structure of its arguments, then fast.

    Parameters
    ----------
    f : a function of numbers, lists, dicts, arrays and modules; also ``grad(f)``,
        ``value_and_grad(f)``, ``vmap(f)`` and any nesting of transforms.
    static : names or places of arguments that are not numbers to be traced (lengths,
        switches); other values of them are traced anew.
    backend : "llvm", "numpy", or by default LLVM where llvmlite is installed.
    strict : results bit-identical to the uncompiled ones of Values: no reassociation of
        sums, the C library's functions, no fused multiply-add; but for some slopes
        behind choices (``where``, ``take``). Slower.
    background : answer with the numpy backend until LLVM has compiled in a thread of
        its own; results may then change in their last digits from call to call.
    limit : the longest trace, in instructions.

    Returns a function with ``report()``. Its results are floats, or arrays and
    containers like those that f returns; ``out=`` takes arrays to write them into.
    Where a Value takes part (as an argument or closed over) results are nodes with a
    compiled backward. Numbers that f closes over are baked in: ``report()`` says so.

    Raises TraceError when f wants to know a number while it is traced.

    >>> from autograd import jit, value_and_grad
    >>> f = jit(value_and_grad(lambda xs: sum(x * x for x in xs)))
    >>> f([1.0, 2.0])
    (5.0, [2.0, 4.0])
    """
    if not callable(f):
        raise TypeError(
            f"jit compiles functions, got {type(f).__name__}: write jit(f), and call "
            "what it returns"
        )
    return Compiled(f, static, Settings(backend, strict, background, limit))
