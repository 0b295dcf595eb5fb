"""Exclusive or: the smallest problem that one neuron cannot solve, and a layer can."""

import nn

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
