"""The machine code of native entries; and whether objects lie in memory as it reads.

The code is LLVM IR with three shorthands. It reads numbers, arrays and containers at
fixed offsets, which are compared with what Python says before their first use.
"""

from __future__ import annotations

import ctypes
import importlib
import re
import sys
import sysconfig
from typing import Any

import numpy as np

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
    "double @PyLong_AsDouble(ptr)",
    "ptr @PyErr_Occurred()",
    "void @PyErr_Clear()",
    "i32 @memcmp(ptr, ptr, i64)",
    "void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
    "void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
    "i64 @llvm.umin.i64(i64, i64)",
    "i64 @llvm.umax.i64(i64, i64)",
]


# The machine code, with three shorthands: "fields %x: T %y n" loads the T that lies n
# bytes behind %x; "if T x y a b" goes to a where they are equal, to b otherwise, and
# "need T x y else b" goes on or to b. ITEMS is where a tuple's items begin.
#
# A node's words: type, kind, size in bytes, place in the memory, bytes there, flags,
# axes or length, dtype or constructor or other type (numpy's float64), shape. In place
# of flags a number's node has Python's int, whose objects are converted; so are inputs
# of the dtype that follows the shape, numpy's int64. @take checks an object and copies
# its numbers into the memory (none of an output); @put copies out. Both return the node
# behind theirs, @take null where the object is not as its node says. @make makes the
# result of the node at a cursor, and advances it.
#
# Kinds 5 and 6 are arrays that are read and written where they are. Behind that dtype
# follow the address of a slot, for the distance from their place in the memory, and
# that of the hull of all results: what may lie in it is not read there, but copied.
# Arrays to write into are listed as begin and end, after their count: one that shares
# memory with an earlier one is not as its node says.
#
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
define internal ptr @take(ptr %x, ptr %n) nounwind {
  fields %x: ptr %type 8
  fields %n: ptr %wanted 0, i64 %kind 8, i64 %size 16, ptr %place 24, i64 %count 48
  %next = getelementptr i8, ptr %n, i64 %size
  if ptr %type %wanted known other
other:
  fields %n: ptr %also 56
  if ptr %type %also known integer
integer:
  fields %n: ptr %int 40
  need i64 %kind 0 else no
  need ptr %type %int else no
  %converted = call double @PyLong_AsDouble(ptr %x)
  store double %converted, ptr %place
  %doubtful = fcmp oeq double %converted, -1.0
  br i1 %doubtful, label %doubt, label %end
doubt:
  %error = call ptr @PyErr_Occurred()
  if ptr %error null end huge
huge:
  call void @PyErr_Clear()
  ret ptr null
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
  %wide = zext i32 %rank to i64
  %length = shl i64 %wide, 3
  %skip = add i64 %length, 64
  %more = getelementptr i8, ptr %n, i64 %skip
  fields %more: ptr %int64 0
  if ptr %dtype %float64 typed whole
whole:
  need ptr %dtype %int64 else no
  switch i64 %kind, label %no [i64 1, label %typed i64 5, label %typed]
typed:
  %set = and i32 %flags, %mask
  need i32 %set %mask else no
  need i32 %axes %rank else no
  if i32 %rank 0 fits ranked
ranked:
  %shape = getelementptr i8, ptr %n, i64 64
  %differ = call i32 @memcmp(ptr %dims, ptr %shape, i64 %length)
  if i32 %differ 0 fits no
fits:
  if ptr %dtype %float64 floats integers
integers:
  fields %x: ptr %numbers 16
  fields %n: i64 %total 32
  %end.of = getelementptr i8, ptr %numbers, i64 %total
  br label %loop
loop:
  %from.at = phi ptr [ %numbers, %integers ], [ %from.next, %convert ]
  %to.at = phi ptr [ %place, %integers ], [ %to.next, %convert ]
  if ptr %from.at %end.of end convert
convert:
  %whole.number = load i64, ptr %from.at
  %float.number = sitofp i64 %whole.number to double
  store double %float.number, ptr %to.at
  %from.next = getelementptr i8, ptr %from.at, i64 8
  %to.next = getelementptr i8, ptr %to.at, i64 8
  br label %loop
floats:
  switch i64 %kind, label %end [i64 1, label %input i64 5, label %apart
    i64 2, label %target i64 6, label %target]
target:
  fields %x: ptr %goal 16
  fields %n: i64 %room 32
  fields %more: ptr %seen 24
  fields %seen: i64 %earlier 0
  %begin = ptrtoint ptr %goal to i64
  %finish = add i64 %begin, %room
  %pairs = getelementptr i8, ptr %seen, i64 8
  br label %compare
compare:
  %k = phi i64 [ 0, %target ], [ %next.k, %clear ]
  %pair = getelementptr [2 x i64], ptr %pairs, i64 %k
  if i64 %k %earlier alone another
another:
  fields %pair: i64 %start 0, i64 %stop 8
  %before = icmp ule i64 %finish, %start
  %after = icmp uge i64 %begin, %stop
  %beside = or i1 %before, %after
  br i1 %beside, label %clear, label %no
clear:
  %next.k = add i64 %k, 1
  br label %compare
alone:
  %second = getelementptr i8, ptr %pair, i64 8
  %later = add i64 %earlier, 1
  store i64 %begin, ptr %pair
  store i64 %finish, ptr %second
  store i64 %later, ptr %seen
  if i64 %kind 6 apart end
apart:
  fields %x: ptr %there 16
  fields %n: i64 %span 32
  fields %more: ptr %slot 8, ptr %hull 16
  fields %hull: i64 %low 0, i64 %high 8
  %from = ptrtoint ptr %there to i64
  %till = add i64 %from, %span
  %home = ptrtoint ptr %place to i64
  %far = sub i64 %from, %home
  %distance = ashr exact i64 %far, 3
  if i64 %kind 6 result source
source:
  %below = icmp ule i64 %till, %low
  %above = icmp uge i64 %from, %high
  %free = or i1 %below, %above
  br i1 %free, label %near, label %input
near:
  store i64 %distance, ptr %slot
  ret ptr %next
result:
  store i64 %distance, ptr %slot
  %lower = call i64 @llvm.umin.i64(i64 %low, i64 %from)
  %higher = call i64 @llvm.umax.i64(i64 %high, i64 %till)
  %hull.high = getelementptr i8, ptr %hull, i64 8
  store i64 %lower, ptr %hull
  store i64 %higher, ptr %hull.high
  ret ptr %next
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
  switch i64 %kind, label %many [i64 2, label %flat i64 6, label %there]
there:
  ret ptr %next
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
  fields %t: i64 %count 48, ptr %wanted 64, ptr %results 72, ptr %outs 80
  fields %modes: i64 %active 16
  need i64 %active 0 else other
  if i64 %given %count counted other
counted:
  fields %t: ptr %slots 88, i64 %size 96, ptr %hull 104, ptr %seen 112
  store i64 0, ptr %seen
  %hull.high = getelementptr i8, ptr %hull, i64 8
  store i64 -1, ptr %hull
  store i64 0, ptr %hull.high
  call void @llvm.memset.p0.i64(ptr %slots, i8 0, i64 %size, i1 false)
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


def expanded(text: str) -> str:
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
    """Whether arrays, floats and specs lie in memory as TEXT reads them."""
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
        and _words(id({1: 1, 2: 2, 3: 3}), 3)[2] == 3
        and all(_words(id(x), 2)[1] == id(float) for x in floats)
        and all(ctypes.c_double.from_address(id(x) + 16).value == x for x in floats)
    )


def api_function(name: str, *kinds: Any) -> Any:
    """A function of CPython's C API: its result's type and its arguments'."""
    return ctypes.PYFUNCTYPE(*kinds)((name, ctypes.pythonapi))


def api_address(name: str) -> int:
    """Where a function of CPython's C API is."""
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def new_array_address() -> int:
    """The address of PyArray_NewFromDescr; 0 where numpy's table is not known."""
    try:
        module = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        module = importlib.import_module("numpy.core._multiarray_umath")
    kinds = ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p
    api = api_function("PyCapsule_GetPointer", *kinds)(module._ARRAY_API, None)
    table = _words(api, 95)
    version = ctypes.CFUNCTYPE(ctypes.c_uint)(table[0])()
    if version not in (0x01000009, 0x02000000) or table[2] != id(np.ndarray):
        return 0
    dtype = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_int)(table[45])(12)
    return table[94] if dtype is np.dtype(np.float64) else 0


def is_as_assumed() -> bool:
    """Whether this is CPython with a GIL, on 64 bits, with objects as assumed."""
    return (
        sys.implementation.name == "cpython"
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and sys.byteorder == "little"
        and ctypes.sizeof(ctypes.c_void_p) == 8
        and object.__basicsize__ == 16
        and _as_assumed()
    )
