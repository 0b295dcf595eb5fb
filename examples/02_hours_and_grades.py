"""Hours and grades: one neuron predicts a grade, y = w x + b, by gradient descent."""

from pathlib import Path

import matplotlib.pyplot as plt

import nn
import viz
from nn.datasets import hours_and_grades

hours, grades = hours_and_grades()
neuron = nn.Neuron(1, nonlin=False, seed=0)
optimiser = nn.SGD(neuron.parameters(), lr=0.02)

for step in range(2001):
    loss = nn.mse_loss([neuron(x) for x in hours], grades)
    if step % 500 == 0:
        print(
            f"step {step:4d}  loss {loss.data:7.4f}  "
            f"w {neuron.w[0].data:.4f}  b {neuron.b.data:.4f}"
        )
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()

w, b = neuron.w[0].data, neuron.b.data
print(f"best line: w = {w:.2f}, b = {b:.2f}")
print(f"seven hours of study: grade {neuron([7.0]).data:.2f}")
assert (round(w, 2), round(b, 2)) == (0.55, 1.90)
assert round(neuron([7.0]).data, 2) == 5.75

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.line_fit(hours.ravel(), grades, w, b, ax=ax)
ax.set(xlabel="hours of study", ylabel="grade")
figure.savefig("output/line.png", dpi=150)
print("wrote output/line.png")
