"""Native entries: builtin functions around compiled programs, called in tens of ns.

A call through Python code costs microseconds. An entry is a builtin function
(METH_FASTCALL | METH_KEYWORDS) whose machine code checks its arguments, copies their
numbers into the program's memory, runs the program, and makes the result. It is the
same code for all entries, compiled once in a process; it walks *nodes*, rows of words
that describe arguments and results, in a table reached through the builtin's ``self``.
What is not exactly as the nodes say goes on, unchanged, to a fallback in Python: errors
are never decided here.

    f(x, [y, z]) with x, y, z at the memory's places 0, 1, 2 is described by
    NUMBER at 0 | LIST of 2 | NUMBER at 8 | NUMBER at 16     (kinds, bytes)

Objects are read at fixed offsets, as the C API's macros do. The offsets are compared
with what Python says before the first use; where they disagree there are no entries.

Sources: CPython, *Python/C API*, "Common Object Structures" (METH_FASTCALL,
PyMethodDef) and "Call Protocol" (vectorcall); *NumPy C-API*, "Array API"
(PyArray_NewFromDescr) and "Python types and C-structures" (PyArrayObject).
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from autograd.compiler.entry.machine_code import (
    DECLARED,
    TEXT,
    api_address,
    api_function,
    expanded,
    is_as_assumed,
    new_array_address,
)
from autograd.compiler.llvm.engine import Linked, engine
from autograd.errors import MissingDependencyError
from autograd.graph.modes import MODES


@dataclass(frozen=True)
class Leaf:
    """A number, or a float64 array of some shape, and where it begins in the memory.

    As arguments, integers and int64 arrays do as well.
    """

    start: int
    shape: tuple[int, ...] | None = None  # None: a float
    slot: int | None = None  # of the memory, for the distance of an array left alone


Tree: TypeAlias = "Leaf | list[Tree] | tuple[Tree, ...]"

FLOAT64, INT64, OUT = np.dtype(np.float64), np.dtype(np.int64), sys.intern("out")
NUMBER, INPUT, OUTPUT, TUPLE, LIST, NEAR, RESULT = range(7)  # kinds of nodes
NEAT, WRITEABLE = 0x101, 0x400  # flags of arrays: C-contiguous and aligned
_READ = MODES.active, OUT, FLOAT64, INT64, np.ndarray, np.float64  # by their addresses
CONTAINERS = {tuple: (TUPLE, "PyTuple_New"), list: (LIST, "PyList_New")}


@cache
def _machine() -> Linked | None:
    """The machine code of all entries; None where there can be none."""
    new_array = new_array_address() if is_as_assumed() else 0
    if not new_array:
        return None
    try:
        host = engine()
    except MissingDependencyError:
        return None
    names = re.findall(r"@(Py\w+)", "".join(DECLARED))
    host.name({name: api_address(name) for name in names if name[:8] != "PyArray_"})
    host.name({"PyArray_NewFromDescr": new_array})
    return host.compiled(expanded(TEXT))


def _nodes(
    tree: Tree, memory: int, kind: int, hull: int = 0, seen: int = 0
) -> list[int]:
    """The words of a tree's nodes; arrays are of this kind, INPUT or OUTPUT.

    With a hull, arrays that have a slot stay where they are. Arrays to write into are
    listed in what has been seen.
    """
    if not isinstance(tree, Leaf):
        number, maker = CONTAINERS[type(tree)]
        count, made = len(tree), api_address(maker)
        words = [id(type(tree)), number, 64, 0, 0, 0, count, made]
        inner = [_nodes(part, memory, kind, hull, seen) for part in tree]
        return words + [word for part in inner for word in part]
    place = memory + 8 * tree.start
    if tree.shape is None:
        return [id(float), NUMBER, 64, place, 8, id(int), 0, id(np.float64)]
    flags = NEAT | WRITEABLE if kind == OUTPUT else NEAT
    axes, size = len(tree.shape), 8 * prod(tree.shape)
    more = [id(INT64)]
    if hull and tree.slot is not None:
        kind = NEAR if kind == INPUT else RESULT
        more += [memory + 8 * tree.slot, hull, seen]
    elif seen:
        more += [0, 0, seen]
    length = 64 + 8 * (axes + len(more))
    words = [id(np.ndarray), kind, length, place, size, flags, axes, id(FLOAT64)]
    return [*words, *tree.shape, *more]


def _count(tree: Tree) -> int:
    return 1 if isinstance(tree, Leaf) else sum(map(_count, tree))


def _arrays(tree: Tree) -> Tree:
    """What ``out`` looks like: arrays without axes for floats."""
    if isinstance(tree, Leaf):
        return tree if tree.shape is not None else Leaf(tree.start, (), tree.slot)
    parts = [_arrays(part) for part in tree]
    return parts if isinstance(tree, list) else tuple(parts)


def _table(words: list[int], more: list[int], parts: list[list[int]]) -> Any:
    """What the machine code reads: words, addresses of the parts, more words, parts."""
    starts = np.cumsum([len(words) + len(parts) + len(more), *map(len, parts)])
    table = np.zeros(starts[-1], np.int64)
    places = (table.ctypes.data + 8 * starts[:-1]).tolist()
    table[:] = [*words, *places, *more, *(word for part in parts for word in part)]
    return table


class _Definition(ctypes.Structure):
    """PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def _builtin(name: str, code: int, table: Any, *owned: Any) -> Callable[..., Any]:
    """A builtin whose ``self`` owns all that its code refers to, the table first."""
    flags = 0x80 | 0x02  # METH_FASTCALL | METH_KEYWORDS
    doc = b"A compiled function's machine code."
    definition = _Definition(name.encode(), code, flags, doc)
    kinds = ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p
    new = api_function("PyCFunction_NewEx", *kinds)
    itself = table, definition, *owned
    built: Callable[..., Any] = new(ctypes.addressof(definition), itself, None)
    return built


def native_entry(
    run: int,
    memory: int,
    tables: int,
    arguments: Sequence[Tree],
    result: Tree,
    fallback: Callable[..., Any],
    keep: Any = None,
    slots: tuple[int, int] = (0, 0),
) -> Callable[..., Any] | None:
    """A builtin function that runs a compiled program; None where that cannot be.

    Parameters
    ----------
    run : address of ``void run(double *memory, int32_t *tables)``. It must not call
        Python: the GIL stays held, and the memory is used without a lock.
    memory, tables : addresses of its arguments. Nobody else may use the memory: give
        each entry a memory of its own.
    arguments : for each positional argument, what it must look like and where in the
        memory its numbers go.
    result : what to return, or to write into arrays of the same structure, given as
        ``out=`` (arrays without axes for floats).
    fallback : called with everything that is not exactly like that, and while modes
        are active. It must not be what calls the entry.
    slots : the first place in the memory for distances of arrays, and how many.
    keep : whatever has to live as long as the entry: owners of the addresses.
    """
    linked = _machine()
    if linked is None:
        return None
    hull = np.zeros(2, np.int64)
    at = int(hull.ctypes.data)
    listed = np.zeros(1 + 2 * _count(result), np.int64)
    seen = int(listed.ctypes.data)
    given = [word for tree in arguments for word in _nodes(tree, memory, INPUT, at)]
    fresh = _nodes(result, memory, OUTPUT)
    there = _nodes(_arrays(result), memory, OUTPUT, at, seen)
    words = [run, memory, tables, id(fallback), id(MODES.active), 0, len(arguments)]
    more = [memory + 8 * slots[0], 8 * slots[1], at, seen]
    table = _table([*words, id(OUT)], more, [given, fresh, there])
    name = getattr(fallback, "__name__", "compiled")
    owned = linked, fallback, keep, hull, listed, *_READ
    return _builtin(name, linked("autograd.entry"), table, *owned)
