"""Exclusive or (XOR): the smallest problem that a layer solves and a neuron cannot."""

from pathlib import Path

import matplotlib.pyplot as plt

import nn
import viz

X, y = nn.datasets.xor()
model = nn.MLP(2, [4, 1], activation="tanh", seed=3)
history = nn.fit(
    model,
    X,
    y,
    "mse_loss",
    "adam",
    epochs=200,
    lr=0.05,
    batch_size=None,
    progress=False,
)

for x, target, score in zip(X, y, nn.predict(model, X), strict=True):
    print(f"{x[0]:.0f} xor {x[1]:.0f}: {score:+.3f}  (target {target:+d})")
print(history)
assert nn.accuracy(nn.predict(model, X), y) == 1.0

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.decision_boundary(lambda P: nn.predict(model, P), X, y, ax=ax)
figure.savefig("output/xor.png", dpi=150)
print("wrote output/xor.png")
