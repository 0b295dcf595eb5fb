"""XOR, exclusive or: the smallest problem that a layer solves, and no neuron alone."""

from pathlib import Path

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

output = Path("output")
output.mkdir(exist_ok=True)
axes = viz.decision_boundary(lambda X: nn.predict(model, X), X, y)
axes.figure.savefig(output / "xor.png")
print("wrote output/xor.png")
