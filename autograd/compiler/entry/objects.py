"""Whether objects lie in memory as native entries read them."""

from __future__ import annotations

import ctypes
import importlib
import sys
import sysconfig
from typing import Any

import numpy as np


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
