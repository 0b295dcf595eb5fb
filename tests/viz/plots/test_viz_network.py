"""Networks as pictures: circles in layers, what is elided, and what is refused."""

import random
import xml.etree.ElementTree as ET
from math import inf, nan

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402

import viz  # noqa: E402
from autograd import DataError, RenderError, ShapeError, Value, softmax  # noqa: E402
from nn import MLP, Layer, Module, Neuron, Scaler, Sequential  # noqa: E402
from viz import network, network_svg  # noqa: E402
from viz.plots.palette import LIGHT  # noqa: E402

HOSTILE = "</title><script>alert(1)</script>&\"'"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(ax):
    return [t.get_text() for t in ax.texts]


def circles(ax):
    return [p for p in ax.patches if p.radius > 0.2]


def wires(ax):
    (found,) = [c for c in ax.collections if hasattr(c, "get_segments")]
    return found


def test_a_neuron_with_three_inputs():
    """The first figure of every course: x1 w1 + x2 w2 + x3 w3 + b."""
    neuron = Neuron(3, nonlin=False, seed=0)
    for k, w in enumerate(neuron.w, 1):
        w.label = f"w{k}"
    ax = network(neuron, inputs=("x1", "x2", "x3"), write="name")
    assert {"x1", "x2", "x3", "w1", "w2", "w3", "b", "ŷ"} <= {*texts(ax)}
    assert len(circles(ax)) == 4
    assert len(wires(ax).get_segments()) == 3
    left, right = circles(ax)[:3], circles(ax)[3]
    assert [c.center[1] for c in left] == sorted(c.center[1] for c in left)
    assert ax.yaxis.get_inverted(), "x1 is on top"
    assert all(c.center[0] < right.center[0] for c in left)


def test_a_fully_connected_network():
    ax = network(MLP(3, [4, 4, 1], seed=0), title="fully connected")
    assert ax.get_title() == "fully connected"
    assert len(circles(ax)) == 3 + 4 + 4 + 1
    assert len(wires(ax).get_segments()) == 12 + 16 + 4
    assert {"ReLU\n16 parameters", "Linear\n5 parameters", "3 inputs"} <= {*texts(ax)}
    legend = [t.get_text() for t in ax.get_legend().get_texts()]
    assert legend[:2] == ["positive weight", "negative weight"]


def test_colour_is_sign_and_width_is_size():
    neuron = Neuron(3)._bound(map(Value, [2.0, -1.0, 0.0, 0.0]))
    lines = wires(network(neuron))
    by_width = sorted(
        zip(lines.get_linewidths(), lines.get_colors()), key=lambda p: p[0]
    )
    expected = [LIGHT[3], LIGHT[1], LIGHT[0]]  # zero, negative, positive
    assert [tuple(c[:3]) for _, c in by_width] == [to_rgb(c) for c in expected]


def test_numbers_of_a_sample_stand_in_the_circles():
    model = MLP(2, [3, 2], "tanh", seed=1)
    before = random.getstate(), [p.grad for p in model.parameters()]
    ax = network(model, np.array([1.0, -2.0]))
    for y in model([1.0, -2.0]):
        assert f"{y.data:.2g}" in texts(ax)
    assert before == (random.getstate(), [p.grad for p in model.parameters()])


def test_gradients():
    model = MLP(2, [3, 1], seed=0)
    ax = network(model, show="grad")
    assert "all gradients are 0" in ax.get_legend().get_texts()[0].get_text()
    model([1.0, 2.0]).backward()
    ax = network(model, show="grad")
    grads = [w.grad for n in model.layers[1].neurons for w in n.w]
    assert {f"{g:.3g}" for g in grads} <= {*texts(ax)}


def test_wide_layers_are_elided():
    ax = network(MLP(2, [70, 1], seed=0), [1.0, 2.0])
    assert len(circles(ax)) == 2 + 12 + 1
    assert "⋮ 58 more" in texts(ax)
    ax = network(MLP(2, [70, 1], seed=0), most=70)
    assert len(circles(ax)) == 73
    with pytest.raises(ValueError, match="most must be at least 2"):
        network(MLP(2, [3]), most=1)


def test_images():
    ax = network(MLP(6, [3, 2], seed=0), image=(2, 3))
    assert [image.get_array().shape for image in ax.get_images()] == [(2, 3)] * 3
    assert len(circles(ax)) == 5
    with pytest.raises(ShapeError, match="9 pixels, and the network takes 6"):
        network(MLP(6, [3, 2]), image=(3, 3))


def test_activations_and_functions_of_a_sequential():
    model = Sequential(
        Layer(2, 4, nonlin=False, seed=0), "tanh", Layer(4, 3, nonlin=False), softmax
    )
    ax = network(model, [1.0, 2.0])
    assert {"Tanh\n12 parameters", "Softmax\n15 parameters"} <= {*texts(ax)}
    for p in model([1.0, 2.0]):
        assert f"{p.data:.2g}" in texts(ax)


def test_numbers_that_are_not_finite_are_drawn():
    neuron = Neuron(2)._bound([Value(nan), Value(inf), Value(1.0)])
    ax = network(neuron, [1.0, 2.0])
    ax.figure.canvas.draw()
    assert "weight that is not finite" in [
        t.get_text() for t in ax.get_legend().get_texts()
    ]
    assert "nan" in network_svg(neuron, [1.0, 2.0])


class Own(MLP):
    def __call__(self, x):
        return super().__call__([2.0 * xi for xi in x])


class Line(Module):
    pass


@pytest.mark.parametrize(
    "model", [3, Value(1.0), Line(), lambda x: x, MLP, Own(2, [1])]
)
def test_what_is_no_network_of_layers(model):
    for draw in (network, network_svg):
        with pytest.raises(TypeError, match="draws MLP, Layer, Neuron, and"):
            draw(model)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"x": [1.0, 2.0, 3.0]}, ShapeError, "takes 2 inputs, x has 3"),
        ({"x": [[1.0, 2.0]]}, ShapeError, "one sample"),
        ({"x": [1.0, nan]}, DataError, "nan"),
        ({"inputs": ("a",)}, ShapeError, "1 name in inputs, and the network has 2"),
        ({"inputs": "ab"}, TypeError, "sequence of names"),
        ({"show": "colour"}, ValueError, "show is one of"),
        ({"write": "all"}, ValueError, "write is one of"),
    ],
)
def test_arguments_that_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        network(MLP(2, [3, 1]), **options)


def test_layers_that_do_not_fit():
    with pytest.raises(ShapeError, match="layer 1 takes 5 inputs, and 4 come"):
        network(Sequential(Layer(2, 4), Layer(5, 1)))
    with pytest.raises(ShapeError, match="this Sequential has none"):
        network(Sequential("tanh"))


def test_axes_are_taken_and_returned():
    _, ax = plt.subplots()
    assert network(MLP(2, [3, 1]), ax=ax) is ax


def test_the_svg_is_well_formed_and_scoped():
    model = MLP(2, [20, 2], seed=0)
    text = network_svg(model, [1.0, 2.0], inputs=(HOSTILE, "age"), title=HOSTILE)
    root = ET.fromstring(text)
    assert root.get("role") == "img" and HOSTILE in root.get("aria-label")
    assert "<script" not in text
    assert root.find("{*}title").text == HOSTILE
    style = root.find("{*}style").text
    assert "prefers-color-scheme:dark" in style
    rules = style.replace("@media(prefers-color-scheme:dark){", "").split("}")
    assert all(rule.startswith(".autograd-network") for rule in rules if rule)
    assert len(root.findall(".//{*}line")) == 2 * 12 + 12 * 2 + 2


@pytest.mark.parametrize(
    ("name", "magic"), [("a.png", b"\x89PNG"), ("a.svg", b"<svg"), ("a.PDF", b"%PDF")]
)
def test_render_draws_networks(name, magic, tmp_path):
    path = viz.render(MLP(2, [3, 1], seed=0), tmp_path / name, x=[1.0, 2.0])
    assert path.read_bytes().startswith(magic)
    assert plt.get_fignums() == []


def test_who_asks_for_the_graph_of_a_network_is_told_what_draws_it():
    with pytest.raises(TypeError, match=r"got MLP; viz\.network draws networks"):
        viz.draw_dot(MLP(2, [1]))


def test_render_refuses_other_endings(tmp_path):
    with pytest.raises(RenderError, match=r"use one of .png, .svg, .pdf"):
        viz.render(MLP(2, [3, 1]), tmp_path / "net.dot")
    with pytest.raises(RenderError, match="cannot write"):
        viz.render(MLP(2, [3, 1]), tmp_path / "nowhere" / "net.svg")
    with pytest.raises(ShapeError):
        viz.render(MLP(2, [3, 1]), tmp_path / "net.svg", x=[1.0])
    assert not [*tmp_path.iterdir()]


def test_names_that_a_model_was_trained_with_are_its_own():
    model = Sequential(Scaler([[1.0, 2.0], [3.0, 5.0]]), MLP(2, [3, 2], seed=0))
    model.inputs, model.classes = ["age", "height"], ["no", "yes"]
    texts = {text.get_text() for text in viz.network(model, [1.0, 2.0]).texts}
    assert {"age", "height", "no", "yes"} <= texts
    texts = {text.get_text() for text in viz.network(model, inputs=("a", "b")).texts}
    assert {"a", "b", "yes"} <= texts
    model.classes = ["one", "name", "too", "many"]
    texts = {text.get_text() for text in viz.network(model).texts}
    assert "many" not in texts
