"""Irregular programs: a list of descriptors, run by machine code that is there already.

Code for every loop of a program pays as long as loops are few. An irregular program has
thousands of short ones, and compiling them would take longer than running them for
days. Here an operation is a line of numbers, its *descriptor*: which kernel, how many
results, and where its index tables begin. Kernels gather their operands by tables;
there is one for each primitive, compiled on first use, and those of ragged sums:

    x[7:9] = tanh(x[3, 1])         &tanh, 2, 7, table of 3 1
    x[9]   = x[0] x[2] + x[5]      &dot, 1 block, sign 1, lengths, targets, left, right

The index tables of many sums are made at once (``_Ragged``): one by one they would take
longer than their numbers do, all in one go touch more memory than a cache holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    Operation,
    SegmentReduce,
    SumOfProducts,
    Terms,
)
from autograd.compiler.bulk.layout import Layout
from autograd.compiler.bulk.nests import factor
from autograd.compiler.llvm.backend import PythonCallback
from autograd.compiler.llvm.engine import engine, run_type
from autograd.compiler.llvm.functions.table import Needed, emit_primitive, module_text
from autograd.compiler.llvm.kernels.code import Code, Offset, declarations
from autograd.compiler.llvm.kernels.dense import strong_bits
from autograd.compiler.llvm.kernels.ragged import Slices
from autograd.compiler.llvm.loops.context import Cells, Tables
from autograd.compiler.llvm.loops.elementwise import has_code
from autograd.compiler.trace.program import Ints, offsets_of, ranges
from autograd.table.primitives import TABLE

_MANY = 300  # operations: with more, compiling their loops does not pay
_SOME = 50  # the same for those of irregular programs
_LONG = 1 << 16  # terms that are worth tables of their own
_WORDS = 8  # of a descriptor


def fits(bulk: Bulk) -> bool:
    """Whether loops of their own would be many, or hardly regular."""
    count = len(bulk.operations)
    if count <= _SOME or bulk.batch or not all(map(_has_descriptor, bulk.operations)):
        return False
    return count > _MANY or _irregular_share(bulk) > 0.5


def _irregular_share(bulk: Bulk) -> float:
    """How many of all indices are in streams that no loops describe."""
    reads = [x for operation in bulk.operations for x in operation.reads() if len(x)]
    irregular = sum(len(x) for x in reads if not factor([x]).affine)
    return irregular / max(1, sum(map(len, reads)))


def _has_descriptor(operation: Operation) -> bool:
    if operation.scan or not has_code(operation):
        return False
    if isinstance(operation, SegmentReduce):
        return not operation.has_gaps
    return isinstance(operation, SumOfProducts) or bool(
        (np.diff(operation.target) == 1).all()
    )


@dataclass
class _Ragged:
    """The segments of many operations that one kind of kernel runs.

    Attributes
    ----------
    pad : what is read where a segment has no more terms; None repeats its first one.
    products : whether terms have two factors; a plain one then is a product with 1.
    targets : of each operation. parts, owners : of all, and whose they are.
    begins : once finished, of each operation: blocks, then where its tables begin.
    """

    pad: int | None
    products: bool
    targets: list[Ints] = field(default_factory=list)
    parts: list[Terms] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    begins: list[list[int]] = field(default_factory=list)
    terms: int = 0

    def add(self, target: Ints, parts: Sequence[Terms]) -> int:
        """The number of a new operation: segments that are the sums of these parts."""
        number = len(self.targets)
        self.targets.append(target)
        self.parts += parts
        self.owners += [number] * len(parts)
        self.terms += len(target) + sum(map(len, parts))
        return number

    def finish(self, width: int, cells: Cells, tables: Tables) -> None:
        counts = np.array([len(target) for target in self.targets])
        segment, streams = self._terms(counts, cells.one)
        order = np.argsort(segment, kind="stable")
        slices = Slices(width, offsets_of(segment, int(counts.sum())), counts)
        targets = slices.lanes(np.concatenate(self.targets), cells.sink)
        starts = [tables.add(slices.lengths), tables.add(targets)]
        for stream in streams:
            entries = slices.entries(stream[order], self.pad, cells.zero)
            starts.append(tables.add(entries))
        starts += starts[2:] * (not self.products)  # kernels take two streams
        first = slices.block[:-1]
        places = [first, first * width, *[slices.offset[first] * width] * 2]
        begins = [start + place for start, place in zip(starts, places, strict=True)]
        self.begins = np.transpose([np.diff(slices.block), *begins]).tolist()
        self.targets, self.parts = [], []

    def _terms(self, counts: Ints, one: int) -> tuple[Ints, list[Ints]]:
        """Of every term its segment, counted through all operations, and factors."""
        nothing = np.zeros(0, np.int64)
        first, owners = np.cumsum(counts) - counts, np.array(self.owners, np.int64)
        segments = ranges(first[owners], counts[owners])
        lengths = np.concatenate([nothing, *[part.counts for part in self.parts]])
        streams = []
        for k in range(1 + self.products):
            own = [
                part.factors[k] if part.factors[k:] else np.full(len(part), one)
                for part in self.parts
            ]
            streams.append(np.concatenate([nothing, *own]))
        return np.repeat(segments, lengths), streams


@dataclass(frozen=True)
class _Sliced:
    """A descriptor-to-be: which kernel runs which operation of the ragged ones."""

    kernel: int
    sign: int
    strong: int
    ragged: _Ragged
    number: int

    def words(self) -> list[int]:
        blocks, *begins = self.ragged.begins[self.number]
        return [self.kernel, blocks, self.sign, *begins, self.strong]


class TableProgram:
    """Descriptors, their tables, and the function that runs them."""

    callbacks: tuple[PythonCallback, ...] = ()
    regions: tuple[int, ...] = ()

    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.layout = bulk, Layout(bulk, 0)
        self.host = engine()
        self.cells = Cells(*range(bulk.size, bulk.size + 3))
        self.one, self.slots, self.extra = self.cells.one, bulk.size + 8, 8
        self._tables, self._ragged = Tables(), dict[str, _Ragged]()
        lines: list[list[int] | _Sliced] = []
        for operation in bulk.operations:
            if isinstance(operation, Map):
                lines += self._map(operation)
            elif isinstance(operation, SumOfProducts):
                lines += self._sum(operation)
            else:
                lines.append(self._fold(operation))
        for ragged in self._ragged.values():
            self._finish(ragged)
        self.descriptors = np.zeros((len(lines), _WORDS), np.int64)
        for k, line in enumerate(lines):
            words = line.words() if isinstance(line, _Sliced) else line
            self.descriptors[k, : len(words)] = words
        self.tables = self._tables.array()
        self.functions = [run_type()(self._function())]

    def _map(self, operation: Map) -> list[list[int]]:
        name, target = operation.primitive.name, operation.target
        kernel = self.host.map_kernel(
            f"autograd.map.{name}", lambda: map_text(self.host.width, name)
        )
        tables = [self._tables.add(x) for x in operation.operands]
        if not len(target):
            return []
        return [[kernel, len(target), int(target[0]), *tables]]

    def _sum(self, operation: SumOfProducts) -> list[_Sliced]:
        """Positive terms, then negative ones on top of them; each a ragged dot.

        Plain products beside guarded ones are guarded with them: they are shares of
        the same cotangents.
        """
        lines: list[_Sliced] = []
        least = int(any(part.strong for part in operation.terms))
        forms: dict[tuple[int, int], list[Terms]] = {}
        for part in operation.terms:
            forms.setdefault((part.sign, max(part.strong, least)), []).append(part)
        forms = forms or {(1, 0): []}
        for (sign, strong), parts in sorted(forms.items(), reverse=True):
            products = any(part.is_product for part in parts)
            kind = "dot" if products else "sum"
            ragged = self._ragged_for(kind, self.cells.zero, products)
            kernel = self._kernel(f"{kind}_more" if lines else kind)
            number = ragged.add(operation.target, parts)
            lines.append(_Sliced(kernel, sign, strong_bits(strong), ragged, number))
        return lines

    def _fold(self, operation: SegmentReduce) -> _Sliced:
        kind = operation.primitive.name
        pad = self.cells.one if kind == "prod" else None
        part = Terms(1, operation.offsets, operation.groups)
        ragged = self._ragged_for(kind, pad, False)
        number = ragged.add(operation.target, [part])
        return _Sliced(self._kernel(kind), 1, 0, ragged, number)

    def _kernel(self, kind: str) -> int:
        return self.host.library(f"autograd.slices_{kind}_by_table")

    def _ragged_for(self, kind: str, pad: int | None, products: bool) -> _Ragged:
        ragged = self._ragged.get(kind)
        if ragged and ragged.terms > _LONG:
            self._finish(ragged)
            ragged = None
        if ragged is None:
            ragged = self._ragged[kind] = _Ragged(pad, products)
        return ragged

    def _finish(self, ragged: _Ragged) -> None:
        ragged.finish(self.host.width, self.cells, self._tables)

    def _function(self) -> int:
        """A function that hands the descriptors to the dispatcher."""
        address, count = self.descriptors.ctypes.data, len(self.descriptors)
        dispatch = self.host.library("autograd.dispatch")
        text = (
            "define void @autograd.run(ptr %v, ptr %t) nounwind {\n"
            f"  %d = inttoptr i64 {address} to ptr\n"
            f"  %f = inttoptr i64 {dispatch} to ptr\n"
            f"  call void %f(ptr %v, ptr %t, ptr %d, i64 {count})\n"
            "  ret void\n}\n"
        )
        self.linked = self.host.compiled(text, cached=False)
        return self.linked("autograd.run")


def map_text(width: int, name: str) -> str:
    """A kernel that applies a primitive elementwise, by tables."""
    code, needed = Code(width), Needed()

    def word(k: int) -> str:
        return code.load_whole(code.at("%d", k, "i64"))

    count, target = word(1), code.at("%v", word(2))
    arity = TABLE[name].arity or 1
    tables = [code.at("%t", word(3 + k), "i32") for k in range(arity)]

    def block(i: Offset, mask: str | None) -> None:
        operands = [
            code.gather("%v", code.load_indices(code.at(table, i, "i32"), mask), mask)
            for table in tables
        ]
        value = emit_primitive(code.lanes, name, operands, needed)
        code.store(value, code.at(target, i), mask)

    code.vectors(count, block)
    function = code.function(f"autograd.map.{name}", "ptr %v, ptr %t, ptr %d")
    return "\n".join([declarations(width), module_text(needed, code.called), function])
