"""Residual blocks: a deep network that learns, since each block only adds to its input.

``x + block(x)``: whatever the weights, the gradient reaches the first layer through the
sum. Twelve layers deep, it hardly reaches that of a plain network of the same layers.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import nn


class Residual(nn.Module):
    """x + layer(norm(x)), of a width that stays."""

    def __init__(self, width, seed):
        self.norm = nn.LayerNorm(width)
        self.layer = nn.Layer(width, width, activation="tanh", init=small, seed=seed)

    def __call__(self, x):
        return [a + b for a, b in zip(x, self.layer(self.norm(x)), strict=True)]


def small(rng, nin, nout):
    """Weights that make signals a third as large in each layer."""
    return rng.gauss(0.0, 0.3 / nin**0.5)


def deep(block):
    first = nn.Layer(2, WIDTH, activation="tanh", seed=0)
    last = nn.Layer(WIDTH, 1, nonlin=False, seed=1)
    return nn.Sequential(first, *[block(seed) for seed in range(2, 14)], last)


def plain(seed):
    return nn.Layer(WIDTH, WIDTH, activation="tanh", init=small, seed=seed)


def slopes(model):
    """How large the gradient of the loss is in each layer, before any step."""
    model.zero_grad()
    nn.hinge_loss(model.batch(X), y).backward()
    return [max(abs(p.grad) for p in layer.parameters()) for layer in model.layers]


WIDTH = 6
X, y = nn.datasets.moons(60, seed=0)
models = {"plain": deep(plain), "residual": deep(lambda seed: Residual(WIDTH, seed))}
found = {}
Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
for name, model in models.items():
    slope, *others = slopes(model)
    ax.semilogy([slope, *others], "o-", label=name)
    history = nn.fit(
        *(model, X, y, "hinge", "adam", 80),
        lr=0.01,
        schedule="cosine",
        compile=True,
        progress=False,
    )
    found[name] = slope, history.losses[-1], nn.accuracy(nn.predict(model, X), y)
    print(f"{name:8}  first slope {slope:.0e}  loss {found[name][1]:.3f}", end="  ")
    print(f"accuracy {found[name][2]:.0%}  ({history.engine})")
assert found["plain"][0] < 1e-3 < found["residual"][0]
assert found["residual"][2] >= 0.95 > found["plain"][2]

ax.set(xlabel="layer", ylabel="largest gradient", title="before any step")
ax.set_xticks(range(0, 14, 2))
ax.legend()
figure.savefig("output/gradients.png", dpi=150)
print("wrote output/gradients.png")
