"""Handwritten digits: a two-layer network of scalars reads 8 x 8 pixels, in seconds."""

from pathlib import Path

import matplotlib.pyplot as plt

import nn
import viz

X, y = nn.datasets.digits()
X_train, X_test, y_train, y_test = nn.datasets.split(X, y, test=0.25, seed=0)
model = nn.MLP(64, [24, 10], seed=0, init="he_uniform")
print(len(X_train), "training digits,", len(model.parameters()), "parameters")

history = nn.fit(
    model,
    X_train,
    y_train,
    loss="cross_entropy",
    optimiser="adam",
    lr=0.01,
    epochs=5,
    batch_size=32,
    schedule=nn.schedules.cosine(5),
)
for epoch, loss in enumerate(history.losses, 1):
    print(f"epoch {epoch}  loss {loss:.4f}")
predictions = nn.predict(model, X_test)
accuracy = nn.accuracy(predictions, y_test)
print(f"accuracy on {len(y_test)} held-out digits: {accuracy:.1%}")


def draw(pixels):
    """A digit as text."""
    shades = " .:-=+*#%@"
    for row in pixels.reshape(8, 8):
        print("   ", "".join(shades[int(9 * shade)] * 2 for shade in row))


draw(X_test[0])
print("read as", int(predictions[0].argmax()), "and it is", int(y_test[0]))
assert accuracy >= 0.93

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.misclassified(X_test, predictions, y_test, shape=(8, 8), most=10, ax=ax)
figure.savefig("output/mistaken.png", dpi=150)
print("wrote output/mistaken.png")
