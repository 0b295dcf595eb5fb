"""Two moons: a max-margin loss, written out as in micrograd's demonstration."""

from pathlib import Path

import matplotlib.pyplot as plt

import nn
import viz
from autograd import sum as total

X, y = nn.datasets.moons(100, noise=0.1, seed=0)
model = nn.MLP(2, [16, 16, 1], seed=0)
print(model.layers[0], "...", len(model.parameters()), "parameters")

losses, accuracy = [], 0.0
for k in range(60):
    scores = model.batch(X)
    margin = nn.hinge_loss(scores, y)
    penalty = 1e-4 * total([p * p for p in model.parameters()])
    loss = margin + penalty

    model.zero_grad()
    loss.backward()
    rate = 1.0 - 0.9 * k / 60
    for p in model.parameters():
        p.data -= rate * p.grad

    losses.append(loss.data)
    accuracy = nn.accuracy([s.data for s in scores], y)
    if k % 10 == 0 or k == 59:
        print(f"step {k:2d}  loss {loss.data:.4f}  accuracy {accuracy:.0%}")

assert accuracy >= 0.98

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.decision_boundary(lambda P: nn.predict(model, P), X, y, ax=ax)
ax.legend(loc="lower left", title="class")
figure.savefig("output/moons.png", dpi=150)
print("wrote output/moons.png")
