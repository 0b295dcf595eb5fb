"""Ten thousand epochs of XOR keep memory flat: ``python benchmarks/steady.py``.

Resident memory and objects that the garbage collector follows, after the first thousand
epochs and after ten thousand: by ``fit``, compiled and eager, and by a loop of one's
own, whose graphs are circles to nobody.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import nn

X, Y = nn.datasets.xor()
FIRST, ALL = 1_000, 10_000


def resident():
    """MB of this process; Linux alone says so without another package."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def by_fit(compile):
    def run(model, optimiser, epochs):
        settings = {"compile": compile, "progress": False}
        nn.fit(model, X, Y, "mse", optimiser, epochs, **settings)

    return run


def by_hand(model, optimiser, epochs):
    for _ in range(epochs):
        optimiser.zero_grad()
        nn.mse_loss(model.batch(X), Y).backward()
        optimiser.step()


WAYS = {
    "fit, compiled": by_fit(True),
    "fit, eager": by_fit(False),
    "a loop of one's own": by_hand,
}


def main():
    print("| way | MB after 1,000 | MB after 10,000 | objects | objects |")
    print("|---|---|---|---|---|")
    for name, run in WAYS.items():
        model = nn.MLP(2, [4, 1], "tanh", seed=3)
        optimiser, found = nn.Adam(model, lr=0.05), []
        for epochs in (FIRST, ALL - FIRST):
            run(model, optimiser, epochs)
            gc.collect()
            found.append((resident(), len(gc.get_objects())))
        (before, few), (after, many) = found
        print(f"| {name} | {before:.1f} | {after:.1f} | {few:,} | {many:,} |")


if __name__ == "__main__":
    main()
