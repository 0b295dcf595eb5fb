"""The LLVM engine: IR text in, addresses of machine code out.

No optimisation passes run: the text is written as it shall be, and code generation for
the host's own processor is all that is asked of LLVM. llvmlite is imported on first
use; it takes a tenth of a second.

LLVM is used by one thread at a time, under a lock, and never by the main thread, which
a signal may stop at any place: an interrupt would leave llvmlite's own lock taken, and
a handler that compiles could not get in. Machine code lives as long as who uses it: a
program owns its code and, by it, the engine whose kernels it calls. What nobody owns
any more waits for the next compilation to be freed, where the lock is held. All that
LLVM made is closed there by name: left to the collector of cycles it would be closed by
any thread at any time, and who forks just then has a child that waits for ever.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from autograd.compiler.llvm import cache
from autograd.compiler.llvm.functions.table import register_symbols
from autograd.compiler.llvm.kernels.library import library_text
from autograd.missing import missing
from autograd.threads import apart, process_lock

T = TypeVar("T")
_lock = process_lock()
_linked: list[tuple[Any, Any]] = []  # what is linked: who owns it, weakly, and the code
_OUTSIDE = re.compile(r"^declare .*@(autograd\.[\w.]+)\(", re.MULTILINE)
_DEFINED = re.compile(r"^define (?!internal)[^@]*@([\w.]+)\(", re.MULTILINE)


def _free_what_nobody_owns() -> None:
    living = []
    for owner, code in _linked:
        if owner() is None:
            code.close()
        else:
            living.append((owner, code))
    _linked[:] = living


def _apart(work: Callable[[], T]) -> T:
    """What ``work`` returns or raises, done under the lock, where no signal comes."""

    def locked() -> T:
        with _lock:
            _free_what_nobody_owns()
            return work()

    return apart(locked)


class Engine:
    """The host: how many doubles it takes at a time, and the kernels for all.

    Made, and its methods with an underscore called, where ``_apart`` runs them.
    """

    def __init__(self) -> None:
        try:
            llvm = importlib.import_module("llvmlite.binding")
        except ImportError:
            raise missing(
                'backend="llvm" needs llvmlite',
                "llvmlite",
                otherwise='backend="numpy" does without',
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
        self.map_kernels: dict[str, Linked] = {}
        self.library = self._compiled(library_text(self.width, self.registers))

    def _module(self, text: str) -> tuple[Any, Any]:
        """A module for the host, and the machine that makes its code."""
        module = self.llvm.parse_assembly(text)
        target = self.llvm.Target.from_triple(self.llvm.get_process_triple())
        machine = target.create_target_machine(
            cpu=self.processor,
            features=self.features,
            opt=1,
            jit=True,
            codemodel="jitdefault",
        )
        module.triple = machine.triple
        module.data_layout = str(machine.target_data)
        return module, machine

    def compiled(self, text: str, cached: bool = True) -> Linked:
        """A module's machine code, from the cache on disk or generated.

        ``cached=False`` is for texts that hold addresses of this process.
        """
        return _apart(lambda: self._compiled(text, cached))

    def _compiled(self, text: str, cached: bool = True) -> Linked:
        key = "\n".join([self.identity, text])
        code = cache.load(key) if cached else None
        if code is None:
            module, machine = self._module(text)
            with module, machine:
                code = machine.emit_object(module)
            if cached:
                cache.save(key, code)
        return self._linked(code, _DEFINED.findall(text), _OUTSIDE.findall(text))

    def _linked(self, code: bytes, names: list[str], outside: list[str]) -> Linked:
        """The code in memory; kernels that it calls are those of this engine.

        LLVM's own table of symbols is the process's, and may know those of another
        copy of this library, which was imported before or will be freed.
        """
        declared = "\n".join(f"declare void @{name}()" for name in outside)
        module, machine = self._module(declared)
        linked = self.llvm.create_mcjit_compiler(module, machine)
        for name in outside:
            linked.add_global_mapping(module.get_function(name), self.library(name))
        linked.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        linked.finalize_object()
        return Linked(self, linked, names)

    def name(self, addresses: dict[str, int]) -> None:
        """Tell LLVM functions of other libraries, which stay loaded."""

        def add() -> None:
            for name, address in addresses.items():
                self.llvm.add_symbol(name, address)

        _apart(add)

    def map_kernel(self, name: str, text: Callable[[], str]) -> int:
        """The address of a kernel that is compiled on first use, and then stays."""
        if name not in self.map_kernels:  # the first of several threads keeps its own
            self.map_kernels.setdefault(name, self.compiled(text()))
        return self.map_kernels[name](name)


class Linked:
    """Machine code in memory, for as long as this object lives."""

    def __init__(self, host: Engine, linked: Any, names: list[str]) -> None:
        self.host = host  # its kernels are called
        self._code = linked
        self._addresses = {
            name: int(linked.get_function_address(name)) for name in names
        }
        _linked.append((weakref.ref(self), linked))

    def __call__(self, name: str) -> int:
        return self._addresses[name]


_engine: list[Engine] = []


def engine() -> Engine:
    """The engine of this process. Raises MissingDependencyError without llvmlite."""

    def make() -> None:
        if not _engine:
            _engine.append(Engine())

    if not _engine:
        _apart(make)
    return _engine[0]


def processors() -> int:
    """How many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def run_type() -> Any:
    """The type of compiled programs: void f(double *memory, int32_t *tables)."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
