"""Draw the pictures of README and docs that the library makes by itself.

The neuron of the quickstart: as it is rendered, and filmed through both passes.
"""

from pathlib import Path

from autograd import Value, tanh
from viz import animate, render

FOLDER = Path(__file__).parent.parent / "docs" / "images"


def neuron() -> Value:
    """tanh(w x + b), as README's program has it."""
    w, x, b = Value(-3.0, label="w"), Value(2.0, label="x"), Value(6.88, label="b")
    return tanh(w * x + b)


if __name__ == "__main__":
    y = neuron()
    y.label = "y"
    y.backward()
    print(render(y, FOLDER / "neuron.png"))
    print(animate(y, FOLDER / "backprop.gif", seconds=1.2))
