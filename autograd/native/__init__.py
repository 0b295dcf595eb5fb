"""The C accelerator: nodes in C, their derivatives generated from the table.

In: the environment variable AUTOGRAD_ENGINE. Out: the extension, or why there is none.

``engine.c`` is the extension, and ``rows.h`` its arithmetic, which
``scripts/native.py`` writes from the table; ``tracer.c`` has the compiler's tracers.
``numbers/engine`` chooses between it and ``numbers/eager``, the same engine in Python;
nothing else needs to know.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from contextlib import suppress
from importlib import import_module
from typing import Any


def _load() -> tuple[Any, str]:
    """The extension, or None and why the Python engine serves instead."""
    asked = os.environ.get("AUTOGRAD_ENGINE", "")
    if asked not in ("", "native", "python"):
        raise ValueError(f"AUTOGRAD_ENGINE is 'native' or 'python', got {asked!r}")
    if asked == "python":
        return None, "asked for by AUTOGRAD_ENGINE"
    reason = _reason_against()
    if not reason:
        try:
            return import_module("autograd.native._engine"), ""
        except ImportError as error:
            reason = f"the extension is not there ({error})"
    if asked == "native":
        raise ImportError(f"AUTOGRAD_ENGINE=native, but {reason}")
    return None, reason


def _reason_against() -> str:
    if sys.implementation.name != "cpython":
        return f"the extension is for CPython, this is {sys.implementation.name}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "the extension needs the global interpreter lock"
    return ""


EXTENSION, REASON = _load()
TRACER: Any = None  # of the compiler, where the engine is native too
if EXTENSION:
    with suppress(ImportError):
        TRACER = import_module("autograd.native._tracer")


def engine() -> str:
    """The engine of eager Values: "native", or "python: " and why.

    The environment variable AUTOGRAD_ENGINE asks for one of them. Both give the same
    bits.

    >>> from autograd import engine
    >>> engine().split(":")[0] in ("native", "python")
    True
    """
    return "native" if EXTENSION else f"python: {REASON}"
