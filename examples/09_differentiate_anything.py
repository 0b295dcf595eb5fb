"""Differentiate anything: six short programs in plain Python for users of JAX."""

import math
from itertools import pairwise
from pathlib import Path

import autograd as ag
from autograd import Value, exp, grad, jvp, log, sin, sqrt, where
from autograd import sum as total
from viz import render


# 1. Control flow is Python's: a root by Newton's method, differentiated through.
def root(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


print("d sqrt/da by Newton:", grad(root)(2.0), "exactly", 0.5 / math.sqrt(2.0))
assert abs(grad(root)(2.0) - 0.5 / math.sqrt(2.0)) < 1e-9

# 2. The fifth derivative of a nested closure, all modes mixed.
forward = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]  # noqa: E731
fifth = forward(grad(forward(grad(grad(lambda x: sin(x) * exp(x))))))
print("fifth derivative:", fifth(0.3))
assert abs(fifth(0.3) - -4 * math.exp(0.3) * (math.sin(0.3) + math.cos(0.3))) < 1e-12

# 3. The gradient of a masked logarithm: no NaN, no double where.
safe = grad(lambda x: where(x > 0.0, log(x) * sqrt(x), 0.0))
print("masked at 0 and -1:", safe(0.0), safe(-1.0))
assert safe(0.0) == safe(-1.0) == 0.0


# 4. A sparse Hessian of a thousand dimensions from a plain loop: three colours.
def rosenbrock(x):
    return total([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairwise(x)])


H = ag.hessian(rosenbrock, sparse=True)([math.sin(i) for i in range(1000)])
print("sparse Hessian:", H.shape, "with", H.nnz, "entries")
assert H.nnz == 2998


# 5. Meta-learning: the learning rate that makes three steps of descent best.
def after_three_steps(rate):
    w = 5.0
    for _ in range(3):
        w = w - rate * grad(lambda v: (v - 1.0) ** 2)(w)
    return (w - 1.0) ** 2


rate = 0.1
for _ in range(60):  # Newton on the rate: derivatives of a function that uses grad
    rate = rate - grad(after_three_steps)(rate) / grad(grad(after_three_steps))(rate)
print("best learning rate:", rate)
assert abs(rate - 0.5) < 1e-3

# 6. Ask why: the chain rule of one derivative, path by path, with its numbers.
x, w = Value(1.5, label="x"), Value(-2.0, label="w")
y = exp(sin(w * x)) + x
print(ag.explain(y, wrt=x))
y.backward()
Path("output").mkdir(exist_ok=True)
print("wrote", render(y, "output/paths.png", rankdir="TB", legend=False))
long = ag.checkpoint(lambda t: root(t) + sin(t))
assert abs(ag.gradient(long(x), x) - (0.5 / math.sqrt(1.5) + math.cos(1.5))) < 1e-9
assert (
    ag.hvp(rosenbrock)([0.3, 0.5], [1.0, 0.0]) == ag.hessian(rosenbrock)([0.3, 0.5])[0]
)
assert ag.jacobian(lambda v: [v[0] * v[1]])([2.0, 3.0]) == [[3.0, 2.0]]
