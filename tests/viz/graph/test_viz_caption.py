"""What is said below a picture, left out of it, and marked in it."""

from math import inf, nan

import pytest

import autograd as ag
import nn
from autograd import Value
from viz import draw_dot
from viz.graph.caption import NOT_FINITE
from viz.graph.diagram import NO_GRADIENTS, STALE, Trace


def diagram(y, **options):
    return Trace(y if isinstance(y, list) else [y], True, False, **options).diagram


def test_before_backward_no_gradient_is_drawn():
    y = Value(3.0, label="x") * 2.0
    assert diagram(y).caption == NO_GRADIENTS
    for style in ("merged", "micrograd"):
        assert "grad " not in draw_dot(y, style=style, legend=False).source.replace(
            NO_GRADIENTS, ""
        )
    y.backward()
    assert diagram(y).caption == ""
    assert [box.grad for box in diagram(y).boxes] == [(2.0, 2.0), None, (1.0, 1.0)]


def test_one_result_with_a_gradient_is_enough():
    x = Value(3.0)
    ys = [x * 2.0, x + 1.0]
    assert diagram(ys).caption == NO_GRADIENTS
    ys[1].backward()
    assert diagram(ys).caption == ""


def test_gradients_of_another_result_are_said_to_be():
    w = Value(3.0)
    (w * 2.0).backward()
    d = diagram(w + 5.0)
    assert d.caption == STALE
    assert d.boxes[0].grad == (2.0, 2.0)


def test_a_gradient_that_is_nan_is_one():
    x = Value(3.0)
    x.grad = nan
    assert NOT_FINITE in draw_dot(x * 2.0).source


@pytest.mark.parametrize("style", ["merged", "micrograd"])
@pytest.mark.parametrize(("x", "text"), [(nan, "NaN"), (inf, "∞"), (-inf, "-∞")])
def test_what_is_not_finite_stands_out(x, text, style):
    for y in (Value(x, "x") + 1.0, Value(1.0, "x") + x):
        source = draw_dot(y, style=style).source
        assert text in source and NOT_FINITE in source
    plain = Value(1.0, "x") + 5.0
    assert NOT_FINITE not in draw_dot(plain, style=style).source


def test_nan_in_a_collapsed_box_stands_out():
    xs = [Value(nan if i == 7 else 1.0, f"x{i}") for i in range(200)]
    assert draw_dot(ag.sum(xs)).source.count(NOT_FINITE) == 3  # leaves, sum, legend


@pytest.mark.parametrize(
    "repeat",
    [
        lambda x: x / 1.0,
        lambda x: x * 1.0,
        lambda x: 1.0 * x,
        lambda x: x + 0.0,
        lambda x: 0 + x,
        lambda x: x - 0.0,
        lambda x: x**1,
        lambda x: ag.sum([x]),
        lambda x: ag.prod([x]),
        lambda x: ag.mean([x]),
    ],
)
def test_what_has_no_effect_is_left_out(repeat):
    x = Value(3.0, "x")
    y = repeat(x * 2.0).tanh()
    d = diagram(y)
    assert [box.symbol for box in d.boxes if box.kind == "operation"] == ["*", "tanh"]
    assert "left out, fold=False draws all" in d.caption
    every = diagram(y, fold=False)
    assert len(every.boxes) > len(d.boxes)
    assert "left out" not in every.caption


@pytest.mark.parametrize(
    "change", [lambda x: 1.0 / x, lambda x: 0.0 - x, lambda x: 1**x]
)
def test_what_has_an_effect_is_not(change):
    assert "left out" not in diagram(change(Value(3.0, "x"))).caption


def test_a_name_outlives_what_is_left_out():
    loss = ag.mean([Value(3.0, "x") ** 2])
    loss.label = "loss"
    d = diagram(loss)
    assert [(box.symbol, box.label) for box in d.boxes][-1] == ("**", "loss")
    assert d.results == {len(d.boxes) - 1}
    named = Value(3.0, "x") * 1.0
    named.label = "y"
    assert [box.label for box in diagram(named).boxes if box.label] == ["x", "y"]


def test_inputs_have_names():
    model = nn.MLP(2, [3, 1], seed=0)
    y = model([0.5, 1.0])
    names = [box.label for box in diagram(y).boxes if box.kind == "constant"]
    assert names == ["x0", "x1"]
    assert '"x0 = 0.5"' in draw_dot(y).source
    source = draw_dot(y, inputs=("hours", "age")).source
    assert '"hours = 0.5"' in source and '"age = 1"' in source


def test_names_are_given_to_leaves_too():
    y = nn.Neuron(2, seed=0)([Value(1.0), Value(2.0, "own")])
    labels = [box.label for box in diagram(y, inputs=["hours", "age"]).boxes]
    assert "hours" in labels and "own" in labels and "age" not in labels


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c")])
def test_names_for_other_inputs_are_refused(names):
    y = nn.Neuron(2, seed=0)([1.5, 2.0])
    with pytest.raises(ValueError, match=f"{len(names)} name.*takes 2"):
        draw_dot(y, inputs=names)
    with pytest.raises(ValueError, match="is not there"):
        draw_dot(Value(1.0) + 2.0, inputs=names)


@pytest.mark.parametrize("names", ["hours", 3, [1, 2]])
def test_names_are_texts(names):
    with pytest.raises(TypeError, match="inputs is a sequence of names"):
        draw_dot(nn.Neuron(2, seed=0)([1.5, 2.0]), inputs=names)


def test_the_legend_has_what_occurs():
    y = Value(2.0, "x") * 3.0
    y.backward()
    source = draw_dot(y).source
    for text in ("leaf", "constant", "operation", "grad &gt; 0", "grad &lt; 0"):
        assert f">{text}</td>" in source
    assert "NaN or" not in source and "in one box" not in source
    assert ">leaf</td>" not in draw_dot(y, legend=False).source
    assert ">leaf</td>" not in draw_dot(Value(2.0)).source  # a box on its own


def test_wide_layers_stay_readable():
    model = nn.MLP(64, [24, 10], activation="tanh", seed=0)
    y = ag.sum(model([0.1 * k for k in range(64)]))
    y.backward()
    source = draw_dot(y, collapse="neuron").source
    assert source.count("tooltip") < 70
    for text in (
        "x0 … x63",
        "layer0.neuron0<",
        "layer0.neuron3 … 22 (20 neurons)",
        "layer0.neuron23<",
        "layer1.neuron3 … 8 (6 neurons)",
        "weights ",
        "output ",
        "outputs ",
    ):
        assert text in source
    assert draw_dot(y, collapse="neuron", max_nodes=5000).source.count("neuron7<") == 2
    assert "x0 … x63" in draw_dot(y, collapse="layer").source


def test_the_same_network_for_many_samples_is_drawn_once():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    outs = model.batch([[0.1 * k, 1.0 - 0.1 * k] for k in range(32)])
    loss = ag.mean([(y - 1.0) ** 2 for y in outs])
    loss.backward()
    source = draw_dot(loss, collapse="neuron").source
    for text in ("x0 × 32", "x1 × 32", "layer0.neuron2 × 32", "32 × **"):
        assert f"<b>{text}</b>" in source
    assert "3 parameters: 2 *, 1 +, 1 tanh" in source
