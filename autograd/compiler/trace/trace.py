"""Tracing: a function runs once on tracers, and what they write down is its program."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.trace.arguments import TreeSpec, is_array
from autograd.compiler.trace.program import Program
from autograd.compiler.trace.tracer import LIMIT, Source, Trace
from autograd.compiler.trace.vmap import Mapped, TracedArray
from autograd.errors import TraceError
from autograd.graph.modes import MODES, observed
from autograd.table.reals import unboxed
from autograd.transforms.gradients import refuse_nothing
from autograd.transforms.tree import flatten

Tree = Any


@dataclass(frozen=True, eq=False)
class Traced:
    """A program, where its inputs come from, and how to rebuild its result."""

    program: Program
    sources: list[Source]
    rebuild: Callable[..., Tree]
    specs: list[TreeSpec]
    mapped: list[bool]  # of each result, whether it is one for each sample
    is_number: bool  # whether the result is one number


def record(
    f: Callable[..., Tree],
    args: Sequence[Tree],
    as_floats: Sequence[int] = (),
    limit: int = LIMIT,
    in_order: bool = False,
) -> Traced:
    """Run f on tracers in place of the numbers of its arguments.

    ``as_floats`` names the arguments whose modules are differentiated themselves. With
    ``in_order`` all numbers are inputs, in their order; else arrays that nobody
    touches are none, and those that ``vmap`` maps are columns.
    """
    with Trace(limit, f) as tracing:
        return _recorded(tracing, f, args, as_floats, in_order)


def _recorded(
    tracing: Trace,
    f: Callable[..., Tree],
    args: Sequence[Tree],
    as_floats: Sequence[int],
    in_order: bool,
) -> Traced:
    specs = [TreeSpec(arg, place in as_floats) for place, arg in enumerate(args)]
    given = []
    for place, (arg, spec) in enumerate(zip(args, specs, strict=True)):
        source = Source("numbers", place)
        if is_array(arg):
            given.append(TracedArray(tracing, arg, source))
            if in_order:
                assert given[-1].array is not None
        else:
            given.append(spec.rebuild(tracing.inputs(source, spec.count)))
    generators = _Generators()
    try:
        with observed(tracing.saw), collector_off():
            result = unboxed(f(*given))
    finally:
        drew = generators.put_back()
    _ = MODES.thread  # forgets the observer: native entries run while there is no mode
    if drew:
        name = getattr(f, "__name__", repr(f))
        raise TraceError(
            f"{name} drew random numbers while it was traced: they would be the same "
            f"at every call. Draw them outside and pass them as arguments"
        )
    outputs, rebuild = flatten(result)
    refuse_nothing(outputs, "jit")
    mapped = [isinstance(y, Mapped) for y in outputs]
    numbers = [y.number if isinstance(y, Mapped) else y for y in outputs]
    program = tracing.program(numbers)
    is_number = len(outputs) == 1 and outputs[0] is result
    return Traced(program, tracing.sources, rebuild, specs, mapped, is_number)


@contextmanager
def collector_off() -> Iterator[None]:
    """What a compiler makes is kept: the collector would walk it for nothing."""
    token = object()
    try:
        if gc.isenabled():
            _without_collector.add(token)
            gc.disable()
        yield
    finally:
        if token in _without_collector:
            gc.enable()
            _without_collector.discard(token)


_without_collector: set[object] = set()  # compilations that turned it off


def _collect_again() -> None:
    """In a forked child the thread that turned the collector off does not exist."""
    if _without_collector:
        _without_collector.clear()
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_collect_again)


class _Generators:
    """Where the two global random generators stand."""

    def __init__(self) -> None:
        self.python, self.numpy = random.getstate(), np.random.get_state(legacy=True)

    def put_back(self) -> bool:
        """Put them where they stood; whether anything was drawn in the meantime."""
        drew = _Generators()._place != self._place
        if drew:
            random.setstate(self.python)
            np.random.set_state(self.numpy)
        return drew

    @property
    def _place(self) -> tuple[Any, ...]:
        _, keys, position, *_ = self.numpy
        return self.python, np.asarray(keys).tobytes(), position


def trace(f: Callable[..., Tree], *args: Tree, limit: int = LIMIT) -> Program:
    """The program of f: the numbers of ``args`` are its inputs.

    Values that f closes over become further inputs, after those of the arguments;
    plain numbers are baked in. Raises TraceError when the program would depend on the
    numbers themselves (``if x > 0``), or is longer than ``limit`` instructions.

    >>> from autograd import trace
    >>> print(trace(lambda x, y: x * y + 1.0, 2.0, 3.0))
    program of 5 instructions, 2 inputs
      %0 = input 0
      %1 = input 1
      %2 = multiply %0 %1
      %3 = 1.0
      %4 = add %2 %3
      return %4
    """
    return record(f, args, limit=limit, in_order=True).program
