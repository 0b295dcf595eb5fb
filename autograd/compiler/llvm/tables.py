"""Ragged rows of many operations, whose index tables are made at once.

Thousands of short operations would take longer one by one than their numbers do; all in
one go they would touch more memory than a cache holds.

Irregular programs: a list of descriptors, run by machine code that is there already.

Code for every loop of a program pays as long as loops are few. An irregular program has
thousands of short ones, and compiling them would take longer than running them for
days. Here an operation is a row of numbers, its *descriptor*: which kernel, how many
results, and where its index tables begin. Kernels gather their operands by tables;
there is one for each row of the table, compiled on first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
from autograd.compiler.llvm.engine import Engine, engine, run_type
from autograd.compiler.llvm.functions.table import Needed, emit_primitive, module_text
from autograd.compiler.llvm.kernels.code import Code, Offset, declarations
from autograd.compiler.llvm.loops.calls import sliced
from autograd.compiler.llvm.loops.context import Tables
from autograd.compiler.llvm.loops.elementwise import has_code
from autograd.compiler.trace.program import Ints, ranges, starts_of
from autograd.table.primitives import TABLE

_LONG = 1 << 16  # terms that are worth tables of their own


class Spare(NamedTuple):
    """Places in the memory that hold 0, hold 1, and take what nobody reads."""

    zero: int
    one: int
    dump: int


@dataclass
class Ragged:
    """The rows of all pieces that one kind of kernel runs.

    pad : what is read where a row has no more terms; None repeats its first one.
    products : whether terms have two factors; a plain one then is a product with 1.
    """

    pad: int | None
    products: bool
    targets: list[Ints] = field(default_factory=list)
    parts: list[Terms] = field(default_factory=list)
    piece: list[int] = field(default_factory=list)  # of each part
    terms: int = 0
    where: list[tuple[int, list[int]]] = field(default_factory=list)

    def add(self, target: Ints, parts: Sequence[Terms]) -> int:
        """The number of a new piece: rows that are the sums of these parts."""
        number = len(self.targets)
        self.targets.append(target)
        self.parts += parts
        self.piece += [number] * len(parts)
        self.terms += len(target) + sum(map(len, parts))
        return number

    @property
    def full(self) -> bool:
        """Whether further pieces should go elsewhere."""
        return self.terms > _LONG

    def finish(self, width: int, spare: Spare, tables: Tables) -> None:
        """Find how many blocks each piece has, and where its tables begin."""
        counts = np.array([len(target) for target in self.targets])
        row, streams = self._terms(counts, spare.one)
        order = np.argsort(row, kind="stable")
        (longest, targets, *entries), block, offset = sliced(
            width,
            np.concatenate(self.targets),
            starts_of(row, int(counts.sum())),
            [stream[order] for stream in streams],
            self.pad,
            spare.zero,
            spare.dump,
            counts,
        )
        begins = [block[:-1], block[:-1] * width]
        begins += [offset[block[:-1]] * width] * len(entries)
        where = [
            tables.add(table) + begin
            for table, begin in zip((longest, targets, *entries), begins, strict=True)
        ]
        where += where[2:] * (not self.products)  # kernels take two streams
        begin_of_each = np.transpose(where).tolist()
        self.where = list(zip(np.diff(block).tolist(), begin_of_each, strict=True))
        self.targets, self.parts = [], []

    def _terms(self, counts: Ints, one: int) -> tuple[Ints, list[Ints]]:
        """The row of every term, counted through all pieces; and its factors."""
        nothing = np.zeros(0, np.int64)
        first, piece = np.cumsum(counts) - counts, np.array(self.piece, np.int64)
        rows = ranges(first[piece], counts[piece])
        lengths = np.concatenate([nothing, *[part.counts for part in self.parts]])
        streams = []
        for k in range(1 + self.products):
            own = [
                part.factors[k] if part.factors[k:] else np.full(len(part), one)
                for part in self.parts
            ]
            streams.append(np.concatenate([nothing, *own]))
        return np.repeat(rows, lengths), streams


# -- Irregular programs: a list of descriptors, run by machine code that is

_MANY = 300  # bulk operations: with more, compiling their loops does not pay
_SOME = 50  # the same for those of irregular programs
WORDS = 8  # of a descriptor: kernel, count, target, then where tables begin


def fits(bulk: Bulk) -> bool:
    """Whether loops of their own would be many, or hardly regular."""
    count = len(bulk.operations)
    if count <= _SOME or not _can_say(bulk):
        return False
    return count > _MANY or _irregular_share(bulk) > 0.5


def _irregular_share(bulk: Bulk) -> float:
    """How many of all indices are in streams that no loops describe."""
    reads = [x for operation in bulk.operations for x in operation.reads() if len(x)]
    irregular = sum(len(x) for x in reads if not factor([x]).affine)
    return irregular / max(1, sum(map(len, reads)))


def _can_say(bulk: Bulk) -> bool:
    """Whether descriptors can say everything that a program does."""
    if bulk.batch or any(operation.scan for operation in bulk.operations):
        return False
    return all(map(_is_known, bulk.operations))


def _is_known(operation: Operation) -> bool:
    if isinstance(operation, SumOfProducts):
        return True
    if isinstance(operation, SegmentReduce):
        return has_code(operation) and not operation.has_gaps
    return has_code(operation) and bool((np.diff(operation.target) == 1).all())


@dataclass(frozen=True)
class _Piece:
    """A descriptor-to-be: which kernel runs which piece of the ragged rows."""

    kernel: int
    sign: int
    strong: int
    ragged: Ragged
    number: int


class TableProgram:
    """Descriptors, their tables, and the function that runs them."""

    foreign: tuple[Any, ...] = ()
    regions: tuple[int, ...] = ()

    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.layout = bulk, Layout(bulk, 0)
        self.host = engine()
        self.places, self.spare = Spare(*range(bulk.size, bulk.size + 3)), 0
        self.slots = bulk.size + 8
        self._tables, self._ragged = Tables(), dict[str, Ragged]()
        rows: list[Any] = []
        for operation in bulk.operations:
            if isinstance(operation, Map):
                rows += self._map(operation)
            elif isinstance(operation, SumOfProducts):
                rows += self._sum(operation)
            else:
                rows.append(self._fold(operation))
        self.descriptors = self._described(rows)
        self.tables = self._tables.array()
        self.functions = [run_type()(self._function())]

    def _map(self, operation: Map) -> list[tuple[int, ...]]:
        kernel = map_kernel(self.host, operation.primitive.name)
        tables = [self._tables.add(x) for x in operation.operands]
        target = operation.target
        if not len(target):
            return []
        return [(kernel, len(target), int(target[0]), *tables)]

    def _sum(self, operation: SumOfProducts) -> list[_Piece]:
        """Positive terms, then negative ones on top of them; each a ragged dot.

        Plain products beside guarded ones are guarded with them: they are shares of
        the same cotangents.
        """
        found: list[_Piece] = []
        least = int(any(part.strong for part in operation.terms))
        forms = {(p.sign, max(p.strong, least)) for p in operation.terms} or {(1, 0)}
        for sign, strong in sorted(forms, reverse=True):
            parts = [
                part
                for part in operation.terms
                if (part.sign, max(part.strong, least)) == (sign, strong)
            ]
            products = any(part.is_product for part in parts)
            kind = "dot" if products else "sum"
            ragged = self._ragged_for(kind, self.places.zero, products)
            name = f"{kind}_more" if found else kind
            how = sign, (0, 1, 3)[strong]
            found.append(self._piece(name, ragged, operation.target, parts, *how))
        return found

    def _fold(self, operation: SegmentReduce) -> _Piece:
        kind = operation.primitive.name
        pad = self.places.one if kind == "prod" else None
        part = Terms(1, operation.offsets, operation.groups)
        ragged = self._ragged_for(kind, pad, False)
        return self._piece(kind, ragged, operation.target, [part], 1, 0)

    def _ragged_for(self, kind: str, pad: int | None, products: bool) -> Ragged:
        ragged = self._ragged.get(kind)
        if ragged is None or ragged.full:
            if ragged:
                self._finish(ragged)
            ragged = self._ragged[kind] = Ragged(pad, products)
        return ragged

    def _finish(self, ragged: Ragged) -> None:
        ragged.finish(self.host.width, self.places, self._tables)

    def _piece(
        self,
        kind: str,
        ragged: Ragged,
        target: Ints,
        parts: list[Terms],
        sign: int,
        strong: int,
    ) -> _Piece:
        kernel = self.host.library(f"autograd.slices_{kind}_by_table")
        return _Piece(kernel, sign, strong, ragged, ragged.add(target, parts))

    def _described(self, rows: list[Any]) -> Ints:
        """Descriptors, with the places of all tables."""
        for ragged in self._ragged.values():
            self._finish(ragged)
        descriptors = np.zeros((len(rows), WORDS), np.int64)
        for k, row in enumerate(rows):
            if isinstance(row, _Piece):
                blocks, begins = row.ragged.where[row.number]
                row = row.kernel, blocks, row.sign, *begins, row.strong
            descriptors[k, : len(row)] = row
        return descriptors

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


def map_kernel(host: Engine, name: str) -> int:
    """The address of the kernel that applies a row elementwise, by tables."""
    symbol = f"autograd.map.{name}"
    return host.map_kernel(symbol, lambda: _map_text(host.width, name))


def _map_text(width: int, name: str) -> str:
    code, needed = Code(width), Needed()

    def word(k: int) -> str:
        return code.emit(f"load i64, ptr {code.at('%d', k, 'i64')}, align 8")

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

    def whole(i: Offset, _: list[str]) -> list[str]:
        block(i, None)
        return []

    full = code.times(code.over(count, width), width)
    code.loop(full, whole, step=width)
    rest = code.minus(count, full)
    some = code.emit(f"icmp sgt i64 {rest}, 0")
    code.when(some, lambda: block(str(full), code.first(rest)))
    head = f"define void @autograd.map.{name}(ptr %v, ptr %t, ptr %d) nounwind {{"
    parts = [declarations(width), module_text(needed, code.called), head, "entry:"]
    return "\n".join([*parts, *code.lines, "  ret void", "}"])
