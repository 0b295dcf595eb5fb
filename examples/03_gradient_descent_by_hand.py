"""Gradient descent by hand: a line m x + b to three points, rate 0.1, from m = b = 0.

The article this follows arrives at m = 0.42, b = 0.40 "after continuing the iterations
for 3 more steps". That is the state after two more steps, (0.4272, 0.4001), cut to two
places; after three more it is (0.4443, 0.4404), as the table shows. The article also
prints the first update of b as 0 - 0.1 * (-2.6) = 0.22; the gradient there is -2.2.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import viz
from autograd import Value, mean

points = [(0.5, 0.8), (2.0, 1.0), (1.0, 1.5)]
rate = 0.1
m, b = Value(0.0, label="m"), Value(0.0, label="b")
table = []


def mean_squared_error(m, b):
    return mean([(y - (m * x + b)) ** 2 for x, y in points])


print("step      m        b      loss    dloss/dm  dloss/db")
for step in range(201):
    loss = mean_squared_error(m, b)
    m.grad = b.grad = 0.0
    loss.backward()
    if step < 5:
        print(
            f"{step:4d}  {m.data:7.4f}  {b.data:7.4f}  {loss.data:7.4f}  "
            f"{m.grad:8.4f}  {b.grad:8.4f}"
        )
    table.append((m.data, b.data, loss.data, m.grad, b.grad))
    m.data -= rate * m.grad
    b.data -= rate * b.grad

start, first, third, fourth = table[0], table[1], table[3], table[4]
assert abs(start[2] - 389 / 300) < 1e-12
assert [round(g, 10) for g in start[3:]] == [-2.6, -2.2]
assert [round(p, 10) for p in first[:2]] == [0.26, 0.22]
assert [round(p, 4) for p in third[:2]] == [0.4272, 0.4001]  # the article's state
assert [round(p, 4) for p in fourth[:2]] == [0.4443, 0.4404]

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.descent_path(mean_squared_error, [row[:2] for row in table], ax=ax)
ax.set(xlabel="slope m", ylabel="intercept b")
figure.savefig("output/descent.png", dpi=150)
print("wrote output/descent.png")
