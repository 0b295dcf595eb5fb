"""Native entries: builtin functions around compiled programs, called in tens of ns.

A call through Python code costs microseconds. An entry is a builtin function
(METH_FASTCALL | METH_KEYWORDS) whose machine code checks its arguments, copies their
numbers into the program's memory, runs the program, and makes the result. It is the
same code for all entries, compiled once in a process; it walks *nodes*, rows of words
that describe arguments and results, in a table reached through the builtin's ``self``.
What is not exactly as the nodes say goes on, unchanged, to a fallback in Python: errors
are never decided here.

Objects are read at fixed offsets, as the C API's macros do. The offsets are compared
with what Python says before the first use; where they disagree there are no entries.

Sources: CPython, *Python/C API*, "Common Object Structures" (METH_FASTCALL,
PyMethodDef) and "Call Protocol" (vectorcall); *NumPy C-API*, "Array API"
(PyArray_NewFromDescr) and "Python types and C-structures" (PyArrayObject).
"""

from __future__ import annotations

import ctypes
import importlib
import re
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, TypeAlias

import numpy as np

from autograd.compiler.engine import engine
from autograd.errors import MissingDependencyError
from autograd.modes import MODES

__all__ = ["Leaf", "Tree", "attach", "native_entry"]


@dataclass(frozen=True)
class Leaf:
    """A float, or a float64 array of some shape, and where it begins in the memory."""

    start: int
    shape: tuple[int, ...] | None = None  # None: a float


Tree: TypeAlias = "Leaf | list[Tree] | tuple[Tree, ...]"

_kept: list[Any] = []  # the machine code of all entries
FLOAT64, OUT = np.dtype(np.float64), sys.intern("out")
NUMBER, INPUT, OUTPUT, TUPLE, LIST = range(5)  # kinds of nodes
NEAT, WRITEABLE = 0x101, 0x400  # flags of arrays: C-contiguous and aligned
CONTAINERS = {tuple: (TUPLE, "PyTuple_New"), list: (LIST, "PyList_New")}
DECLARED = [
    "ptr @PyFloat_FromDouble(double)",
    "ptr @PyTuple_New(i64)",
    "ptr @PyList_New(i64)",
    "ptr @PyArray_NewFromDescr(ptr, ptr, i32, ptr, ptr, ptr, i32, ptr)",
    "ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)",
    "void @Py_IncRef(ptr)",
    "void @Py_DecRef(ptr)",
    "i32 @PyGC_Enable()",
    "i32 @PyGC_Disable()",
    "i32 @memcmp(ptr, ptr, i64)",
    "void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
]
# The machine code, with three shorthands: "fields %x: T %y n" loads the T that lies n
# bytes behind %x; "if T x y a b" goes to a where they are equal, to b otherwise, and
# "need T x y else b" goes on or to b. ITEMS is where a tuple's items begin.
#
# A node's words: type, kind, size in bytes, place in the memory, bytes there, flags,
# axes or length, dtype or constructor or other type (numpy's float64), shape. @take checks an object and copies its
# numbers into the memory (none of an output); @put copies out. Both return the node
# behind theirs, @take null where the object is not as its node says. @make makes the
# result of the node at a cursor, and advances it. Containers are made while the garbage
# collector is off: it could run Python code that calls the program again, and then the
# memory would hold other results.
TEXT = """
define internal ptr @items(ptr %x, i64 %kind) nounwind {
  %inside = getelementptr i8, ptr %x, i64 ITEMS
  fields %x: ptr %outside 24
  %tuple = icmp eq i64 %kind, 3
  %items = select i1 %tuple, ptr %inside, ptr %outside
  ret ptr %items
}
define internal ptr @each(ptr %xs, i64 %count, ptr %n, ptr %function) nounwind {
start:
  br label %loop
loop:
  %i = phi i64 [ 0, %start ], [ %j, %one ]
  %m = phi ptr [ %n, %start ], [ %next, %one ]
  if i64 %i %count end one
one:
  %j = add i64 %i, 1
  %place = getelementptr ptr, ptr %xs, i64 %i
  %x = load ptr, ptr %place
  %next = call ptr %function(ptr %x, ptr %m)
  if ptr %next null end loop
end:
  %result = phi ptr [ %m, %loop ], [ null, %one ]
  ret ptr %result
}
define internal ptr @take(ptr %x, ptr %n) nounwind {
  fields %x: ptr %type 8
  fields %n: ptr %wanted 0, i64 %kind 8, i64 %size 16, ptr %place 24, i64 %count 48
  %next = getelementptr i8, ptr %n, i64 %size
  if ptr %type %wanted known other
other:
  fields %n: ptr %also 56
  need ptr %type %also else no
  br label %known
known:
  switch i64 %kind, label %flat [
    i64 0, label %one i64 3, label %many i64 4, label %many]
one:
  fields %x: double %number 16
  store double %number, ptr %place
  ret ptr %next
flat:
  fields %x: i32 %axes 24, ptr %dims 32, ptr %dtype 56, i32 %flags 64
  fields %n: i32 %mask 40, i32 %rank 48, ptr %float64 56
  need ptr %dtype %float64 else no
  %set = and i32 %flags, %mask
  need i32 %set %mask else no
  need i32 %axes %rank else no
  if i32 %rank 0 fits ranked
ranked:
  %shape = getelementptr i8, ptr %n, i64 64
  %length = sub i64 %size, 64
  %differ = call i32 @memcmp(ptr %dims, ptr %shape, i64 %length)
  if i32 %differ 0 fits no
fits:
  if i64 %kind 1 input end
input:
  fields %x: ptr %data 16
  fields %n: i64 %bytes 32
  call void @llvm.memcpy.p0.p0.i64(ptr %place, ptr %data, i64 %bytes, i1 false)
  ret ptr %next
many:
  fields %x: i64 %have 16
  need i64 %have %count else no
  %items = call ptr @items(ptr %x, i64 %kind)
  %last = call ptr @each(ptr %items, i64 %count, ptr %next, ptr @take)
  ret ptr %last
end:
  ret ptr %next
no:
  ret ptr null
}
define internal ptr @put(ptr %x, ptr %n) nounwind {
  fields %n: i64 %kind 8, i64 %size 16, ptr %place 24, i64 %bytes 32, i64 %count 48
  %next = getelementptr i8, ptr %n, i64 %size
  if i64 %kind 2 flat many
flat:
  fields %x: ptr %data 16
  call void @llvm.memcpy.p0.p0.i64(ptr %data, ptr %place, i64 %bytes, i1 false)
  ret ptr %next
many:
  %items = call ptr @items(ptr %x, i64 %kind)
  %last = call ptr @each(ptr %items, i64 %count, ptr %next, ptr @put)
  ret ptr %last
}
define internal ptr @make(ptr %cursor) nounwind {
start:
  %n = load ptr, ptr %cursor
  fields %n: ptr %type 0, i64 %kind 8, i64 %size 16, ptr %place 24, i64 %count 48
  fields %n: i32 %axes 48, ptr %extra 56
  %next = getelementptr i8, ptr %n, i64 %size
  store ptr %next, ptr %cursor
  switch i64 %kind, label %many [i64 0, label %one i64 2, label %flat]
one:
  fields %place: double %number 0
  %float = call ptr @PyFloat_FromDouble(double %number)
  ret ptr %float
flat:
  call void @Py_IncRef(ptr %extra)
  %shape = getelementptr i8, ptr %n, i64 64
  %array = call ptr @PyArray_NewFromDescr(ptr %type, ptr %extra, i32 %axes, ptr %shape,
    ptr null, ptr null, i32 0, ptr null)
  if ptr %array null no filled
filled:
  call ptr @put(ptr %array, ptr %n)
  ret ptr %array
many:
  %whole = call ptr %extra(i64 %count)
  if ptr %whole null no parts
parts:
  %items = call ptr @items(ptr %whole, i64 %kind)
  br label %loop
loop:
  %i = phi i64 [ 0, %parts ], [ %j, %set ]
  if i64 %i %count done part
part:
  %j = add i64 %i, 1
  %x = call ptr @make(ptr %cursor)
  if ptr %x null drop set
set:
  %at = getelementptr ptr, ptr %items, i64 %i
  store ptr %x, ptr %at
  br label %loop
done:
  ret ptr %whole
drop:
  call void @Py_DecRef(ptr %whole)
  ret ptr null
no:
  ret ptr null
}
define ptr @autograd.entry(ptr %self, ptr %args, i64 %given, ptr %names) nounwind {
  %cursor = alloca ptr
  fields %self: ptr %record ITEMS
  fields %record: ptr %t 16
  fields %t: ptr %run 0, ptr %memory 8, ptr %tables 16, ptr %fallback 24, ptr %modes 32
  fields %t: ptr %idle 40, i64 %count 48, ptr %wanted 64, ptr %results 72, ptr %outs 80
  fields %modes: ptr %active 0
  need ptr %active %idle else other
  if i64 %given %count counted other
counted:
  if ptr %names null inputs named
named:
  fields %names: i64 %some 16, ptr %name ITEMS
  fields %t: ptr %expected 56
  need i64 %some 1 else other
  if ptr %name %expected into other
into:
  %at = getelementptr ptr, ptr %args, i64 %given
  %target = load ptr, ptr %at
  %fits = call ptr @take(ptr %target, ptr %outs)
  if ptr %fits null other inputs
inputs:
  %out = phi ptr [ null, %counted ], [ %target, %into ]
  %fine = call ptr @each(ptr %args, i64 %count, ptr %wanted, ptr @take)
  if ptr %fine null other go
go:
  call void %run(ptr %memory, ptr %tables)
  if ptr %out null fresh written
written:
  call ptr @put(ptr %out, ptr %outs)
  call void @Py_IncRef(ptr %out)
  ret ptr %out
fresh:
  store ptr %results, ptr %cursor
  fields %results: i64 %kind 8
  %many = icmp ugt i64 %kind, 2
  br i1 %many, label %container, label %leaf
leaf:
  %single = call ptr @make(ptr %cursor)
  ret ptr %single
container:
  %was = call i32 @PyGC_Disable()
  %whole = call ptr @make(ptr %cursor)
  if i32 %was 0 done collect
collect:
  call i32 @PyGC_Enable()
  br label %done
done:
  ret ptr %whole
other:
  %r = call ptr @PyObject_Vectorcall(ptr %fallback, ptr %args, i64 %given, ptr %names)
  ret ptr %r
}
"""


def _expanded(text: str) -> str:
    """The IR that the shorthands stand for, with declarations."""

    def loads(line: re.Match[str]) -> str:
        fields = [field.split() for field in line[2].split(",")]
        return "\n".join(
            f"  {name}.at = getelementptr i8, ptr {line[1]}, i64 {offset}\n"
            f"  {name} = load {kind}, ptr {name}.at"
            for kind, name, offset in fields
        )

    def branch(line: re.Match[str]) -> str:
        word, kind, a, b, yes, no = line.groups()
        k = line.start()
        label, yes = ("", yes) if word == "if" else (f"\nyes{k}:", f"yes{k}")
        test = f"  %if{k} = icmp eq {kind} {a}, {b}"
        return f"{test}\n  br i1 %if{k}, label %{yes}, label %{no}{label}"

    text = text.replace("ITEMS", str(tuple.__basicsize__))
    text = re.sub(r"  fields (%\w+): (.*)", loads, text)
    text = re.sub(r"  (if|need) (\S+) (\S+) (\S+) (\w+) (\w+)", branch, text)
    return "\n".join([*[f"declare {line}" for line in DECLARED], text])


def _words(address: int, count: int) -> list[int]:
    return list((ctypes.c_ssize_t * count).from_address(address))


def _samples() -> list[Any]:
    """Arrays that differ in all that is read of one."""
    whole, fixed, bytes_ = (
        np.arange(24.0).reshape(2, 3, 4),
        np.ones(3),
        np.zeros(17, "i1"),
    )
    fixed.flags.writeable = False
    views = [whole.T, whole[:, 1:, ::2], whole[0, 0], bytes_[1:].view("f8")]
    others = [fixed.astype(">f8"), fixed.astype("i4"), np.array(2.0), np.zeros((0, 2))]
    return [whole, fixed, *views, *others, fixed.view(type("Own", (np.ndarray,), {}))]


def _as_assumed() -> bool:
    """Whether arrays, floats, tuples and lists lie in memory as TEXT reads them."""
    for a in _samples():
        _, kind, data, axes, dims, _, _, dtype, flags = _words(id(a), 9)
        seen = kind, data, axes & 0xFFFFFFFF, dtype, flags & 0xFFFFFFFF
        pointer = a.__array_interface__["data"][0]
        if seen != (id(type(a)), pointer, a.ndim, id(a.dtype), a.flags.num):
            return False
        if a.ndim and tuple(_words(dims, a.ndim)) != a.shape:
            return False
    floats = [0.5, -1e300, float("inf")]
    items, first = tuple(floats), tuple.__basicsize__
    _, kind, length, outside = _words(id(floats), 4)
    return (
        [kind, length, id(tuple), 3] == [id(list), 3, *_words(id(items), 3)[1:]]
        and _words(outside, 3) == [*map(id, floats)] == _words(id(items) + first, 3)
        and all(_words(id(x), 2)[1] == id(float) for x in floats)
        and all(ctypes.c_double.from_address(id(x) + 16).value == x for x in floats)
    )


def _function(name: str, *kinds: Any) -> Any:
    """A function of CPython's C API: its result's type and its arguments'."""
    return ctypes.PYFUNCTYPE(*kinds)((name, ctypes.pythonapi))


def _address(name: str) -> int:
    """Where a function of CPython's C API is."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def _new_array() -> int:
    """The address of PyArray_NewFromDescr; 0 where numpy's table is not known."""
    try:
        module = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        module = importlib.import_module("numpy.core._multiarray_umath")
    kinds = ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p
    api = _function("PyCapsule_GetPointer", *kinds)(module._ARRAY_API, None)
    table = _words(api, 95)
    version = ctypes.CFUNCTYPE(ctypes.c_uint)(table[0])()
    if version not in (0x01000009, 0x02000000) or table[2] != id(np.ndarray):
        return 0
    dtype = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_int)(table[45])(12)
    return table[94] if dtype is FLOAT64 else 0


@cache
def _modes() -> int:
    """The address of the pointer ``MODES.active``; 0 if it is not found."""
    with MODES.lock:
        words = _words(id(MODES), type(MODES).__basicsize__ // 8)
        active = id(MODES.active)
    return id(MODES) + 8 * words.index(active) if active in words else 0


def _usual() -> bool:
    """Whether this is CPython with a GIL, on 64 bits, with objects as assumed."""
    return (
        sys.implementation.name == "cpython"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and sys.byteorder == "little"
        and ctypes.sizeof(ctypes.c_void_p) == 8
        and object.__basicsize__ == 16
        and _as_assumed()
    )


@cache
def _machine() -> int:
    """The address of the machine code of all entries; 0 where there can be none."""
    new_array = _new_array() if _usual() and _modes() else 0
    if not new_array:
        return 0
    try:
        host = engine()
    except MissingDependencyError:
        return 0
    for name in re.findall(r"@(Py\w+)", "".join(DECLARED)):
        ours = name == "PyArray_NewFromDescr"
        host.llvm.add_symbol(name, new_array if ours else _address(name))
    linked = host.compiled(_expanded(TEXT))
    _kept.append(linked)
    return linked("autograd.entry")


def _nodes(tree: Tree, memory: int, kind: int) -> list[int]:
    """The words of a tree's nodes; arrays are of this kind, INPUT or OUTPUT."""
    if not isinstance(tree, Leaf):
        number, maker = CONTAINERS[type(tree)]
        count, made = len(tree), _address(maker)
        words = [id(type(tree)), number, 64, 0, 0, 0, count, made]
        return words + [word for part in tree for word in _nodes(part, memory, kind)]
    place = memory + 8 * tree.start
    if tree.shape is None:
        return [id(float), NUMBER, 64, place, 8, 0, 0, id(np.float64)]
    flags = NEAT | WRITEABLE if kind == OUTPUT else NEAT
    axes, size = len(tree.shape), 8 * prod(tree.shape)
    words = [id(np.ndarray), kind, 64 + 8 * axes, place, size, flags, axes, id(FLOAT64)]
    return [*words, *tree.shape]


def _arrays(tree: Tree) -> Tree:
    """What ``out`` looks like: arrays without axes for floats."""
    if isinstance(tree, Leaf):
        return tree if tree.shape is not None else Leaf(tree.start, ())
    parts = [_arrays(part) for part in tree]
    return parts if isinstance(tree, list) else tuple(parts)


def _table(words: list[int], parts: list[list[int]]) -> Any:
    """What the machine code reads: words, the addresses of the parts, the parts."""
    starts = np.cumsum([len(words) + len(parts), *map(len, parts)])
    table = np.zeros(starts[-1], np.int64)
    places = table.ctypes.data + 8 * starts[:-1]
    table[:] = [*words, *places.tolist(), *(word for part in parts for word in part)]
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
    new = _function("PyCFunction_NewEx", *kinds)
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
    keep : whatever has to live as long as the entry: owners of the addresses.
    """
    code = _machine()
    if not code:
        return None
    given = [word for tree in arguments for word in _nodes(tree, memory, INPUT)]
    outputs = [_nodes(tree, memory, OUTPUT) for tree in (result, _arrays(result))]
    words = [run, memory, tables, id(fallback), _modes(), id(0), len(arguments)]
    table = _table([*words, id(OUT)], [given, *outputs])
    name = getattr(fallback, "__name__", "compiled")
    return _builtin(name, code, table, fallback, keep, engine())


def attach(instance: Any, entry: Callable[..., Any]) -> None:
    """Let ``instance(...)`` call an entry, or another one than before.

    The instance gets a class of its own, derived from its class, with the builtin as
    ``__call__``: a builtin is no descriptor, so it is called without ``self``.
    """
    kind: Any = type(instance)
    if "__attached__" not in vars(kind):
        names = {"__slots__": (), "__attached__": True, "__doc__": kind.__doc__}
        names |= {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        kind = instance.__class__ = type(kind.__name__, (kind,), names)
    kind.__call__ = entry
