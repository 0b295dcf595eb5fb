"""``jit``: a function of scalars in, a fast function out.

A call looks for the plan of its arguments' structure and makes one when there is none:
a function is compiled before its first result. Numbers of arguments may change from
call to call; their structure, and what is named in ``static=``, select the plan.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

from autograd.compiler.arguments import buffers_of, key_of, numbers_of, written
from autograd.compiler.executor import Settings
from autograd.compiler.nodes import as_nodes, recording
from autograd.compiler.plan import Plan, gradient_of
from autograd.compiler.tracer import LIMIT
from autograd.errors import TraceError
from autograd.modes import MODES
from autograd.transforms import grad, transform_of, value_and_grad

__all__ = ["Compiled", "jit"]

Tree = Any


class Compiled:
    """A compiled function: call it as the original; see ``jit``."""

    def __init__(
        self,
        function: Callable[..., Tree],
        static: int | str | Sequence[int | str],
        settings: Settings,
    ) -> None:
        update_wrapper(self, function)
        self.function, self.settings = function, settings
        self.static = [static] if isinstance(static, int | str) else list(static)
        self.plans: dict[Any, Plan] = {}

    def __call__(self, *args: Tree, out: Tree = None, **kwargs: Tree) -> Tree:
        """What the function returns; written into the arrays of ``out``, if given."""
        fixed, moving = self._split(args, kwargs)
        plan, numbers, leaves = self._prepare(fixed, moving)
        if plan is None:
            return self.function(*args, **kwargs)
        inputs = plan.inputs(numbers)
        buffers = None if out is None else buffers_of(out, plan.sizes())
        results = plan.executor.run(inputs, buffers)
        nodes = recording(leaves, plan.closed)
        if out is not None:
            if nodes:
                raise TraceError("out= takes plain numbers, and the result is a node")
            written(out, results)
            return out
        if nodes:
            results = as_nodes(plan, inputs, leaves, results)
        return plan.finish(results)

    def _split(self, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], list[Any]]:
        """The static arguments, by place or name, and all others."""
        if not self.static:
            return (), [*args, kwargs] if kwargs else list(args)
        given = inspect.signature(self.function).bind(*args, **kwargs)
        given.apply_defaults()
        fixed, moving = [], []
        for place, (name, value) in enumerate(given.arguments.items()):
            if place in self.static or name in self.static:
                fixed.append((name, value))
            else:
                moving.append(value)
        return tuple(fixed), moving

    def _prepare(self, fixed: Any, moving: Any) -> Any:
        """The plan, the input numbers in parts, and the leaves where they are nodes.

        No plan where the function must run as it is: under a transform or a mode that
        wants to see every node.
        """
        if MODES.active and (MODES.thread.observers or MODES.thread.watch):
            return None, None, None
        key = (fixed, tuple([key_of(x) for x in moving]))
        plan = self.plans.get(key)
        chosen = plan.chosen if plan else self._chosen(len(moving))
        numbers, leaves = [], []
        for place, x in enumerate(moving):
            part, own = numbers_of(x, place in chosen)
            numbers.append(part)
            leaves.append(own)
            if part is None:
                return None, None, None
        if plan is None:
            plan = self.plans[key] = Plan(self._given(fixed), moving, self.settings)
        return plan, numbers, leaves

    def _chosen(self, count: int) -> list[int]:
        transform = gradient_of(self.function)
        return [i % count for i in transform.places] if transform and count else []

    def _given(self, fixed: Any) -> Callable[..., Tree]:
        """The function of the arguments that are not static."""
        if not fixed and not self.static:
            return self.function
        return _Partial(self.function, dict(fixed))

    def report(self) -> str:
        """What was compiled, for every structure of arguments seen so far."""
        name = getattr(self.function, "__name__", repr(self.function))
        if not self.plans:
            return f"{name}: not called yet"
        return "\n".join(f"{name}: {plan.report()}" for plan in self.plans.values())

    def __reduce__(self) -> Any:
        transform = transform_of(self.function)
        if transform is None:
            made_of: Any = self.function
        else:  # derivative functions are closures, which do not travel
            made_of = transform.name, transform.function, transform.argnums
        return _again, (made_of, self.static, *self.settings.arguments())

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        return f"<compiled {name}, {len(self.plans)} plans>"


def _again(made_of: Any, *arguments: Any) -> Compiled:
    """A compiled function out of its pickle."""
    if isinstance(made_of, tuple):
        name, function, argnums = made_of
        made_of = {"grad": grad, "value_and_grad": value_and_grad}[name](
            function, argnums
        )
    return jit(made_of, *arguments)


class _Partial:
    """A function with its static arguments filled in, the others by place."""

    def __init__(self, function: Callable[..., Tree], fixed: dict[str, Any]) -> None:
        self.function, self.fixed = function, fixed
        self.__name__ = getattr(function, "__name__", "function")
        if transform_of(function) is not None:
            raise TraceError(
                "static= arguments of a transform: put jit inside, as in "
                "grad(partial(f, n=3)), or close over them"
            )

    def __call__(self, *moving: Tree) -> Tree:
        names = list(inspect.signature(self.function).parameters)
        rest = [name for name in names if name not in self.fixed]
        given = dict(zip(rest, moving, strict=True))
        return self.function(**given, **self.fixed)


def jit(
    f: Callable[..., Tree],
    static: int | str | Sequence[int | str] = (),
    backend: str | None = None,
    strict: bool = False,
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
    strict : results bit-identical to the uncompiled ones: no reassociation of sums, the
        C library's functions, no fused multiply-add. Slower.
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
    return Compiled(f, static, Settings(backend, strict, limit))
