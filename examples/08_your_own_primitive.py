"""An operation of your own: one row, every mode works, and gradcheck watches it."""

import math
from pathlib import Path

import matplotlib.pyplot as plt

import autograd as ag
import viz
from autograd import Primitive, Value, cos, detect_anomaly, grad, gradcheck, jvp, sin
from autograd.errors import AnomalyError, GradcheckError

# sin(x) / x with its limit at 0: the value, then the partial derivative as an ordinary
# expression of the operand x and the result y.
sinc = Primitive(
    "sinc",
    lambda x: math.sin(x) / x if x else 1.0,
    lambda x, y: ag.divide(cos(x) - y, x),  # which does not raise at 0, as / would
)

x = Value(2.0, label="x")
y = sinc(x * x)
y.backward()
print(f"reverse  d sinc(x^2)/dx = {x.grad:.12f}")
print(f"forward                 = {jvp(lambda x: sinc(x * x), (2.0,), (1.0,))[1]:.12f}")
print(f"third derivative of sinc at 1: {grad(grad(grad(sinc)))(1.0):.12f}")
print(gradcheck(lambda x: sinc(x * x), 2.0, order=2))

wrong = Primitive("sinc", sinc.evaluate, lambda x, y: cos(x) / x)
try:
    gradcheck(wrong, 2.0)
except GradcheckError as error:
    print(f"\na wrong rule is caught:\n{error}")

try:
    with detect_anomaly():
        z = Value(0.0, label="z")
        (sin(z) / z).tanh()
except AnomalyError as error:
    print(f"\nthe first NaN is found:\n{error}")

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
viz.activation(sinc, interval=(-12.0, 12.0), resolution=400, ax=ax)  # none at 0
figure.savefig("output/sinc.png", dpi=150)
print("wrote output/sinc.png")
