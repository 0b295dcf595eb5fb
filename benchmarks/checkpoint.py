"""Memory of a chain of operations, plain and checkpointed: ``python checkpoint.py``.

The peak that tracemalloc sees over the forward and backward pass. Cut into sqrt(n)
checkpoints of sqrt(n) operations, it grows like sqrt(n) instead of n.
"""

from __future__ import annotations

import gc
import math
import tracemalloc

from autograd import Value, checkpoint, sin


def segment(length):
    def run(t):
        for _ in range(length):
            t = t + 1e-4 * sin(t)
        return t

    return run


def peak(pieces, length, wrap):
    gc.collect()
    tracemalloc.start()
    x = y = Value(0.5)
    piece = wrap(segment(length))
    for _ in range(pieces):
        y = piece(y)
    y.backward()
    bytes_at_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return bytes_at_peak, x.grad


def main():
    print(f"{'operations':>10s} {'plain':>12s} {'checkpointed':>13s}")
    for n in (1_000, 4_000, 16_000, 64_000):
        root = math.isqrt(n)
        plain, slope = peak(root, root, lambda f: f)
        small, same = peak(root, root, checkpoint)
        assert math.isclose(slope, same, rel_tol=1e-9)
        print(f"{3 * root * root:10d} {plain / 1e3:9.0f} kB {small / 1e3:10.0f} kB")


if __name__ == "__main__":
    main()
