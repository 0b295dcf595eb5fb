"""Until a compiled function is ready, by size: ``python compile_times.py [names]``.

Milliseconds of every step, without the cache on disk; LLVM itself is loaded before. The
last column is re-rolling, adjoint and lowering in milliseconds for 1,000 instructions.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["SCALAR_AUTOGRAD_CACHE"] = ""

import peer_ours
from works import WORKS

import autograd

SIZES = {
    "C1": [100],
    "C3": [100, 1000, 10_000, 100_000],
    "C4": [1000, 100_000],
    "C5": [2, 4, 8, 16],
    "C5-tokens": [8],
    "C6": [1],
    "C7": [128],
    "C8": [10, 100, 1000],
    "C9": [32, 128],
    "pendulum": [100, 1000, 10_000],
    "irregular": [1000, 10_000, 100_000, 1_000_000],
}
STEPS = "trace", "optimise", "reroll", "adjoint", "lower"


def plan_of(work, task, backend):
    """The plan of a fresh compiled function."""
    if work.over == "each":
        places = tuple(range(len(task.params)))
        each = autograd.value_and_grad(task.program, argnums=places)
        function, arguments = autograd.vmap(each, in_axes=0), tuple(task.params)
    else:
        function = autograd.value_and_grad(peer_ours.loss_of(work, task))
        arguments = task.params, *task.inputs
    compiled = autograd.jit(function, backend=backend)
    compiled(*arguments)
    (plan,) = compiled.plans.values()
    return plan


def main():
    backends = ("llvm", "numpy")
    for backend in backends:
        autograd.jit(lambda x: x * x, backend=backend)(1.0)
    heads = ["work", "size", "instructions", "operations", *STEPS, "each 1,000"]
    print(" ".join(f"{head:>12s}" for head in heads))
    for name in sys.argv[1:] or SIZES:
        for size in SIZES[name]:
            work, task = WORKS[name], WORKS[name].make(size)
            for backend in backends:
                plan = plan_of(work, task, backend)
                seconds = [plan.seconds.get(step, 0.0) for step in STEPS]
                each = 1e6 * sum(seconds[2:]) / plan.traced
                counts = [plan.traced, len(plan.executor.bulk.operations)]
                cells = [f"{name} {backend}", size, *counts]
                cells += [f"{1e3 * x:.1f}" for x in [*seconds, each / 1e3]]
                print(" ".join(f"{cell!s:>12s}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
