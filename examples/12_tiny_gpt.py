"""A tiny GPT: learns to write names, or the words of a file that you name.

One layer of width 16 with 4 heads, after Karpathy's microgpt. Tokens are inputs of the
compiled program, through ``take``: only another length of document is traced anew.
"""

import sys
from pathlib import Path

import numpy as np

import autograd as ag
import viz

NAMES = """anna emma mia mila lena leona elena nora laura clara sara mara maria marie
amelie emilia julia lia lea leo liam noel emil elias jonas jonah luca lukas tim nina"""
STEPS, WIDTH, HEAD, LONGEST = 400, 16, 4, 16
text = Path(sys.argv[1]).read_text("utf-8") if len(sys.argv) > 1 else NAMES
documents = [name[: LONGEST - 1] for name in text.split()]
letters = [".", *sorted({*"".join(documents)} - {"."})]
shapes = [("token", len(letters), WIDTH), ("place", LONGEST, WIDTH)]
shapes += [(name, WIDTH, WIDTH) for name in ("query", "key", "value", "out")]
shapes += [("up", 64, WIDTH), ("down", WIDTH, 64), ("logits", len(letters), WIDTH)]


def logits(numbers, tokens, keys=(), values=()):
    """For every token the logits of its successor; numbers may be of any kind."""
    stream, found = iter(numbers), []
    w = {k: [[next(stream) for _ in range(m)] for _ in range(n)] for k, n, m in shapes}
    norm = lambda x: [a * s for s in [(ag.dot(x, x) / 16 + 1e-5) ** -0.5] for a in x]  # noqa: E731
    times = lambda name, x: [ag.dot(row, x) for row in w[name]]  # noqa: E731
    plus = lambda x, y: [a + b for a, b in zip(x, y, strict=True)]  # noqa: E731
    for place, token in enumerate(tokens):
        x = norm(plus(ag.take(w["token"], token), w["place"][place]))
        query, key, value = [times(name, norm(x)) for name in ("query", "key", "value")]
        keys, values, mixed = (*keys, key), (*values, value), []
        for h in [slice(i, i + HEAD) for i in range(0, WIDTH, HEAD)]:
            shares = ag.softmax([ag.dot(query[h], k[h]) / HEAD**0.5 for k in keys])
            mixed += [ag.dot(shares, vs) for vs in zip(*[v[h] for v in values])]  # noqa: B905
        x = plus(x, times("out", mixed))
        x = plus(x, times("down", [ag.relu(a) for a in times("up", norm(x))]))
        found.append(times("logits", x))
    return found


def loss(numbers, tokens):
    pairs = zip(logits(numbers, tokens[:-1]), tokens[1:], strict=True)
    return ag.mean([ag.logsumexp(row) - ag.take(row, token) for row, token in pairs])


def train(gradient, steps):
    """Adam in numpy; the parameters, and the loss of every step."""
    p = np.random.default_rng(0).normal(0, 0.08, sum(n * m for _, n, m in shapes))
    mean, square, losses = 0.0, 0.0, []
    for step in range(steps):
        document = "." + documents[step % len(documents)] + "."
        value, g = gradient(p, np.array([*map(letters.index, document)]))
        mean, square = 0.85 * mean + 0.15 * g, 0.99 * square + 0.01 * g * g
        scale = np.sqrt(square / (1 - 0.99 ** (step + 1))) * (1 - 0.85 ** (step + 1))
        p = p - 0.01 * (1 - step / STEPS) * mean / (scale + 1e-8)
        losses.append(value)
    return p, np.array(losses)


p, losses = train(ag.jit(ag.value_and_grad(loss)), STEPS)
assert np.abs(train(ag.value_and_grad(loss), 5)[1] - losses[:5]).max() < 1e-9
smooth = np.convolve(losses, np.ones(30) / 30, "valid")
print(f"{len(p)} parameters: loss from {losses[0]:.2f} to {smooth[-1]:.2f}")
assert smooth[-1] < 0.85 * losses[0]
rng = np.random.default_rng(0)
for _ in range(8):
    tokens = [0]
    while len(tokens) == 1 or (tokens[-1] and len(tokens) < LONGEST):
        tokens.append(rng.choice(len(letters), p=ag.softmax(logits(p, tokens)[-1])))
    print("  ", "".join([letters[k] for k in tokens[1:] if k]))
Path("output").mkdir(exist_ok=True)
figure = viz.loss_curve({"one word": losses, "mean of 30 from there": smooth}).figure
figure.set_size_inches(4, 3)
figure.savefig("output/loss.png", dpi=150, bbox_inches="tight")
print("wrote output/loss.png")
