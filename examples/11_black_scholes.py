"""Black-Scholes: price and greeks of a million options, or as many as you say.

One scalar formula, compiled over a batch. The greeks are its derivatives: delta by the
spot, vega by the volatility, rho by the rate, theta (with the opposite sign) by expiry.
"""

import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import autograd as ag


def normal(x):
    """The distribution function of the standard normal distribution."""
    return 0.5 * ag.erfc(-x / 2.0**0.5)


def price(spot, strike, expiry, rate, volatility):
    """A European call option, after Black, Scholes and Merton (1973)."""
    deviation = volatility * ag.sqrt(expiry)
    drift = (rate + 0.5 * volatility * volatility) * expiry
    d1 = (ag.log(spot / strike) + drift) / deviation
    return spot * normal(d1) - strike * ag.exp(-rate * expiry) * normal(d1 - deviation)


count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
rng = np.random.default_rng(0)
ranges = [(80.0, 120.0), (80.0, 120.0), (0.1, 2.0), (0.0, 0.05), (0.1, 0.5)]
options = [rng.uniform(low, high, count) for low, high in ranges]

# One option on plain floats, and by hand: S = K = 100, one year, 5 %, 20 %.
price_and_greeks = ag.value_and_grad(price, argnums=(0, 1, 2, 3, 4))
value, slopes = price_and_greeks(100.0, 100.0, 1.0, 0.05, 0.2)
print(f"one option: price {value:.4f}, delta {slopes[0]:.4f}, vega {slopes[4]:.4f}")
assert abs(value - 10.450583572185565) < 1e-12

greeks = ag.jit(ag.vmap(price_and_greeks))
out = np.empty(count), tuple(np.empty(count) for _ in options)  # used again and again
start = time.perf_counter()
greeks(*options, out=out)
ready = time.perf_counter() - start
start = time.perf_counter()
greeks(*options, out=out)
seconds = time.perf_counter() - start
print(f"{count:,} options: {seconds:.3f} s after {ready:.3f} s with compilation,")
print(f"{seconds / count * 1e9:.0f} ns for each price with its five greeks")

# The closed forms, for all options, in numpy; its normal distribution by autograd.
S, K, T, r, v = options
d1 = (np.log(S / K) + (r + 0.5 * v * v) * T) / (v * np.sqrt(T))
cdf = ag.jit(ag.vmap(normal))
density = np.exp(-0.5 * d1 * d1) / np.sqrt(2.0 * np.pi)
discounted = np.exp(-r * T) * cdf(d1 - v * np.sqrt(T))
closed = {
    "price": S * cdf(d1) - K * discounted,
    "delta": cdf(d1),
    "by strike": -discounted,
    "by expiry": S * density * v / (2.0 * np.sqrt(T)) + r * K * discounted,
    "rho": T * K * discounted,
    "vega": S * density * np.sqrt(T),
}
for (name, exact), found in zip(closed.items(), (out[0], *out[1]), strict=True):
    error = np.max(np.abs(found - exact)) / np.max(np.abs(exact))
    print(f"{name:10s} {found[0]:10.5f}  largest error {error:.1e}")
    assert error < 1e-13

spots = np.linspace(60.0, 140.0, 161)
found, slopes = greeks(spots, *(np.full(161, x) for x in (100.0, 1.0, 0.05, 0.2)))
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
for name, curve in zip(closed, (found, *slopes), strict=True):
    ax.plot(spots, curve / np.abs(curve).max(), label=name)
ax.set(xlabel="price of the share (strike 100)", ylabel="divided by the largest")
figure.legend(loc="outside upper center", ncols=3)
Path("output").mkdir(exist_ok=True)
figure.savefig("output/greeks.png", dpi=150)
print("wrote output/greeks.png")
