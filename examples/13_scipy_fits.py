"""SciPy's optimisers: driven by compiled gradients of plain Python functions."""

import time
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from autograd import jit, mean, sqrt, value_and_grad
from autograd import sum as total

try:
    from scipy.optimize import minimize
except ImportError:
    raise SystemExit("needs SciPy: pip install scipy") from None


# 1. Rosenbrock's valley in a thousand dimensions.
def rosenbrock(x):
    return total([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


settings = {"jac": True, "method": "L-BFGS-B"}
start = time.perf_counter()
found = minimize(jit(value_and_grad(rosenbrock)), np.full(1000, 0.5), **settings)
print(f"Rosenbrock's valley: {found.nfev} calls in {time.perf_counter() - start:.2f} s")
print(f"  f = {found.fun:.1e}, largest error {np.abs(found.x - 1.0).max():.1e}")
assert np.abs(found.x - 1.0).max() < 1e-2


# 2. A weight on a spring that swings: stiffness, damping and gravity from its path.
STEP, TIMES = 0.02, 200


def path(stiffness, damping, gravity):
    """Positions (x, y) of a unit mass on a spring of length 1, by symplectic Euler."""
    x, y, vx, vy, seen = 0.8, -0.9, 0.0, 0.0, []
    for _ in range(TIMES):
        length = sqrt(x * x + y * y)
        pull = stiffness * (length - 1.0) / length
        vx = vx + STEP * (-pull * x - damping * vx)
        vy = vy + STEP * (-pull * y - damping * vy - gravity)
        x, y = x + STEP * vx, y + STEP * vy
        seen.append((x, y))
    return seen


truth = (20.0, 0.3, 9.81)
noise = np.random.default_rng(0).normal(0.0, 0.01, (TIMES, 2))
measured = np.array(path(*truth)) + noise


def misfit(parameters, seen):
    pairs = zip(path(*parameters), seen, strict=True)
    return mean([(x - a) ** 2 + (y - b) ** 2 for (x, y), (a, b) in pairs])


gradient = jit(value_and_grad(misfit))
guess = np.array([15.0, 0.1, 9.0])
fit = minimize(gradient, guess, args=(measured,), **settings)
print(f"spring pendulum: {fit.nfev} calls")
for name, a, b in zip(("stiffness", "damping", "gravity"), fit.x, truth, strict=True):
    print(f"  {name:9s} {a:8.4f}, in truth {b:g}")
assert fit.success
assert np.allclose(fit.x, truth, rtol=0.01)
value, slopes = gradient(guess, measured)
plain = value_and_grad(misfit)(guess.tolist(), measured.tolist())
assert abs(value - plain[0]) < 1e-12 * value
assert np.allclose(slopes, plain[1], rtol=1e-9)

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
ax.plot(*measured.T, ".", color="0.6", label="measured")
ax.plot(*np.transpose(path(*guess)), "--", label="guess")
ax.plot(*np.transpose(path(*fit.x)), label="fit")
ax.set(xlabel="x", ylabel="y")
figure.legend(loc="outside upper center", ncols=3)
figure.savefig("output/pendulum.png", dpi=150)
print("wrote output/pendulum.png")
