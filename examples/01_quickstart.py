"""Quickstart: real flowers, a small network, two pictures and a check in one file.

Trains a network on Fisher's irises, shows its accuracy on flowers it has not seen,
draws a neuron and the network's loss on one flower as PNG, and compares gradients with
numpy finite differences.
"""

from pathlib import Path

import numpy as np

import nn
from autograd import Value, gradcheck, numerical_gradient, tanh
from viz import render

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)

# 1. Train on real data.
X, y = nn.datasets.iris()
X_train, X_test, y_train, y_test = nn.datasets.split(X, y, stratify=True)
X_train, X_test = nn.datasets.standardise(X_train, X_test)
model = nn.MLP(4, [8, 3], activation="tanh", seed=1)
history = nn.fit(
    model, X_train, y_train, "cross_entropy", "adam", epochs=60, lr=0.02, batch_size=16
)
accuracy = nn.accuracy(nn.predict(model, X_test), y_test)
print(f"loss {history.losses[0]:.3f} -> {history.losses[-1]:.3f}")
print(f"accuracy on {len(y_test)} held-out flowers: {accuracy:.1%}")

# 2. The graph of one neuron, with its gradients.
x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
b = Value(6.8813735870195432, label="b")
neuron = tanh(x1 * w1 + x2 * w2 + b)
neuron.label = "o"
neuron.backward()
print("wrote", render(neuron, OUTPUT / "neuron.png"))

# 3. The trained network's loss on one flower.
loss = nn.cross_entropy(model(X_test[0]), int(y_test[0]))
loss.label = "loss"
model.zero_grad()
loss.backward()
print("wrote", render(loss, OUTPUT / "loss.png"))

# 4. Analytic against numeric gradients.
print("\nthe neuron, analytic against finite differences:")
inputs = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": b.data}
report = gradcheck(
    lambda x1, x2, w1, w2, b: tanh(x1 * w1 + x2 * w2 + b), *inputs.values()
)
print(report.table(list(inputs)))

first = model.layers[0].neurons[0].w
analytic = np.array([w.grad for w in first])


def loss_at(weights):
    """The loss as a function of the first neuron's weights."""
    for w, number in zip(first, weights, strict=True):
        w.data = number
    return nn.cross_entropy(model(X_test[0]), int(y_test[0])).data


numeric = numerical_gradient(loss_at, np.array([w.data for w in first]))
print("\nthe first neuron's weights in the trained network:")
print("analytic", np.array2string(analytic, precision=8))
print("numeric ", np.array2string(numeric, precision=8))
assert np.allclose(analytic, numeric, rtol=1e-5, atol=1e-8)
assert accuracy >= 0.95
