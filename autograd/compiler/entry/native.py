"""Which plans get a native entry, and where their numbers lie.

An entry copies arguments into the memory of a machine of its own, runs, and makes the
results (see ``entry``). It serves plans on LLVM that are short, never call back into
Python, and whose results lie side by side in the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.entry.entry import Leaf, native_entry
from autograd.compiler.llvm.backend import LLVMMachine, LLVMProgram
from autograd.compiler.plans.derivatives import Function, Gradient
from autograd.compiler.plans.plan import Plan
from autograd.compiler.trace.program import Ints

LONGEST = 1 << 20  # numbers of a memory: longer programs run without the GIL

Tree = Any


class NoNativeEntryError(Exception):
    """The plan has no entry."""


def entry_of(
    plan: Plan, args: Sequence[Tree], fallback: Callable[..., Any]
) -> Callable[..., Any] | None:
    """The entry of a plan for arguments like these; None where there is none."""
    program = plan.executor.program
    if program is None or not len(plan.bulk.outputs) or not plan.bulk.inputs:
        return None
    if any(source.kind == "array" for source in plan.inputs.sources):
        return None
    if program.callbacks or program.layout.size > LONGEST or plan.inputs.closed:
        return None
    machine = LLVMMachine(program)
    try:
        given = [_argument(plan, program, k, arg) for k, arg in enumerate(args)]
        result = _Results(plan, machine).tree()
        if not all(map(_is_tree, (*given, result))):
            return None
    except (NoNativeEntryError, KeyError):
        return None
    run, memory, tables = machine.addresses()
    slots = program.slots, len(program.bulk.regions)
    return native_entry(run, memory, tables, given, result, fallback, machine, slots)


def _argument(plan: Plan, program: LLVMProgram, place: int, arg: Tree) -> Any:
    inputs = plan.inputs
    numbers = inputs.of(place)
    if len(numbers) != 1:
        raise NoNativeEntryError
    source, first = inputs.sources[numbers[0]], int(inputs.starts[numbers[0]])
    start = int(program.layout.address[first])
    spec = inputs.specs[place]
    if spec.shape is not None:
        if source.axis != 0 and source.kind == "samples":
            raise NoNativeEntryError
        slot = slot_of(program, first)
        return Leaf(start, spec.shape, slot)
    if not _is_plain(arg):
        raise NoNativeEntryError
    return spec.rebuild([Leaf(start + k) for k in range(spec.count)])


def slot_of(program: LLVMProgram, position: int) -> int | None:
    """The slot of the region that begins at a position, if it may lie elsewhere."""
    for k in program.regions:
        if program.bulk.regions[k][0] == position:
            return program.slots + k
    return None


def _is_plain(arg: Tree) -> bool:
    """Whether an argument is a number, or lists and tuples of them."""
    if type(arg) in (list, tuple):
        return all(_is_plain(part) for part in arg)
    return type(arg) in (int, float, np.float64)


def _is_tree(tree: Any) -> bool:
    """Whether an entry can walk it: lists and tuples of leaves."""
    if type(tree) in (list, tuple):
        return all(map(_is_tree, tree))
    return isinstance(tree, Leaf)


class _Results:
    """Where the results lie, as a tree of leaves."""

    def __init__(self, plan: Plan, machine: LLVMMachine) -> None:
        self.plan, self.layout = plan, machine.layout
        self.outputs, self.program = plan.executor.bulk.outputs, machine.program

    def tree(self) -> Tree:
        """Like what the plan returns."""
        plan, value = self.plan, None
        if not isinstance(plan.function, Gradient):
            return self._function(plan.function)
        sections = list(plan.sections)
        if plan.function.with_value:
            begin, _, _ = sections.pop(0)
            value = Leaf(self._start(self.outputs[begin : begin + 1]))
        chosen = zip(plan.function.chosen, sections, strict=True)
        parts = [self._gradient(*place_and_section) for place_and_section in chosen]
        return plan.function.assembled(value, parts)

    def _gradient(self, place: int, section: Any) -> Tree:
        begin, end, batched = section
        spec = self.plan.inputs.specs[place]
        positions = self.outputs[begin:end]
        if spec.shape is not None:
            if batched and (end - begin != 1 or not self.layout.is_batched(positions)):
                raise NoNativeEntryError
            if not batched:
                self._start(positions)
            slot = slot_of(self.program, int(positions[0]))
            return Leaf(self._start(positions[:1]), spec.shape, slot)
        places = self.layout.address[positions].tolist()
        return spec.rebuild_named([Leaf(start) for start in places])

    def _function(self, function: Function) -> Tree:
        plan, samples = self.plan, self.layout.samples
        leaves = []
        for k, position in enumerate(self.outputs.tolist()):
            batched = bool(plan.executor.bulk.is_batched(self.outputs[k : k + 1])[0])
            step = self.layout.sample_step(self.outputs[k : k + 1])
            if function.mapped[k] and step != 1:
                raise NoNativeEntryError
            shape = (samples,) if batched else None
            leaves.append(Leaf(int(self.layout.address[position]), shape))
        found = function.rebuild(leaves)
        if isinstance(found, np.ndarray):
            if any(function.mapped):
                raise NoNativeEntryError
            return Leaf(self._start(self.outputs), found.shape)
        return found

    def _start(self, positions: Ints) -> int:
        """Where consecutive places begin."""
        places = self.layout.address[positions]
        if not len(places) or (np.diff(places) != 1).any():
            raise NoNativeEntryError
        return int(places[0])
