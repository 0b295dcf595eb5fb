"""Black-Scholes: price and greeks of a million options, one formula over a batch.

    python 11_black_scholes.py [how many options]

The greeks are the derivatives of the price: delta by the spot, vega by the volatility,
theta by the time to expiry (with the opposite sign), rho by the interest rate.
"""

import sys
import time
from math import pi, sqrt
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import autograd as ag


def normal(x):
    """The distribution function of the standard normal distribution."""
    return 0.5 * ag.erfc(-x / sqrt(2.0))


def price(spot, strike, expiry, rate, volatility):
    """A European call option, after Black, Scholes and Merton (1973)."""
    deviation = volatility * ag.sqrt(expiry)
    drift = (rate + 0.5 * volatility * volatility) * expiry
    d1 = (ag.log(spot / strike) + drift) / deviation
    discounted = strike * ag.exp(-rate * expiry)
    return spot * normal(d1) - discounted * normal(d1 - deviation)


count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
rng = np.random.default_rng(0)
ranges = [(80.0, 120.0), (80.0, 120.0), (0.1, 2.0), (0.0, 0.05), (0.1, 0.5)]
options = [rng.uniform(low, high, count) for low, high in ranges]

# One option on plain floats, and by hand: S = K = 100, one year, 5 %, 20 %.
value, slopes = ag.value_and_grad(price, argnums=(0, 1, 2, 3, 4))(
    *(100.0, 100.0, 1.0, 0.05, 0.2)
)
print(f"one option: price {value:.4f}, delta {slopes[0]:.4f}, vega {slopes[4]:.4f}")
assert abs(value - 10.450583572185565) < 1e-12

greeks = ag.jit(ag.vmap(ag.value_and_grad(price, argnums=(0, 1, 2, 3, 4))))
out = np.empty(count), tuple(np.empty(count) for _ in options)  # used again and again
greeks(*options, out=out)  # compiled
start = time.perf_counter()
greeks(*options, out=out)
seconds = time.perf_counter() - start
print(f"{count:,} options: {seconds:.3f} s, {seconds / count * 1e9:.0f} ns for each")

# The closed forms, for all options, in numpy; its normal distribution by autograd.
S, K, T, r, v = options
d1 = (np.log(S / K) + (r + 0.5 * v * v) * T) / (v * np.sqrt(T))
d2 = d1 - v * np.sqrt(T)
cdf = ag.jit(ag.vmap(normal))
density = np.exp(-0.5 * d1 * d1) / np.sqrt(2.0 * pi)
discounted = K * np.exp(-r * T) * cdf(d2)
closed = {
    "price": S * cdf(d1) - discounted,
    "delta": cdf(d1),
    "by strike": -np.exp(-r * T) * cdf(d2),
    "by expiry": S * density * v / (2.0 * np.sqrt(T)) + r * discounted,
    "rho": T * discounted,
    "vega": S * density * np.sqrt(T),
}
for (name, exact), found in zip(closed.items(), (out[0], *out[1]), strict=True):
    error = np.max(np.abs(found - exact)) / np.max(np.abs(exact))
    print(f"{name:10s} {found[0]:10.5f}  largest error {error:.1e}")
    assert error < 1e-13

for years in (1.0, 0.5, 0.01):
    curve = [price(float(spot), 100.0, years, 0.05, 0.2) for spot in range(60, 141)]
    plt.plot(range(60, 141), curve, label=f"{years} years to expiry")
plt.gca().set(xlabel="spot", ylabel="price of the option")
plt.legend()
Path("output").mkdir(exist_ok=True)
plt.savefig("output/price.png")
