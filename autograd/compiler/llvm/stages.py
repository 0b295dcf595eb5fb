"""Programs over a batch in three stages: before the samples, the samples, and after.

    w2 = w * w              before: shared by the samples
    h = tanh(x w)           samples
    s = sum of h            samples: what the batch adds up
    loss = s + w2           after: waits for the sum

``StagedProgram`` cuts a program, ``StagedMachine`` runs one: inputs that are batched
and results that are batched stay in arrays of their own, all else is in one memory.
How the samples run is left to ``straight`` and ``blocked``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autograd.compiler.bulk.bulk import Bulk, Floats, Operation, SumOfProducts, Terms
from autograd.compiler.bulk.layout import Layout, Section, apart, unmixed
from autograd.compiler.llvm.backend import LLVMMachine, LLVMProgram
from autograd.compiler.llvm.loops.fusion import Extended, split
from autograd.compiler.trace.program import Ints


def adds_up_samples(operation: Operation) -> bool:
    """Whether an operation is a sum over the batch."""
    return isinstance(operation, SumOfProducts) and any(
        part.over_batch for part in operation.terms
    )


def totals_of(operations: list[Operation]) -> Ints:
    """The positions of all sums over the batch."""
    targets = [op.target for op in operations if adds_up_samples(op)]
    return np.concatenate([np.zeros(0, np.int64), *targets])


def of_samples(bulk: Bulk, operation: Operation) -> bool:
    """Whether an operation belongs to the samples: its results, or what it adds up."""
    batched = bool(bulk.is_batched(operation.target[:1]).any())
    return batched or adds_up_samples(operation)


def one_pass(bulk: Bulk) -> bool:
    """Whether nothing that is batched waits for a sum over the batch."""
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        waits = any(late[positions].any() for positions in operation.reads())
        if waits and bulk.is_batched(operation.target[:1]).any():
            return False
        late[operation.target] = waits or adds_up_samples(operation)
    return True


def staged(bulk: Bulk) -> Bulk:
    """The program with sums over the batch by themselves, ready for its stages."""
    return split(_parted(unmixed(replace(bulk, regions=[]))))


def _parted(bulk: Bulk) -> Bulk:
    """Sums over the batch become operations of one part, which others add up."""
    extended = Extended(bulk)
    for operation in bulk.operations:
        if (
            isinstance(operation, SumOfProducts)
            and adds_up_samples(operation)
            and len(operation.terms) > 1
        ):
            n = len(operation.target)
            parts: list[Terms] = [
                extended.apart(part, n) if part.over_batch else part
                for part in operation.terms
            ]
            operation = SumOfProducts(operation.target, parts)
        extended.operations.append(operation)
    return extended.program()


def stages(bulk: Bulk) -> tuple[list[Operation], list[Operation], list[Operation]]:
    """Shared operations before the samples, those of the samples, those after."""
    before: list[Operation] = []
    samples: list[Operation] = []
    after: list[Operation] = []
    late = np.zeros(bulk.size, bool)
    for operation in bulk.operations:
        if of_samples(bulk, operation):
            samples.append(operation)
            late[operation.target] = adds_up_samples(operation)
        elif any(late[positions].any() for positions in operation.reads()):
            after.append(operation)
            late[operation.target] = True
        else:
            before.append(operation)
    return before, samples, after


class StagedProgram:
    """A program cut into its stages; the code of the samples is left open.

    Attributes
    ----------
    before, after : programs on the memory of shared numbers; None for nothing to do.
    samples : the operations in between.
    totals, results : positions of sums over the batch, and of batched results.
    """

    def __init__(self, bulk: Bulk) -> None:
        self.bulk = staged(bulk)
        self.layout = Layout(self.bulk, 0)
        before, self.samples, after = stages(self.bulk)
        self.totals = totals_of(self.samples)
        outputs = self.bulk.outputs
        self.results = outputs[self.bulk.batched[outputs]]
        self.before, self.after = self._shared(before), self._shared(after)
        parts = [part for part in (self.before, self.after) if part]
        self.extra = max([part.extra for part in parts], default=0)

    def _shared(self, operations: list[Operation]) -> LLVMProgram | None:
        if not operations:
            return None
        kept = np.concatenate([operation.target for operation in operations])
        part = replace(self.bulk, operations=operations, outputs=kept)
        return LLVMProgram(part, self.layout)


class StagedMachine(ABC):
    """A memory for the shared numbers; batched ones are in arrays of their own."""

    def __init__(self, program: StagedProgram, sections: Sequence[Section]) -> None:
        self.bulk, self.layout, self.sections = program.bulk, program.layout, sections
        self.memory = self.layout.memory(program.extra)
        self.before, self.after = [
            LLVMMachine(part, self.memory) if part else None
            for part in (program.before, program.after)
        ]
        self.totals = self.layout.address[program.totals]
        outputs, batched = self.bulk.outputs, self.bulk.batched
        self.batched = [
            begin < end and bool(batched[outputs[begin:end]].all())
            for begin, end, _ in sections
        ]

    @abstractmethod
    def run_samples(self, arrays: list[Floats], results: list[Floats | None]) -> Floats:
        """Fill the batched results; returns sums over the batch [block, total]."""

    @abstractmethod
    def result(self, count: int, buffer: Floats | None) -> Floats:
        """An array [output, sample] for a batched section, in the buffer if it can."""

    def call(
        self, numbers: Sequence[Floats], buffers: Sequence[Floats | None]
    ) -> list[Floats]:
        """The results of all sections for the input numbers, given in parts."""
        arrays = self._inputs(numbers)
        results = [
            self.result(end - begin, buffer) if batched else None
            for (begin, end, _), batched, buffer in zip(
                self.sections, self.batched, apart(buffers, arrays), strict=True
            )
        ]
        if self.before:
            self.before.run()
        self.memory[self.totals] = self.run_samples(arrays, results).sum(axis=0)
        if self.after:
            self.after.run()
        return [
            self._shared(section) if result is None else result
            for section, result in zip(self.sections, results, strict=True)
        ]

    def _inputs(self, numbers: Sequence[Floats]) -> list[Floats]:
        """Shared numbers go into the memory; arrays of samples are returned."""
        columns = dict(self.bulk.blocks)
        position, arrays = 0, []
        for part in numbers:
            if position in columns:
                arrays.append(part)
                position += columns[position]
            elif part.size:
                start = int(self.layout.address[position])
                self.memory[start : start + part.size] = part
                position += part.size
        return arrays

    def _shared(self, section: Section) -> Floats:
        begin, end, each = section
        values: Floats = self.memory[self.layout.address[self.bulk.outputs[begin:end]]]
        return np.repeat(values[:, np.newaxis], self.bulk.batch, 1) if each else values
