"""The compiled tier beside its peers: ``python benchmarks/compiled/run.py C1 C5``.

Every peer's value and gradient must agree before anything is timed. Then the peers take
turns in one process, many times; the table shows medians. Peers that are not installed
are skipped. Everything runs on one thread unless ``--threads`` says otherwise.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import statistics
import sys
from time import perf_counter

PEERS = {  # name -> module, function
    "ours": ("peer_ours", "prepare"),
    "ours-numpy": ("peer_ours", "prepare_numpy"),
    "c": ("peer_c", "prepare"),
    "numpy": ("peer_numpy", "prepare"),
    "jax": ("peer_jax", "prepare"),
    "torch": ("peer_torch", "prepare"),
    "torch-compile": ("peer_torch", "prepare_compiled"),
    "casadi": ("peer_casadi", "prepare"),
    "casadi-c": ("peer_casadi", "prepare_compiled"),
    "eager": ("peer_ours", "prepare_eager"),
}
TOLERANCE = 1e-9
REFERENCE = ("c", "numpy", "eager")  # ratios are to the first of these that is there


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("works", nargs="*", help="names such as C1; all by default")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--repetitions", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=0.02, help="of a repetition")
    parser.add_argument("--small", action="store_true", help="the sizes of the tests")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def set_threads(count):
    """Before numpy's, torch's and XLA's libraries are loaded.

    A single thread stays on one processor; otherwise XLA's workers may wander.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, set(allowed[:count]))
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[library + "_NUM_THREADS"] = str(count)
    if count == 1:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        )


def prepared(name, work, task, notes):
    """The peer's run, warm, and the seconds to its first result; or None."""
    module, function = PEERS[name]
    start = perf_counter()
    try:
        run = getattr(importlib.import_module(module), function)(work, task)
    except ImportError as error:
        notes[name] = str(error)
        return None
    if run is None:
        return None
    run()
    return run, perf_counter() - start


def assert_agreement(work, runs):
    """Values and gradients agree to 1e-9 of the largest; each greek by itself."""
    import numpy as np

    answers = {}
    for name, run in runs.items():
        value, gradient = run()
        shape = (5, -1) if work.over == "each" else (1, -1)
        gradient = np.array(gradient, dtype=float).reshape(shape)
        answers[name] = np.array(value, dtype=float).reshape(1, -1), gradient
    first = next(iter(answers))
    for name, answer in answers.items():
        for what, a, b in zip(
            ("value", "gradient"), answers[first], answer, strict=True
        ):
            scale = np.abs(a).max(axis=1)
            error = (np.abs(a - b).max(axis=1) / scale).max()
            text = (
                f"{work.name}: the {what} of {name} and {first} differ by {error:.1e}"
            )
            assert error <= TOLERANCE, text


def clocked(call, times):
    start = perf_counter()
    call(times)
    return (perf_counter() - start) / times


def repeated(run):
    def call(times):
        for _ in range(times):
            run()

    return call


def medians(calls, repetitions, seconds):
    """Seconds of one call of each; the peers take turns."""
    times, found = {}, {name: [] for name in calls}
    for name, call in calls.items():
        once = clocked(call, 1)
        if once < seconds:
            once = clocked(call, max(1, min(1000, int(seconds / once))))
        times[name] = max(1, int(seconds / once))
    gc.collect()
    gc.disable()
    for _ in range(repetitions):
        for name, call in calls.items():
            slow = times[name] == 1 and len(found[name]) >= 3
            if not (slow and found[name][0] > 10 * seconds):
                found[name].append(clocked(call, times[name]))
    gc.enable()
    return {name: statistics.median(times) for name, times in found.items()}


def measure(work, options, notes):
    """Prepare, compare, time and print one work."""
    task = work.make(work.small if options.small else work.size)
    runs, first = {}, {}
    for name in options.peers:
        found = prepared(name, work, task, notes)
        if found:
            runs[name], first[name] = found
    if not runs:
        return
    assert_agreement(work, runs)
    calls = {name: repeated(run) for name, run in runs.items()}
    for name, run in runs.items():
        if hasattr(run, "inside"):
            calls[name + ", inside"] = run.inside
    seconds = medians(calls, options.repetitions, options.seconds)
    order = [*(name + ", inside" for name in REFERENCE), *REFERENCE, *seconds]
    base = next(name for name in order if name in seconds)
    print(f"\n{work.name}: {work.about}" + " (small)" * options.small)
    for name, value in seconds.items():
        warm = f"first result {first[name] * 1e3:8.0f} ms" if name in first else ""
        ratio = value / seconds[base]
        print(f"  {name:16s} {value * 1e6:12.2f} us {ratio:9.2f} x {base}   {warm}")
    sys.stdout.flush()


def main():
    options = parse()
    set_threads(options.threads)
    from works import WORKS

    unknown = set(options.works) - set(WORKS)
    if unknown:
        sys.exit(f"no such work: {', '.join(sorted(unknown))}; try {', '.join(WORKS)}")
    notes = {}
    for name in options.works or WORKS:
        measure(WORKS[name], options, notes)
    for name, reason in notes.items():
        print(f"skipped {name}: {reason}")


if __name__ == "__main__":
    main()
