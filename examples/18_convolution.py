"""A convolution over digits: the same nine weights at every place.

Scalars are shared by being used again: ``affine`` reads the weights of the filters
once, and is called for each patch of the image. The gradient of a weight is then the
sum over all places, without a word about it.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import autograd as ag
import nn
import viz

SIDE, SIZE, FILTERS, STRIDE = 8, 3, 6, 2


class Convolution(nn.Module):
    """Filters of 3 x 3 weights, at every second place of an image of 8 x 8 numbers."""

    def __init__(self, seed):
        self.filters = nn.Layer(SIZE * SIZE, FILTERS, init="he_uniform", seed=seed)

    def __call__(self, pixels):
        neurons = self.filters.neurons
        weigh = ag.affine([n.w for n in neurons], [n.b for n in neurons])
        rows = [pixels[i : i + SIDE] for i in range(0, SIDE * SIDE, SIDE)]
        starts = range(0, SIDE - SIZE + 1, STRIDE)
        cut = lambda i, j: [row[j : j + SIZE] for row in rows[i : i + SIZE]]  # noqa: E731
        patches = [cut(i, j) for i in starts for j in starts]
        return [ag.relu(y) for patch in patches for y in weigh(nn.flatten(patch))]


X, y = nn.datasets.digits()
X_train, X_test, y_train, y_test = nn.datasets.split(X, y, test=0.25, seed=0)
last = nn.Layer(9 * FILTERS, 10, nonlin=False, init="he_uniform", seed=1)
model = nn.Sequential(Convolution(0), last)
count = len(model.layers[0].parameters())
dense = SIDE * SIDE * 9 * FILTERS
print(f"{count} weights in the convolution; a layer of its outputs would have {dense}")

history = nn.fit(
    *(model, X_train, y_train, "cross_entropy", "adam", 20),
    lr=0.01,
    schedule="cosine",
    compile=True,
)
accuracy = nn.accuracy(nn.predict(model, X_test, compile=True), y_test)
print(f"loss {history.losses[0]:.3f} to {history.losses[-1]:.3f} ({history.engine})")
print(f"accuracy on {len(y_test)} held-out digits: {accuracy:.1%}")
neuron = model.layers[0].filters.neurons[0]
for i in (0, 3, 6):
    print("  ", [round(w.data, 2) for w in neuron.w[i : i + 3]])
assert count == FILTERS * (SIZE * SIZE + 1)
assert history.engine == "compiled"
assert accuracy >= 0.94

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.input_weights(model.layers[0].filters, (SIZE, SIZE), ax=ax)
figure.savefig("output/filters.png", dpi=150)
print("wrote output/filters.png")
