"""Plots: what they draw, and what they say about data that cannot be drawn."""

import sys
from math import inf, nan

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

import autograd as ag  # noqa: E402
import viz  # noqa: E402
from autograd import DataError, MissingDependencyError, ShapeError, Value  # noqa: E402
from nn import MLP, LearningRates, fit, statistics  # noqa: E402
from viz import (  # noqa: E402
    activation,
    decision_boundary,
    descent_path,
    line_fit,
    loss_curve,
)
from viz.plots.palette import LIGHT, LINES  # noqa: E402

X = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
RATES = LearningRates([0.1, 0.2, 0.4, 0.8], [1.0, 0.9, 0.5, 0.4])
STATISTICS = statistics(MLP(2, [3, 1], seed=0), X, [0.0, 1.0, 1.0])


def first(p):
    return p[:, 0]


PLOTS = {
    "loss_curve": lambda ax: loss_curve([1.0, 0.5], ax=ax),
    "decision_boundary": lambda ax: decision_boundary(first, X, [0, 1, 1], ax=ax),
    "line_fit": lambda ax: line_fit([0.0, 1.0], [1.0, 0.0], 1.0, 0.0, ax=ax),
    "descent_path": lambda ax: descent_path(lambda a, b: a * a + b, X, ax=ax),
    "activation": lambda ax: activation(ag.tanh, ax=ax),
    "learning_rates": lambda ax: viz.learning_rates(RATES, ax=ax),
    "layer_statistics": lambda ax: viz.layer_statistics(STATISTICS, ax=ax),
}


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No plot may show itself or change a global setting."""
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("shown"))
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_axes_are_taken_and_returned(plot):
    figure, ax = plt.subplots()
    assert plot(ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert ax.has_data()
    figure.canvas.draw()


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_axes_are_made(plot):
    assert plot(None) is not plot(None)


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_without_matplotlib(plot, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingDependencyError, match="pip install matplotlib"):
        plot(None)


def test_loss_curve():
    ax = loss_curve([Value(3.0), 2.0, 1])
    assert ax.get_lines()[0].get_ydata().tolist() == [3.0, 2.0, 1.0]
    assert ax.get_yscale() == "linear"
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.001], "log"), ([1.0, 0.0], "linear"), ([5.0], "linear")],
)
def test_loss_curve_scale(losses, scale):
    assert loss_curve(losses).get_yscale() == scale


def test_loss_curves_by_name():
    ax = loss_curve({"train": [1.0, 0.5], "validation": [1.0, 0.8]}, linewidth=3)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "train",
        "validation",
    ]
    assert ax.get_lines()[1].get_linewidth() == 3


def test_loss_curve_of_a_training_history():
    class History:
        losses = (1.0, 0.5)
        validation_losses = (1.0, 0.8)

    assert len(loss_curve(History()).get_lines()) == 2


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([], "empty"),
        ({}, "empty"),
        ({"train": []}, "train is empty"),
        ([1.0, nan], r"\[1\] is nan"),
        ([inf], "inf"),
    ],
)
def test_loss_curve_refuses(history, message):
    with pytest.raises(DataError, match=message):
        loss_curve(history)


def boundary(ax):
    """The points of the black line."""
    (line,) = [c for c in ax.collections if list(getattr(c, "levels", ())) == [0.0]]
    return np.concatenate([path.vertices for path in line.get_paths()])


@pytest.mark.parametrize(
    "predict",
    [
        lambda p: p[:, 0] - 0.25,
        lambda p: Value(p[0]) - 0.25,
        lambda p: [Value(p[0]) - 0.25],
        lambda p: [p[0] - 0.25][0] if isinstance(p, list) else "no arrays",
    ],
)
def test_the_boundary_is_where_the_score_is_zero(predict):
    ax = decision_boundary(predict, X, [-1, 1, 1], grid_resolution=30)
    assert boundary(ax)[:, 0] == pytest.approx(0.25)


@pytest.mark.parametrize(("threshold", "where"), [(None, 0.5), (0.0, 0.0)])
def test_the_threshold_of_classes_0_and_1(threshold, where):
    ax = decision_boundary(first, X, [0, 1, 1], threshold=threshold)
    assert boundary(ax)[:, 0] == pytest.approx(where, abs=1e-6)


@pytest.mark.parametrize("method", ["contourf", "contour", "pcolormesh"])
@pytest.mark.parametrize(
    "predict",
    [
        lambda p: np.stack([-p[:, 0], p[:, 0] - 1, p[:, 1]], axis=1),
        lambda p: [Value(-p[0]), Value(p[0] - 1), Value(p[1])],
        lambda p: 5.0 * (p[:, 0] > 0.5) + 2.0 * (p[:, 1] > 0.5),
        lambda p: 0.0 * p[:, 0],
    ],
)
def test_several_classes(predict, method):
    ax = decision_boundary(predict, X, [0, 5, 7], plot_method=method, grid_resolution=9)
    ax.figure.canvas.draw()
    assert ax.collections


def test_two_classes_with_other_methods():
    for method in ("contour", "pcolormesh"):
        decision_boundary(first, X, [0, 1, 1], plot_method=method)


def test_scores_that_are_constant_or_partly_nan():
    decision_boundary(lambda p: 0.0 * p[:, 0], X, [-1, 1, 1])
    decision_boundary(
        lambda p: np.log(abs(p[:, 0])) * np.nan ** (p[:, 0] < 0), X, [-1, 1, 1]
    )


def test_no_graph_is_built_for_the_grid():
    w, seen = Value(2.0), []

    def predict(point):
        seen.append(w * float(point[0]))
        return seen[-1]

    decision_boundary(predict, X, [-1, 1, 1], grid_resolution=5)
    assert seen
    assert all(not y.operands for y in seen)


@pytest.mark.parametrize(
    ("points", "classes", "error", "message"),
    [
        ([[1.0, 2.0, 3.0]], [1], ShapeError, "got 3 at row 0"),
        (X, [1, 2], ShapeError, "3 points in X with 2"),
        ([], [], DataError, "X is empty"),
        ([[nan, 1.0]], [1], DataError, "nan"),
        (X, [0, nan, 1], DataError, r"y\[1\] is nan"),
    ],
)
def test_decision_boundary_refuses(points, classes, error, message):
    with pytest.raises(error, match=message):
        decision_boundary(first, points, classes)


def test_decision_boundary_refuses_other_things():
    with pytest.raises(ValueError, match="plot_method is one of"):
        decision_boundary(first, X, [0, 1, 1], plot_method="scatter")
    with pytest.raises(ValueError, match="grid_resolution is at least 2"):
        decision_boundary(first, X, [0, 1, 1], grid_resolution=1)
    with pytest.raises(DataError, match="no finite number"):
        decision_boundary(lambda p: p[:, 0] * nan, X, [0, 1, 1])


@pytest.mark.parametrize("slope", [2.0, -2.0, 0.0])
def test_squared_residuals_are_squares(slope):
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, -1.0, 0.5])
    ax = line_fit(x, y, Value(slope), Value(0.5))
    assert ax.get_aspect() == 1.0
    squares = [path.vertices for path in ax.collections[0].get_paths()]
    for square, residual in zip(squares, y - (slope * x + 0.5), strict=True):
        assert np.ptp(square, axis=0) == pytest.approx([abs(residual)] * 2)
        above = square[:, 1] - (slope * square[:, 0] + 0.5)
        assert (above * np.sign(residual) > -1e-9).all(), "it crosses the line"
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("x", "y", "w", "error", "message"),
    [
        ([1.0], [1.0, 2.0], 1.0, ShapeError, "got 1 and 2"),
        ([], [], 1.0, DataError, "x is empty"),
        ([1.0], [nan], 1.0, DataError, r"y\[0\] is nan"),
        ([1.0], [1.0], nan, DataError, "w is nan"),
        (["a"], [1.0], 1.0, TypeError, "real number"),
    ],
)
def test_line_fit_refuses(x, y, w, error, message):
    with pytest.raises(error, match=message):
        line_fit(x, y, w, 0.0)


def test_descent_path():
    ax = descent_path(
        lambda a, b: Value(a) ** 2 + b * b, X, color="k", grid_resolution=8
    )
    assert ax.get_lines()[0].get_xydata().tolist() == X
    assert ax.get_lines()[0].get_color() == "k"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["start", "end"]


def test_descent_path_of_one_step_or_on_a_plain():
    descent_path(lambda a, b: a + b, [[1.0, 1.0]])
    descent_path(lambda a, b: 0.0 * a, X)


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ([], DataError, "path is empty"),
        ([[1.0]], ShapeError, "got 1"),
        ([[1.0, inf]], DataError, "inf"),
    ],
)
def test_descent_path_refuses(path, error, message):
    with pytest.raises(error, match=message):
        descent_path(lambda a, b: a + b, path)


@pytest.mark.parametrize(
    ("f", "name"),
    [(ag.tanh, "tanh(x)"), (lambda x: x * x, "f(x)"), (ag.relu, "relu(x)")],
)
def test_activation(f, name):
    ax = activation(f, interval=(-1.0, 3.0), resolution=5)
    curve, derivative = ax.get_lines()[:2]
    assert curve.get_xdata().tolist() == [-1.0, 0.0, 1.0, 2.0, 3.0]
    assert curve.get_ydata() == pytest.approx([f(x) for x in curve.get_xdata()])
    assert derivative.get_ydata()[4] == pytest.approx(ag.grad(f)(3.0))
    assert ax.get_legend().get_texts()[0].get_text() == name


def test_activation_outside_its_domain_has_a_gap():
    curve = activation(ag.log, interval=(-1.0, 1.0), resolution=3).get_lines()[0]
    assert np.isnan(curve.get_ydata()[0])


def colours_of_points(ax):
    """The colour of each class in the legend's order."""
    shown = [c for c in ax.collections if c.get_label()[:1] != "_"]
    return [tuple(c.get_facecolor()[0][:3]) for c in shown]


@pytest.mark.parametrize("threshold", [None, 0.0])
def test_points_of_two_classes_have_full_colours(threshold):
    """Also when the scores spread much further than the class numbers."""
    X = [[0.0, 0.0], [1.0, 1.0]]
    ax = decision_boundary(
        lambda P: 100.0 * (P[:, 0] - 0.5), X, [0, 1], threshold=threshold
    )
    assert colours_of_points(ax) == [to_rgb(LIGHT[1]), to_rgb(LIGHT[0])]
    shapes = [c.get_paths()[0].vertices.shape for c in ax.collections[-2:]]
    assert shapes[0] != shapes[1], "the colour is not all that tells them apart"


def test_points_are_seen_in_pixels():
    figure, ax = plt.subplots(figsize=(3, 3), dpi=100)
    X = [[0.0, 0.0], [1.0, 1.0]]
    decision_boundary(lambda P: P[:, 0] - 0.5, X, [0, 1], threshold=0.0, ax=ax)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    for point, colour in zip(X, (LIGHT[1], LIGHT[0])):
        x, y = ax.transData.transform(point).round().astype(int)
        seen = pixels[len(pixels) - 1 - y, x, :3] / 255
        assert seen == pytest.approx(to_rgb(colour), abs=0.02)


def legend(ax):
    return [t.get_text() for t in ax.get_legend().get_texts()]


@pytest.mark.parametrize("count", [2, 3, 9])
def test_every_class_is_in_the_legend(count):
    y = list(range(count))
    ax = decision_boundary(lambda P: 0.0 * P[:, 0], [[k, 0.0] for k in y], y)
    assert legend(ax) == [str(k) for k in y]
    assert len({*colours_of_points(ax)}) == count


@pytest.mark.parametrize(
    "predict",
    [
        lambda P: P[:, 0] - 0.5,
        lambda P: np.stack([-P[:, 0], P[:, 0] - 1], axis=1),
        lambda P: np.where(P[:, 0] > 0.5, "dog", "cat"),
        lambda p: ["cat", "dog"][p[0] > 0.5] if isinstance(p, list) else "no arrays",
    ],
)
def test_classes_that_are_texts(predict):
    ax = decision_boundary(predict, X, ["cat", "dog", "cat"], grid_resolution=20)
    assert legend(ax) == ["cat", "dog"]


def test_classes_by_names_of_ones_own():
    ax = decision_boundary(first, X, [0, 1, 1], labels=("no", "yes"))
    assert legend(ax) == ["no", "yes"]
    with pytest.raises(ShapeError, match="3 labels for 2 classes"):
        decision_boundary(first, X, [0, 1, 1], labels=("a", "b", "c"))
    with pytest.raises(DataError, match="mixes texts and numbers"):
        decision_boundary(first, X, [0, "1", 1])


def test_a_class_without_points_has_its_column():
    three = lambda P: np.stack([P[:, 0], P[:, 1], 0 * P[:, 0]], axis=1)  # noqa: E731
    ax = decision_boundary(three, X, [0, 2, 2])
    assert legend(ax) == ["0", "2"]
    assert colours_of_points(ax) == [to_rgb(LINES[0]), to_rgb(LINES[2])]


class Column:
    """What the plots need of a data frame's column, and no more."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __iter__(self):
        return iter(self.values)


class Frame:
    def __init__(self, **columns):
        self.columns, self.parts = list(columns), columns

    def __getitem__(self, name):
        return Column(name, self.parts[name])

    def __iter__(self):
        return iter(self.columns)

    def __array__(self, dtype=None, copy=None):
        return np.array([*self.parts.values()], dtype).T


def test_data_frames():
    frame = Frame(hours=[0.0, 1.0, 0.0], age=[0.0, 1.0, 1.0])
    ax = decision_boundary(first, frame, Column("passed", ["no", "yes", "no"]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hours", "age")
    assert legend(ax) == ["no", "yes"]
    ax = line_fit(frame["hours"], frame["age"], 1.0, 0.0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hours", "age")
    ax = loss_curve(Frame(train=[1.0, 0.5], test=[1.0, 0.6]))
    assert legend(ax) == ["train", "test"]
    assert descent_path(lambda a, b: a + b, frame).get_xlabel() == "hours"


def test_the_history_of_fit():
    model, y = MLP(2, [1], seed=0), [0.0, 1.0, 1.0]
    options = {"epochs": 5, "metrics": ["r2_score"], "progress": False}
    history = fit(model, X, y, validation=(X, y), **options)
    ax = loss_curve(history)
    left, right = ax.figure.axes
    assert ax is left and right.get_ylabel() == "r2_score"
    assert left.get_xlabel() == "epoch"
    best = f"best: epoch {history.best_epoch}"
    assert legend(right) == ["training", "validation", best, "r2_score"]
    styles = [line.get_linestyle() for line in (*left.get_lines(), *right.get_lines())]
    assert len({*styles}) == 3


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_every_plot_says_what_it_shows(plot):
    ax = plot(None)
    assert ax.get_title() and ax.get_xlabel() and ax.get_ylabel()


MATHS = ["$x^$", "$a_$ and $", "$5 to $10"]


@pytest.mark.parametrize("text", MATHS)
def test_dollar_signs_are_no_mathematics(text, tmp_path):
    """Whatever the names that users give, they are drawn as they are."""
    import nn

    viz.network(nn.MLP(2, [1], seed=0), inputs=(text, "b"), title=text)
    viz.loss_curve({"loss": [1.0, 2.0], text: [3.0, 4.0]})
    viz.decision_boundary(
        lambda X: [text] * len(X), [[1.0, 2.0], [3.0, 4.0]], [text, "b"]
    )
    for number in plt.get_fignums():
        plt.figure(number).savefig(tmp_path / "a.png")


def test_a_class_that_is_not_in_the_data():
    with pytest.raises(DataError, match="'c', and y has only"):
        viz.decision_boundary(
            lambda X: ["c"] * len(X), [[1.0, 2.0], [3.0, 4.0]], ["a", "b"]
        )
