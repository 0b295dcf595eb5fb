"""The eager engine beside micrograd: ``python benchmarks/eager.py --fast``.

``AUTOGRAD_ENGINE=python`` or ``native`` says which of our two.
Needs ``pip install pyperf micrograd``. Equal answers are asserted before anything is
timed. pyperf runs every work in processes of its own; ratios are of medians.
"""

from __future__ import annotations

import gc
import tracemalloc

import micrograd.engine
import pyperf
from problems import Fused, OneByOne, ProductsAndSums, chain, training_step

import autograd
from autograd import Value

WORKS = {
    "micrograd": (
        lambda: ProductsAndSums(micrograd.engine.Value),
        micrograd.engine.Value,
        sum,
    ),
    "products and sums": (lambda: ProductsAndSums(Value), Value, sum),
    "fused dot": (Fused, Value, autograd.sum),
    "fused dot, model(x)": (OneByOne, Value, autograd.sum),
}


def assert_equal_answers():
    for _ in range(2):
        losses = []
        for make, value, total in WORKS.values():
            model = make()
            losses.append([training_step(model, value, total) for _ in range(3)])
        for others in losses[1:]:
            for a, b in zip(losses[0], others, strict=True):
                assert abs(a - b) <= 1e-9 * abs(a), losses


def timed(loops, name, collect):
    """Seconds for so many training steps, the old graph released in each."""
    make, value, total = WORKS[name]
    model = make()
    training_step(model, value, total)
    gc.collect()
    (gc.enable if collect else gc.disable)()
    start = pyperf.perf_counter()
    for _ in range(loops):
        training_step(model, value, total)
    seconds = pyperf.perf_counter() - start
    gc.enable()
    return seconds


def bytes_of_a_node():
    """Bytes of a binary interior node: after the forward pass, after backward."""
    n, y = 100_000, Value(1.0)
    gc.collect()
    tracemalloc.start()
    for _ in range(n):
        y = y * y
    forward = tracemalloc.get_traced_memory()[0] / n
    y.backward()
    gc.collect()
    backward = tracemalloc.get_traced_memory()[0] / n
    tracemalloc.stop()
    return forward, backward


def main():
    runner = pyperf.Runner()
    if not runner.parse_args().worker:
        assert_equal_answers()
    medians = {}
    for collect in (False, True):
        for name in WORKS:
            title = f"{name}, collector {'on' if collect else 'off'}"
            result = runner.bench_time_func(title, timed, name, collect)
            if result is not None and not runner.args.worker:
                medians[title] = result.median()
    chains = {
        length: runner.bench_func(f"chain of {length:,}", chain, Value, length)
        for length in (100_000, 1_000_000)
    }
    if runner.args.worker or None in chains.values():
        return
    print(f"engine: {autograd.engine()}")
    for title, median in medians.items():
        base = medians["micrograd" + title[title.rindex(",") :]]
        print(f"{title:36s} {median * 1e3:8.2f} ms   {base / median:6.2f} x micrograd")
    for length, result in chains.items():
        print(f"{f'chain of {length:,}':36s} {result.median() * 1e3:8.2f} ms")
    try:
        chain(micrograd.engine.Value, 100_000)
    except RecursionError:
        print(f"{'':36s} micrograd: RecursionError")
    print(
        "bytes of a node: {:.0f} forward, {:.0f} after backward".format(
            *bytes_of_a_node()
        )
    )


if __name__ == "__main__":
    main()
