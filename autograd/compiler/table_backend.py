"""Irregular programs: a list of descriptors, run by machine code that is there already.

Code for every loop of a program pays as long as loops are few. An irregular program has
thousands of short ones, and compiling them would take longer than running them for
days. Here an operation is a row of numbers, its *descriptor*: which kernel, how many
results, and where its index tables begin. Kernels gather their operands by tables;
there is one for each row of the table, compiled on first use.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.compiler.bulk import Bulk, Map, Operation, Reduce, Sum, Terms
from autograd.compiler.calls import FOLDS, sliced
from autograd.compiler.code import Code, declarations
from autograd.compiler.engine import Engine, engine, run_type
from autograd.compiler.layout import Layout
from autograd.compiler.loops import Tables
from autograd.compiler.program import Ints, starts_of
from autograd.compiler.vector_math import Needed, emit_row, module_text
from autograd.primitives import TABLE

__all__ = ["TableProgram", "fits"]

WORDS = 8  # of a descriptor: kernel, count, target, then where tables begin


def fits(bulk: Bulk) -> bool:
    """Whether descriptors can say everything that a program does."""
    if bulk.batch or any(operation.loop for operation in bulk.operations):
        return False
    return all(map(_is_known, bulk.operations))


def _is_known(operation: Operation) -> bool:
    if isinstance(operation, Sum):
        return True
    row = operation.row
    if TABLE.get(row.name) is not row:
        return False
    if isinstance(operation, Reduce):
        return row.name in FOLDS and bool((np.diff(operation.starts) > 0).all())
    target = operation.target
    return bool((np.diff(target) == 1).all())


class TableProgram:
    """Descriptors, their tables, and the function that runs them."""

    foreign: tuple[Any, ...] = ()
    regions: tuple[int, ...] = ()

    def __init__(self, bulk: Bulk) -> None:
        self.bulk, self.layout = bulk, Layout(bulk, 0)
        self.host = engine()
        self.zero, self.one, self.dump = range(bulk.size, bulk.size + 3)
        self.places, self.spare = (self.zero, self.one, self.dump), 0
        self.slots = bulk.size + 8
        self.rows: list[tuple[int, ...]] = []
        self._tables = Tables()
        self._positions: dict[int, tuple[Ints, int]] = {}
        for operation in bulk.operations:
            if isinstance(operation, Map):
                self._map(operation)
            elif isinstance(operation, Sum):
                self._sum(operation)
            else:
                self._fold(operation)
        self.tables = self._tables.array()
        self.descriptors = np.zeros((len(self.rows), WORDS), np.int64)
        for k, row in enumerate(self.rows):
            self.descriptors[k, : len(row)] = row
        self.run = run_type()(self._function())

    def _map(self, operation: Map) -> None:
        kernel = map_kernel(self.host, operation.row.name)
        tables = [self._tables.add(x) for x in operation.operands]
        target = operation.target
        if len(target):
            self.rows.append((kernel, len(target), int(target[0]), *tables))

    def _sum(self, operation: Sum) -> None:
        """Positive terms, then negative ones on top of them; each a ragged dot."""
        n = len(operation.target)
        signs = {part.sign for part in operation.terms} or {1}
        for number, sign in enumerate(sorted(signs, reverse=True)):
            parts = [part for part in operation.terms if part.sign == sign]
            left, right, starts = self._merged(parts, n)
            kind = "dot" if right is not None else "sum"
            if number:
                kind += "_more"
            self._slices(kind, operation.target, starts, left, right, self.zero, sign)

    def _merged(self, parts: list[Terms], n: int) -> tuple[Ints, Ints | None, Ints]:
        """Parts as one: a plain term is a product with 1."""
        if len(parts) == 1:
            return parts[0].left, parts[0].right, parts[0].starts
        nothing = np.zeros(0, np.int64)
        rows = np.concatenate([nothing, *[part.rows for part in parts]])
        order = np.argsort(rows, kind="stable")
        left = np.concatenate([nothing, *[part.left for part in parts]])[order]
        starts = starts_of(rows, n)
        if all(part.right is None for part in parts):
            return left, None, starts
        rights = [
            part.right if part.right is not None else np.full(len(part.left), self.one)
            for part in parts
        ]
        return left, np.concatenate(rights)[order], starts

    def _fold(self, operation: Reduce) -> None:
        name = operation.row.name
        pad = self.one if name == "prod" else None
        group = operation.groups[0]
        self._slices(name, operation.target, operation.starts, group, None, pad, 1)

    def _slices(
        self,
        kind: str,
        target: Ints,
        starts: Ints,
        left: Ints,
        right: Ints | None,
        pad: int | None,
        sign: int,
    ) -> None:
        streams = [left] if right is None else [left, right]
        width = self.host.width
        entries = sliced(width, target, starts, streams, pad, self.zero, self.dump)
        where = [self._tables.add(entry) for entry in entries]
        if len(where) < 4:
            where.append(where[2])
        kernel = self.host.library(f"autograd.slices_{kind}_by_table")
        self.rows.append((kernel, len(entries[0]), sign, *where))

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
    if name not in host.map_kernels:
        host.map_kernels[name] = host.compiled(_map_text(host.width, name))
    return host.map_kernels[name](f"autograd.map.{name}")


def _map_text(width: int, name: str) -> str:
    code, needed = Code(width), Needed()

    def word(k: int) -> str:
        return code.emit(f"load i64, ptr {code.at('%d', k, 'i64')}, align 8")

    count, target = word(1), code.at("%v", word(2))
    arity = TABLE[name].arity or 1
    tables = [code.at("%t", word(3 + k), "i32") for k in range(arity)]

    def block(i: str, mask: str | None) -> None:
        operands = [
            code.gather("%v", code.load_indices(code.at(table, i, "i32"), mask), mask)
            for table in tables
        ]
        value = emit_row(code.lanes, name, operands, needed)
        code.store(value, code.at(target, i), mask)

    def whole(i: str, _: list[str]) -> list[str]:
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
