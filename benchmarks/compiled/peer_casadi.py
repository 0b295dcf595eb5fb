"""CasADi: the same scalar programs on SX expressions; a machine, or C compiled by gcc.

An interpreter of the rows for SX lets the programs of this folder run unchanged. Works
over a batch are a map of the function of one sample.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import casadi
import numpy as np

from autograd.table.primitive import INTERPRETERS


def _log_sum_exp(xs):
    return casadi.logsumexp(casadi.vertcat(*xs))


def _sum(xs):
    total = 0.0
    for x in xs:
        total = total + x
    return total


ROWS = {
    "sqrt": casadi.sqrt,
    "exp": casadi.exp,
    "log": casadi.log,
    "tanh": casadi.tanh,
    "erf": casadi.erf,
    "divide": lambda x, y: x / y,
    "relu": lambda x: casadi.fmax(x, 0.0),
    "sum": _sum,
    "logsumexp": _log_sum_exp,
}
INTERPRETERS[casadi.SX] = lambda row, operands: ROWS[row.name](*operands)

COMPILED = {"C1", "C2", "C3"}  # gcc needs minutes for the larger ones
LARGEST_MAP = 10_000  # options: a map stores the work of all of them


def symbols(x):
    """Of the shape of x: nested lists, and one flat vector of the same."""
    x = np.asarray(x)
    flat = casadi.SX.sym("x", x.size)
    grid = np.empty(x.size, dtype=object)
    grid[:] = [flat[i] for i in range(x.size)]
    return (grid.reshape(x.shape).tolist() if x.shape else grid[0]), flat


def one_sample(task, over):
    """The function (params, inputs) -> (value, gradient) of a task or of its sample."""
    inputs = task.inputs
    if over == "mean":
        inputs = [x[0] for x in inputs]
    if over == "each":
        columns, flat = symbols(task.params[:, 0])
        value, flats = task.program(*columns), []
    else:
        leaves, flat = symbols(task.params)
        grids = [symbols(x) if x.dtype != np.int64 else (x, None) for x in inputs]
        value = task.program(leaves, *[grid for grid, _ in grids])
        flats = [f for _, f in grids if f is not None]
    rest = casadi.vertcat(*flats) if flats else casadi.SX(0, 1)
    gradient = casadi.gradient(value, flat)
    return casadi.Function("f", [flat, rest], [value, gradient], {"cse": True})


def compiled(function):
    """The function as C, compiled and loaded again."""
    with tempfile.TemporaryDirectory() as folder:
        generator = casadi.CodeGenerator("f.c")
        generator.add(function)
        generator.generate(folder + "/")
        flags = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-c"]
        subprocess.run(["gcc", *flags, "f.c"], cwd=folder, check=True)
        link = ["gcc", "-shared", "f.o", "-o", "f.so", "-lm"]
        subprocess.run(link, cwd=folder, check=True)
        return casadi.external("f", str(Path(folder, "f.so")))


def prepare(work, task):
    """On CasADi's virtual machine; None: too large for a map, or not a gradient."""
    large = work.over == "each" and task.params.shape[1] > LARGEST_MAP
    if large or work.over == "adam":
        return None
    return buffered(one_sample(task, work.over), work, task)


def prepare_compiled(work, task):
    """As C compiled by gcc, where that takes seconds."""
    if work.name not in COMPILED:
        return None
    return buffered(compiled(one_sample(task, work.over)), work, task)


def buffered(function, work, task):
    """A run over CasADi's buffers: no allocation, no conversion."""
    params, scale = np.asfortranarray(task.params).ravel(order="F"), 1.0
    floats = [x for x in task.inputs if x.dtype != np.int64]
    rest = np.concatenate([x.ravel() for x in floats]) if floats else np.empty(0)
    if work.over == "mean":
        count = len(task.inputs[0])
        parts = [x.reshape(count, -1) for x in task.inputs]
        rest, scale = np.hstack(parts).ravel(), 1.0 / count
        function = function.map("all", "serial", count, [0], [0, 1])
    elif work.over == "each":
        function = function.map(task.params.shape[1])
    value = np.empty(task.params.shape[1] if work.over == "each" else 1)
    gradient = np.empty(params.size)
    buffer, evaluate = function.buffer()
    buffer.set_arg(0, memoryview(params))
    buffer.set_arg(1, memoryview(rest))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(gradient))
    columns = len(value) if work.over == "each" else 1
    order = gradient.reshape(columns, -1).T  # a view: columns stand one by one

    def run():
        evaluate()
        if work.over == "each":
            return value, order.ravel()
        if scale != 1.0:
            return value[0] * scale, gradient * scale
        return value[0], gradient

    run.kept = buffer, params, rest  # CasADi holds addresses only
    return run
