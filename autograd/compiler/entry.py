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

FLOAT64, OUT = np.dtype(np.float64), sys.intern("out")
NUMBER, INPUT, OUTPUT, TUPLE, LIST = range(5)  # kinds of nodes
NEAT, WRITEABLE = 0x101, 0x400  # flags of arrays: C-contiguous and aligned
API = {
    "PyFloat_FromDouble": "double",
    "PyTuple_New": "i64",
    "PyList_New": "i64",
    "PyObject_Vectorcall": "ptr, ptr, i64, ptr",
    "Py_IncRef": "ptr",
    "Py_DecRef": "ptr",
    "PyGC_Enable": "",
    "PyGC_Disable": "",
    "PyArray_NewFromDescr": "ptr, ptr, i32, ptr, ptr, ptr, i32, ptr",
    "memcmp": "ptr, ptr, i64",
}
# Two shorthands: "fields %x: T %y n" loads the T that lies n bytes behind %x, and
# "if T %x %y a b" goes to a where they are equal, to b otherwise. ITEMS is where a
# tuple's items begin. @check and @move return the node behind theirs, @check null where
# the object is not as its node says. The words of a node: type, kind, size in bytes,
# place in the memory, bytes there, flags, axes or length, dtype or constructor, shape.
# Containers are made while the garbage collector is off: it could run Python code that
# calls the program again, and then the memory would hold other results.
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
define internal ptr @check(ptr %x, ptr %n) nounwind {
  fields %x: ptr %type 8
  fields %n: ptr %wanted 0, i64 %kind 8, i64 %size 16, i64 %count 48
  %next = getelementptr i8, ptr %n, i64 %size
  if ptr %type %wanted right no
right:
  switch i64 %kind, label %many [i64 0, label %yes i64 1, label %flat i64 2, label %flat]
flat:
  fields %x: i32 %axes 24, ptr %dims 32, ptr %dtype 56, i32 %flags 64
  fields %n: i32 %mask 40, i32 %rank 48, ptr %float64 56
  if ptr %dtype %float64 floats no
floats:
  %set = and i32 %flags, %mask
  if i32 %set %mask neat no
neat:
  if i32 %axes %rank ranked no
ranked:
  %shape = getelementptr i8, ptr %n, i64 64
  %length = sub i64 %size, 64
  %differ = call i32 @memcmp(ptr %dims, ptr %shape, i64 %length)
  if i32 %differ 0 yes no
many:
  fields %x: i64 %have 16
  if i64 %have %count full no
full:
  %items = call ptr @items(ptr %x, i64 %kind)
  %last = call ptr @each(ptr %items, i64 %count, ptr %next, ptr @check)
  ret ptr %last
yes:
  ret ptr %next
no:
  ret ptr null
}
define internal ptr @move(ptr %x, ptr %n) nounwind {
  fields %n: i64 %kind 8, i64 %size 16, ptr %place 24, i64 %bytes 32, i64 %count 48
  %next = getelementptr i8, ptr %n, i64 %size
  switch i64 %kind, label %many [i64 0, label %one i64 1, label %flat i64 2, label %flat]
one:
  fields %x: double %number 16
  store double %number, ptr %place
  ret ptr %next
flat:
  fields %x: ptr %data 16
  %in = icmp eq i64 %kind, 1
  %to = select i1 %in, ptr %place, ptr %data
  %from = select i1 %in, ptr %data, ptr %place
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 false)
  ret ptr %next
many:
  %items = call ptr @items(ptr %x, i64 %kind)
  %last = call ptr @each(ptr %items, i64 %count, ptr %next, ptr @move)
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
  call ptr @move(ptr %array, ptr %n)
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
  fields %t: ptr %idle 40, i64 %count 48, ptr %inputs 56, ptr %results 64, ptr %outs 72
  fields %modes: ptr %active 0
  if ptr %active %idle idle other
idle:
  if i64 %given %count counted other
counted:
  if ptr %names null inputs named
named:
  fields %names: i64 %some 16, ptr %name ITEMS
  fields %t: ptr %expected 80
  if i64 %some 1 single other
single:
  if ptr %name %expected into other
into:
  %at = getelementptr ptr, ptr %args, i64 %given
  %target = load ptr, ptr %at
  %fits = call ptr @check(ptr %target, ptr %outs)
  if ptr %fits null other inputs
inputs:
  %out = phi ptr [ null, %counted ], [ %target, %into ]
  %fine = call ptr @each(ptr %args, i64 %count, ptr %inputs, ptr @check)
  if ptr %fine null other go
go:
  call ptr @each(ptr %args, i64 %count, ptr %inputs, ptr @move)
  call void %run(ptr %memory, ptr %tables)
  if ptr %out null fresh written
written:
  call ptr @move(ptr %out, ptr %outs)
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
