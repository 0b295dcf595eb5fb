"""One training step, products and sums apart, on other engines.

    python benchmarks/eager_peers.py [micrograd|autograd|xad|ddx]...

The work is that of ``problems.ProductsAndSums``: MLP(2, [16, 16, 1]) on 100 samples.
Every loss is asserted to be that of plain floats first. Needs no other package than the
peers: PyPy runs it too. Milliseconds a step, the median of nine, collector on and off.
"""

from __future__ import annotations

import gc
import math
import random
import sys
import time

SAMPLES = [(math.sin(0.37 * i), math.cos(0.91 * i)) for i in range(100)]
SIGNS = [1.0 if x * y > 0 else -1.0 for x, y in SAMPLES]
RATE = 0.05


def drawn():
    rng = random.Random(1)
    return [rng.uniform(-1, 1) for _ in range(337)]


def loss_of(parameters, inputs, relu):
    """Max-margin loss and penalty; any numbers that can be added and multiplied."""
    rest, layers = iter(parameters), []
    for n, m in ((2, 16), (16, 16), (16, 1)):
        layers.append([([next(rest) for _ in range(n)], next(rest)) for _ in range(m)])
    losses = []
    for x, sign in zip(inputs, SIGNS):  # noqa: B905 (PyPy)
        for layer in layers:
            outs = []
            for ws, b in layer:
                y = sum((w * xi for w, xi in zip(ws, x)), b)  # noqa: B905
                outs.append(y if layer is layers[-1] else relu(y))
            x = outs
        losses.append(relu(1 + -sign * x[0]))
    total = sum(losses) * (1.0 / len(losses))
    return total + 1e-4 * sum([p * p for p in parameters])


def of_values(value):
    """micrograd's Value, or one like it: a step is forward, backward and update."""
    parameters = [value(x) for x in drawn()]

    def step():
        inputs = [[value(x) for x in row] for row in SAMPLES]
        loss = loss_of(parameters, inputs, lambda y: y.relu())
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        for p in parameters:
            p.data -= RATE * p.grad
        return loss.data

    return step


def micrograd():
    from micrograd.engine import Value

    return of_values(Value)


def autograd():
    from autograd import Value

    return of_values(Value)


def xad():
    from xad.adj_1st import Real, Tape

    numbers, zero = drawn(), 0.0

    def relu(y):
        return y if y.getValue() > zero else y * zero

    def step():
        with Tape() as tape:
            parameters = [Real(x) for x in numbers]
            tape.registerInputs(parameters)
            tape.newRecording()
            inputs = [[Real(x) for x in row] for row in SAMPLES]
            loss = loss_of(parameters, inputs, relu)
            tape.registerOutput(loss)
            loss.setDerivative(1.0)
            tape.computeAdjoints()
            numbers[:] = [
                x - RATE * p.getDerivative()
                for x, p in zip(numbers, parameters)  # noqa: B905
            ]
            return loss.getValue()

    return step


def ddx():
    import ddx as d
    import numpy as np

    numbers, names = drawn(), [f"p{i:03}" for i in range(337)]

    def model():
        constant = d.Expression
        inputs = [[constant(x) for x in row] for row in SAMPLES]
        parameters = [d.var(name) for name in names]
        return loss_of(parameters, inputs, lambda y: d.max(y, constant(0.0)))

    def step():
        graph = d.equation(model)
        assert graph.inputs == names
        (value,) = np.ravel(graph(np.array(numbers)))
        slopes = np.ravel(graph.gradient(np.array(numbers)))
        numbers[:] = [x - RATE * g for x, g in zip(numbers, slopes)]  # noqa: B905
        return float(value)

    return step


def timed(step, collect):
    (gc.enable if collect else gc.disable)()
    times = []
    for _ in range(9):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    gc.enable()
    return sorted(times)[4] * 1e3


def main():
    expected = loss_of(drawn(), SAMPLES, lambda y: max(y, 0.0))
    for make in [globals()[name] for name in sys.argv[1:]] or [autograd]:
        step = make()
        first = step()
        assert abs(first - expected) < 1e-9 * expected, (make.__name__, first, expected)
        for _ in range(30 if sys.implementation.name == "pypy" else 2):
            step()
        on, off = timed(step, True), timed(step, False)
        print(f"{make.__name__:10s} {on:9.2f} ms collector on {off:9.2f} off")


if __name__ == "__main__":
    main()
