"""A sweep with Dask: compiled functions travel to other processes by pickle.

Every process compiles the function anew when it first calls it; the results are those
of a single process.
"""

import time
from pathlib import Path

import numpy as np

from autograd import exp, jit, sqrt, value_and_grad
from autograd import sum as total

try:
    from dask.base import compute
    from dask.delayed import delayed
except ImportError:
    print("Dask is not installed: pip install dask")
    raise SystemExit(0) from None

RATES = np.geomspace(0.01, 0.3, 8)


def decay(parameters, times, counts):
    """Half the squared misfit of a sum of two exponentials."""
    a, b, fast, slow = parameters
    errors = [
        a * exp(-fast * t) + b * exp(-slow * t) - c
        for t, c in zip(times, counts, strict=True)
    ]
    return 0.5 * total([e * e for e in errors])


def descend(gradient, rate, times, counts):
    """The misfit after a thousand steps of normalised gradient descent."""
    p = np.array([1.0, 1.0, 2.0, 0.2])
    value = float("inf")
    for _ in range(1000):
        value, slope = gradient(p, times, counts)
        p = p - rate * slope / float(sqrt(1.0 + slope @ slope))
    return value


def main():
    import matplotlib.pyplot as plt  # only here: every process runs what stands above

    times = np.linspace(0.0, 5.0, 50)
    counts = 2.0 * np.exp(-3.0 * times) + 0.5 * np.exp(-0.4 * times)
    gradient = jit(value_and_grad(decay))

    start = time.perf_counter()
    alone = [descend(gradient, rate, times, counts) for rate in RATES]
    print(f"one process: {time.perf_counter() - start:.2f} s")

    start = time.perf_counter()
    jobs = [delayed(descend)(gradient, rate, times, counts) for rate in RATES]
    together = compute(*jobs, scheduler="processes", num_workers=2)
    print(f"two processes, their start included: {time.perf_counter() - start:.2f} s")

    for rate, misfit in zip(RATES, together, strict=True):
        print(f"  rate {rate:.3f}: misfit {misfit:.2e}")
    assert list(together) == alone

    Path("output").mkdir(exist_ok=True)
    figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    ax.loglog(RATES, together, "o-")
    ax.set(xlabel="learning rate", ylabel="misfit", title="after a thousand steps")
    figure.savefig("output/sweep.png", dpi=150)
    print("wrote output/sweep.png")


if __name__ == "__main__":
    main()
