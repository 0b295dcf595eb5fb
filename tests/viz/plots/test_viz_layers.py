"""Pictures of what layers do: activations and gradients, weights, learning rates."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

from autograd import DataError, ShapeError  # noqa: E402
from nn import MLP, LearningRates, Sequential, datasets, statistics  # noqa: E402
from viz import input_weights, layer_statistics, learning_rates  # noqa: E402
from viz.plots.palette import LIGHT  # noqa: E402

X, Y = datasets.moons(50, seed=0)


def test_a_box_for_each_layer_and_its_gradient():
    model = MLP(2, [4, 4, 1], ["relu", "tanh"], seed=0)
    model.layers[0].neurons[0].b.data = -100.0
    found = statistics(model, X, Y, "hinge")
    ax = layer_statistics(found, widths=0.3)
    texts = [label.get_text() for label in ax.get_xticklabels()]
    assert texts[0] == "layer0\n2 -> 4 relu\n25% dead"
    assert texts[2] == "layer2\n4 -> 1"
    (right,) = [other for other in ax.figure.axes if other is not ax]
    ratios = [layer.ratio for layer in found.layers]
    assert right.get_lines()[0].get_ydata() == pytest.approx(ratios)
    assert right.get_yscale() == "log"
    medians = [
        line.get_ydata()[0] for line in ax.get_lines() if line.get_color() == LIGHT[0]
    ]
    assert medians == pytest.approx([np.median(x.outputs) for x in found.layers])
    ax.figure.canvas.draw()


def test_numbers_that_are_not_finite_leave_gaps():
    model = MLP(2, [3, 1], "tanh", init="zeros")
    model.layers[0].neurons[0].b.data = np.nan
    ax = layer_statistics(statistics(model, X, Y))
    ax.figure.canvas.draw()
    assert len(ax.figure.axes) == 1  # no gradient has a size


def test_a_model_without_layers():
    with pytest.raises(DataError, match="no layer"):
        layer_statistics(type(statistics(MLP(2, [1]), X, Y))([], 0.0, 1))


@pytest.mark.parametrize("count", [1, 5, 12])
def test_each_neuron_is_an_image(count):
    model = Sequential(MLP(6, [count, 2], seed=0))
    given = pyplot.subplots()[1]
    ax = input_weights(model, (2, 3), ax=given)
    assert ax is given
    first = model.layers[0].layers[0].neurons
    for image, neuron in zip(ax.images, first):
        weights = np.array([w.data for w in neuron.w]).reshape(2, 3)
        assert (image.get_array() == weights).all()
        low, high = image.get_clim()
        assert low == -high  # white is 0
    assert len(ax.images) == count
    assert ax.images[0].cmap(0.0)[:3] == pytest.approx(to_rgb(LIGHT[1]))
    assert ax.images[0].cmap(1.0)[:3] == pytest.approx(to_rgb(LIGHT[0]))
    boxes = {tuple(image.get_extent()) for image in ax.images}
    assert len(boxes) == count
    left, right = ax.get_xlim()
    assert all(left < box[0] and box[1] < right + 1e-9 for box in boxes)
    ax.figure.canvas.draw()


def test_some_of_the_neurons_and_weights_that_are_not_finite():
    model = MLP(4, [9, 1], seed=0)
    ax = input_weights(model, (2, 2), most=4)
    assert ax.get_title().startswith("4 of 9 neurons")
    model.layers[0].neurons[0].w[0].data = np.inf
    assert np.isfinite(input_weights(model, (2, 2)).images[0].get_clim()).all()
    for neuron in model.layers[0].neurons:
        for w in neuron.w:
            w.data = 0.0
    input_weights(model, (2, 2)).figure.canvas.draw()


def test_images_of_another_shape():
    with pytest.raises(ShapeError, match="4 inputs, and images of 2 x 3 have 6"):
        input_weights(MLP(4, [3]), (2, 3))
    with pytest.raises(TypeError, match=r"viz\.input_weights draws"):
        input_weights("model", (2, 3))


def test_the_suggestion_is_marked():
    found = LearningRates([0.1, 0.2, 0.4, 0.8], [1.0, 0.9, 0.5, 0.4])
    ax = learning_rates(found, linewidth=3)
    assert ax.get_title() == f"a rate to begin with: {found.suggestion:.2g}"
    points, line, *_, star = ax.get_lines()
    assert points.get_ydata().tolist() == found.losses
    assert line.get_ydata() == pytest.approx(found.smoothed)
    assert line.get_linewidth() == 3
    assert star.get_xdata() == [found.suggestion]


def test_a_loss_that_runs_away_leaves_the_picture():
    found = LearningRates([0.1, 0.2, 0.4, 0.8], [1.0, 0.5, 0.4, 1e9])
    assert learning_rates(found).get_ylim()[1] < 10.0


def test_a_loss_that_never_falls():
    found = LearningRates([0.1, 0.2, 0.4], [1.0, 2.0, 3.0])
    assert learning_rates(found).get_title() == "the loss falls at no rate"
    with pytest.raises(DataError, match="empty"):
        learning_rates(LearningRates([], []))
