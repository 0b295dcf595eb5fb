"""Every primitive compiled as a loop over arrays, for the tests of the vector kernels."""

import ctypes
import functools

import llvmlite.binding as llvm
import numpy as np

from autograd.compiler.llvm.functions import table as vm
from autograd.compiler.llvm.functions.lanes import Lanes
from autograd.table.primitives import TABLE


def looped(name, width, needed):
    """A function that runs a primitive over arrays whose length is a multiple of 8."""
    lanes = Lanes(width, contract=True, prefix="r", block="loop")
    arity = TABLE[name].arity
    loads = [
        f"  %q{i} = getelementptr double, ptr %p{i}, i64 %i\n"
        f"  %x{i} = load {lanes.type}, ptr %q{i}, align 8\n"
        for i in range(arity)
    ]
    result = vm.emit_primitive(lanes, name, [f"%x{i}" for i in range(arity)], needed)
    lines = "\n".join(lanes.lines)
    return f"""
define void @run_{name}(i64 %n, ptr %o, {", ".join(f"ptr %p{i}" for i in range(arity))}) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{"".join(loads)}{lines}
  %qo = getelementptr double, ptr %o, i64 %i
  store {lanes.type} {result}, ptr %qo, align 8
  %next = add i64 %i, {width}
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %end
end:
  ret void
}}
"""


@functools.cache
def text(width):
    needed = set()
    functions = [looped(name, width, needed) for name in vm.KERNELS]
    return vm.module_text(needed) + "".join(functions)


ENGINES = []  # their code may be called as long as the tests run


def compiled(source):
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    vm.register_symbols()
    module = llvm.parse_assembly(source)
    module.verify()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
    )
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    ENGINES.append(engine)
    return engine


@functools.cache
def machine(width):
    return compiled(text(width))


def run(name, width, points):
    """The primitive at each point, as floats."""
    arity = TABLE[name].arity
    address = machine(width).get_function_address(f"run_{name}")
    call = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * (arity + 1))
    filled = list(points) + [points[-1]] * (-len(points) % 8)
    columns = [np.array(column) for column in zip(*filled)]
    result = np.empty(len(filled))
    pointers = [column.ctypes.data for column in columns]
    call(address)(len(filled), result.ctypes.data, *pointers)
    return result[: len(points)].tolist()
