"""Handwritten digits, compiled: by ``nn.fit`` itself, when that pays.

It computes the first mini-batch on the graph of scalars, compiles the loss with
its gradient, checks that both agree, and goes on with the compiled code.
"""

import time
from pathlib import Path

import matplotlib.pyplot as plt

import nn
import viz

X, y = nn.datasets.digits()
X_train, X_test, y_train, y_test = nn.datasets.split(X, y, test=0.2, seed=0)


def train(epochs, compile):
    """A model, its history, and the seconds that an epoch took."""
    model = nn.MLP(64, [48, 10], seed=0, init="he_uniform")
    start = time.perf_counter()
    history = nn.fit(
        model,
        X_train,
        y_train,
        loss="cross_entropy",
        optimiser="adam",
        lr=0.005,
        epochs=epochs,
        batch_size=32,
        schedule=nn.schedules.cosine(40),
        compile=compile,
    )
    return model, history, (time.perf_counter() - start) / epochs


eager, one, slow = train(1, compile=False)
model, history, fast = train(40, compile=None)
print(f"eager     {slow:.3f} s an epoch ({one.engine})")
print(f"compiled  {fast:.3f} s, {slow / fast:.0f} times faster")
assert history.engine == "compiled"
assert abs(history.losses[0] - one.losses[0]) < 1e-12  # the same steps

for epoch in (1, 2, 5, 10, 20, 40):
    print(f"epoch {epoch:2d}  loss {history.losses[epoch - 1]:.4f}")
accuracy = nn.accuracy(nn.predict(model, X_test), y_test)
print(f"accuracy on {len(y_test)} held-out digits: {accuracy:.1%}")
assert accuracy >= 0.96

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.input_weights(model, (8, 8), ax=ax)
figure.savefig("output/weights.png", dpi=150)
print("wrote output/weights.png")
