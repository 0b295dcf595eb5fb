"""Attention: find the value that was written down beside a key.

The model compares its query with every key, and mixes the values by how well they fit.
It learns from sequences of four pairs, and then reads longer ones.
"""

import random
from pathlib import Path

import matplotlib.pyplot as plt

import autograd as ag
import nn

KEYS, WIDTH = 6, 4


class Attention(nn.Module):
    """Samples are key, value, key, value, ..., and the key that is asked for."""

    def __init__(self):
        self.key = nn.Embedding(KEYS, WIDTH, seed=0)
        self.query = nn.Embedding(KEYS, WIDTH, seed=1)

    def shares(self, sample):
        """How much of each value is taken: positive numbers with the sum 1."""
        *pairs, asked = sample
        query = self.query(asked)
        keys = self.key([*pairs[::2]])
        return ag.softmax([ag.dot(query, key) / WIDTH**0.5 for key in keys])

    def __call__(self, sample):
        return ag.dot(self.shares(sample), sample[1:-1:2])


def draw(rng, length):
    """A sample with as many pairs, and the value that belongs to its last key."""
    keys, place = rng.sample(range(KEYS), length), rng.randrange(length)
    pairs = [x for key in keys for x in (key, rng.uniform(-1, 1))]
    return [*pairs, keys[place]], pairs[2 * place + 1]


def many(length, count, seed=0):
    rng = random.Random(seed)
    return map(list, zip(*[draw(rng, length) for _ in range(count)], strict=True))


def mean_error(length):
    X, y = many(length, 200, seed=1)
    return nn.mean_absolute_error(nn.predict(model, X), y)


model = Attention()
print(f"{len(model.parameters())} parameters, error before: {mean_error(4):.3f}")
X, y = many(4, 300)
history = nn.fit(model, X, y, "mse", "adam", 40, lr=0.05, compile=True)
print(f"error after {len(history)} epochs: {mean_error(4):.3f} ({history.engine})")
print(f"of {KEYS} pairs, more than it has seen: {mean_error(KEYS):.3f}")
(*pairs, asked), _ = draw(random.Random(7), 4)
looks = [round(share.data, 2) for share in model.shares([*pairs, asked])]
print(f"asked for key {asked} of {pairs[::2]}, it looks at {looks}")
assert history.engine == "compiled"
assert mean_error(4) < 0.02 < 0.03 > mean_error(KEYS)

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
(*pairs, _), _ = draw(random.Random(7), KEYS)
keys = pairs[::2]
looks = [[s.data for s in model.shares([*pairs, key])] for key in keys]
figure.colorbar(ax.imshow(looks, cmap="Blues", vmin=0.0, vmax=1.0), label="share")
ax.set_xticks(range(KEYS), keys)
ax.set_yticks(range(KEYS), keys)
ax.set(xlabel="key in the sequence", ylabel="asked for")
figure.savefig("output/attention.png", dpi=150)
print("wrote output/attention.png")
