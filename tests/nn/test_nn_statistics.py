"""Statistics by layer: against numpy by hand, and without a trace on the model."""

import random

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError
from nn import MLP, Layer, Module, Neuron, Sequential, datasets, statistics

X, Y = datasets.moons(50, seed=0)


def matrices(layer):
    weights = np.array([[w.data for w in n.w] for n in layer.neurons])
    return weights, np.array([n.b.data for n in layer.neurons])


def test_activations_and_gradients_are_those_of_the_network():
    model = MLP(2, [5, 1], "tanh", seed=0)
    (W, b), (V, c) = map(matrices, model.layers)
    found = statistics(model, X, Y, "mse")
    hidden = np.tanh(X @ W.T + b)
    outputs = hidden @ V.T + c
    for layer, expected in zip(found.layers, (hidden, outputs)):
        assert layer.outputs == pytest.approx(expected, rel=1e-12)
        assert layer.mean == pytest.approx(expected.mean())
        assert layer.deviation == pytest.approx(expected.std())
    errors = 2.0 * (outputs[:, 0] - Y) / len(Y)
    slopes = np.append(errors @ hidden, errors.sum())
    assert found.layers[1].gradient == pytest.approx(np.linalg.norm(slopes))
    assert found.layers[1].weights == pytest.approx(np.linalg.norm(np.append(V, c)))
    assert found.layers[1].ratio == pytest.approx(
        np.linalg.norm(slopes) / np.linalg.norm(np.append(V, c))
    )
    assert found.loss == pytest.approx(np.mean((outputs[:, 0] - Y) ** 2))
    assert found.samples == 50


def test_stuck_neurons():
    model = MLP(2, [8, 4, 4, 1], ["relu", "tanh", "sigmoid"], seed=0)
    for neuron in model.layers[0].neurons[:2]:
        neuron.b.data = -100.0
    for neuron in model.layers[1].neurons[:3]:
        neuron.b.data = -100.0
    model.layers[2].neurons[0].b.data = 100.0
    found = statistics(model, X, Y, "hinge").layers
    assert [layer.dead for layer in found] == [0.25, None, None, None]
    assert [layer.saturated for layer in found] == [None, 0.75, 0.25, None]


@pytest.mark.parametrize(("bias", "saturated"), [(1.9, 0.0), (2.2, 1.0)])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_saturated_is_beyond_97_percent_of_the_reach(activation, bias, saturated, sign):
    model = MLP(1, [1, 1], activation, init="zeros")  # tanh(2.09) is 0.97
    model.layers[0].neurons[0].b.data = sign * bias * (1 + (activation == "sigmoid"))
    assert statistics(model, [[0.0]], [0.0]).layers[0].saturated == saturated


@pytest.mark.parametrize(("out", "saturated"), [(1, 0.0), (2, 0.0)])
def test_saturated_for_more_than_9_in_10_samples(out, saturated):
    model = MLP(1, [1, 1], "tanh", seed=0)
    model.layers[0].neurons[0].w[0].data = 1.0
    X = [[0.0]] * out + [[5.0]] * (10 - out)
    found = statistics(model, X, [0.0] * 10)
    assert found.layers[0].saturated == saturated
    found = statistics(model, X + [[5.0]] * 11, [0.0] * 21)
    assert found.layers[0].saturated == 1.0


def test_nothing_is_changed():
    model = Sequential(
        nn.Scaler(X), Layer(2, 6, nonlin=False, seed=0), "tanh", nn.Dropout(0.5, seed=1)
    )
    model = Sequential(model, nn.LayerNorm(6), Layer(6, 2, seed=1), nn.softmax)
    model.train()
    for p in model.parameters():
        p.grad = 3.0
    before = [(p.data, p.grad) for p in model.parameters()]
    drop, drawn = model.layers[0].layers[3], random.getstate()
    state, kinds = drop.rng.getstate(), [type(m) for m in model.layers[0].layers]
    targets = np.stack([Y > 0, Y <= 0], axis=1)
    found = statistics(model, X, targets)
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert (drop.rng.getstate(), random.getstate()) == (state, drawn)
    assert [type(m) for m in model.layers[0].layers] == kinds
    assert drop.training and model.training
    names = {layer.name: layer.kind for layer in found.layers}
    assert names == {  # in the order in which they compute; dropout is not there
        "layer0.layer1": "2 -> 6",
        "layer0.layer2": "tanh",
        "layer1": "layernorm",
        "layer2": "6 -> 2 relu",
        "layer3": "softmax",
    }
    assert found.layers[1].saturated is not None
    assert found.layers[1].gradient is None
    assert found.layers[4].outputs.sum(axis=1) == pytest.approx(1.0)


class Residual(Module):
    """A module of one's own around layers, one of a single neuron."""

    def __init__(self):
        self.inner = Layer(2, 1, activation="relu", seed=0)
        self.last = Neuron(1, nonlin=False, seed=1)
        self.table = nn.Embedding(2, 1, seed=2)

    def forward(self, x):
        return self.last([self.inner(x)]) + x[0] * self.table(1)[0]


def test_modules_of_ones_own():
    model = Residual()
    found = statistics(model, X, Y)
    assert [layer.name for layer in found.layers] == ["inner", "last", "table"]
    outputs = [model(x).data for x in X.tolist()]
    assert found.loss == pytest.approx(np.mean((np.array(outputs) - Y) ** 2))
    line = Neuron(2, nonlin=False, seed=0)
    (layer,) = statistics(line, X, Y).layers
    assert (layer.name, layer.kind) == ("neuron", "2 -> 1")


def test_a_layer_met_twice_has_the_samples_of_both():
    tied = Layer(2, 2, seed=0)
    found = statistics(Sequential(tied, tied, Layer(2, 1, seed=1)), X, Y)
    assert [len(layer.outputs) for layer in found.layers] == [100, 50]


def test_sequences_of_unequal_length():
    model = Sequential(
        nn.RNN(2, 4, seed=0, outputs="all"), Pooled(), Layer(4, 1, seed=1)
    )
    sequences = [[[0.1, 0.2], [30.0, 30.0]], [[1.0, 2.0]]]
    recurrent, *_, last = statistics(model, sequences, [1.0, 2.0]).layers
    assert (recurrent.name, recurrent.kind) == ("layer0", "2 -> 4 rnn")
    assert recurrent.outputs.shape == (3, 4)  # every step is a sample
    assert recurrent.saturated == 0.0
    assert last.outputs.shape == (2, 1)
    found = nn.find_learning_rate(model, sequences, [1.0, 2.0])
    assert found.rates


class Pooled(Module):
    """The mean over the steps."""

    def __call__(self, rows):
        return [sum(column) / len(rows) for column in zip(*rows)]


def test_samples_are_taken_evenly():
    X = [[float(i)] for i in range(10)]
    found = statistics(Neuron(1, seed=0), X, [0.0] * 10, most=5)
    assert found.samples == len(found.layers[0].outputs) == 5


def test_zero_weights_and_numbers_that_are_not_finite():
    model = MLP(2, [3, 1], "tanh", init="zeros")
    found = statistics(model, X, Y).layers
    assert found[1].ratio == np.inf or np.isnan(found[1].ratio)
    model.layers[0].neurons[0].b.data = np.nan
    assert np.isnan(statistics(model, X, Y).layers[0].mean)


def test_as_text():
    text = str(statistics(MLP(2, [8, 1], seed=0), X, Y, "hinge"))
    head, names, hidden, last = text.splitlines()
    assert head.endswith("50 samples")
    columns = ["mean", "deviation", "dead", "saturated", "gradient", "ratio"]
    assert names.split() == columns
    assert hidden.split()[:5] == ["layer0", "2", "->", "8", "relu"]
    assert hidden.split()[-4].endswith("%") and last.split()[-4] == "-"


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((3, X, Y), TypeError, "nn.Module"),
        ((MLP(2, [1]), X[:3], Y), ShapeError, "3 samples"),
        ((MLP(2, [1]), [[np.nan, 0.0]], [1.0]), DataError, "nan"),
        ((MLP(3, [1]), X, Y), ShapeError, "takes 3 inputs"),
        ((MLP(2, [1]), X, Y, "hinges"), ValueError, "did you mean 'hinge'"),
    ],
)
def test_bad_input(arguments, error, said):
    with pytest.raises(error, match=said):
        statistics(*arguments)
    with pytest.raises(ValueError, match="most must be > 0"):
        statistics(MLP(2, [1]), X, Y, most=0)
