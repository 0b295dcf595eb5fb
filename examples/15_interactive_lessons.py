"""Live pages: find out by hand what a text on neural networks says.

Writes five pages, each one HTML file that needs no network: a line fitted by hand and
by gradient descent to both data sets of the examples 02 and 03, the slope of a curve,
activations, and lines that stay lines when they are added. Open them in a browser.
"""

from pathlib import Path

import numpy as np

import autograd as ag
import nn
from viz import descent_page, lesson

OUTPUT = Path("output")
OUTPUT.mkdir(exist_ok=True)


def largest_stable_rate(xs, ys):
    """2 / (the larger eigenvalue of the Hessian of the mean squared error)."""

    def loss(line):
        m, b = line
        return ag.mean([(y - (m * x + b)) ** 2 for x, y in zip(xs, ys, strict=True)])

    return 2.0 / np.linalg.eigvalsh(ag.hessian(loss)([0.0, 0.0]))[-1]


# 1. Three points, as example 03 descends to them.
X, y = nn.datasets.descent_points()
page = descent_page(
    X,
    y,
    OUTPUT / "three_points.html",
    title="Gradient descent on three points",
    note="Four steps of rate 0.1 from slope and intercept 0 lead to 0.4443 and 0.4404; "
    "0.42 and 0.40, which an article gives, are what three lead to, cut to two places.",
)
rate = largest_stable_rate(X.ravel(), y)
print(f"wrote {page}: rates below {rate:.4f} converge")
assert round(rate, 4) == 0.3845

# 2. Hours of study and grades: a valley 250 times as steep across as along.
X, y = nn.datasets.hours_and_grades()
page = descent_page(
    X,
    y,
    OUTPUT / "hours_and_grades.html",
    title="Hours of study and grades",
    note="The best line has slope 0.55 and intercept 1.90: seven hours of study would "
    "be a grade of 5.75.",
    names=("hours", "grade"),
)
rate = largest_stable_rate(X.ravel(), y)
print(f"wrote {page}: rates below {rate:.4f} converge")
assert round(rate, 4) == 0.0223
assert np.allclose(np.polyfit(X.ravel(), y, 1), [0.55, 1.90])

# 3. What needs no data.
for name in ("tangent", "activations", "lines"):
    page = lesson(name, OUTPUT / f"{name}.html")
    print(f"wrote {page}, {page.stat().st_size / 1e3:.0f} kB")
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
