"""The LLVM engine: IR text in, addresses of machine code out.

No optimisation passes run: the text is written as it shall be, and code generation for
the host's own processor is all that is asked of LLVM. llvmlite is imported on first
use; it takes a tenth of a second.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import threading
from typing import Any

from autograd.compiler import cache
from autograd.compiler.kernels import SIGNATURES, library_text
from autograd.compiler.vector_math import register_symbols
from autograd.errors import MissingDependencyError

__all__ = ["Engine", "Linked", "engine", "processors", "run_type"]

_lock = threading.Lock()
_lock_code = threading.Lock()


class Engine:
    """The host: how many doubles it takes at a time, and modules linked so far."""

    def __init__(self) -> None:
        try:
            llvm = importlib.import_module("llvmlite.binding")
        except ImportError:
            raise MissingDependencyError(
                'backend="llvm" needs llvmlite: pip install "scalar-autograd[compile]"'
            ) from None
        self.llvm = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        wide = bool(features.get("avx512f") and features.get("avx512dq"))
        self.width = 8 if wide else 4 if features.get("avx2") else 2
        self.registers = 32 if wide or "aarch64" in llvm.get_process_triple() else 16
        self.features = features.flatten() + (",-prefer-256-bit" if wide else "")
        self.processor = llvm.get_host_cpu_name()
        parts = [self.processor, self.features, *map(str, llvm.llvm_version_info)]
        self.identity = " ".join([*parts, llvm.get_process_triple()])
        register_symbols()
        self.library = self.compiled(library_text(self.width, self.registers))
        self.map_kernels: dict[str, Linked] = {}
        for name in SIGNATURES:
            symbol = f"autograd.{name}.{self.width}"
            llvm.add_symbol(symbol, self.library(symbol))

    def _target(self) -> Any:
        target = self.llvm.Target.from_triple(self.llvm.get_process_triple())
        return target.create_target_machine(
            cpu=self.processor,
            features=self.features,
            opt=1,
            jit=True,
            codemodel="jitdefault",
        )

    def compiled(self, text: str, cached: bool = True) -> Linked:
        """A module's machine code, from the cache on disk or generated.

        ``cached=False`` is for texts that hold addresses of this process.
        """
        key = "\n".join([self.identity, text])
        with _lock_code:
            code = cache.load(key) if cached else None
            if code is None:
                module = self.llvm.parse_assembly(text)
                target = self._target()
                module.triple = target.triple
                module.data_layout = str(target.target_data)
                code = target.emit_object(module)
                if cached:
                    cache.save(key, code)
            empty = self.llvm.parse_assembly("")
            linked = self.llvm.create_mcjit_compiler(empty, self._target())
            linked.add_object_file(self.llvm.ObjectFileRef.from_data(code))
            linked.finalize_object()
        return Linked(linked)


class Linked:
    """Machine code in memory, for as long as this object lives."""

    def __init__(self, linked: Any) -> None:
        self._linked = linked

    def __call__(self, name: str) -> int:
        """The address of a function."""
        return int(self._linked.get_function_address(name))


_engine: list[Engine] = []


def engine() -> Engine:
    """The engine of this process. Raises MissingDependencyError without llvmlite."""
    with _lock:
        if not _engine:
            _engine.append(Engine())
        return _engine[0]


def processors() -> int:
    """How many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def run_type() -> Any:
    """The type of compiled programs: void f(double *memory, int32_t *tables)."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
