"""Activations and initialisers: the two tables that networks are made with."""

import math
import random
import statistics

import pytest

import nn
from autograd import Value, gradcheck
from nn.layers import initialisers
from nn.layers.activations import find_activation
from nn.layers.initialisers import find_initialiser, generator

ACTIVATIONS = {
    "relu": lambda x: max(x, 0.0),
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "linear": lambda x: x,
    "identity": lambda x: x,
}


@pytest.mark.parametrize("name", list(nn.ACTIVATIONS))
@pytest.mark.parametrize("x", [-2.5, -0.1, 0.3, 4.0])
def test_activations(name, x):
    function = find_activation(name)
    assert function(x) == pytest.approx(ACTIVATIONS[name](x), rel=1e-12)
    assert function(Value(x)).data == function(x)
    assert gradcheck(function, x)


def test_activations_by_name_or_function():
    def double(x):
        return 2.0 * x

    assert find_activation(double) is double
    assert repr(nn.Neuron(1, activation=double)) == "DoubleNeuron(1)"
    neuron = nn.Neuron(1, activation=double, init=lambda rng, nin, nout: 3.0)
    assert neuron([1.0]).data == 6.0
    with pytest.raises(
        ValueError, match=r"unknown activation 'rele': known are relu, "
    ):
        nn.MLP(1, [1, 1], activation="rele")


@pytest.mark.parametrize(
    ("name", "variance", "bound"),
    [
        ("uniform", 1 / 3, 1.0),
        ("normal", 1.0, math.inf),
        ("xavier_uniform", 2 / 40, math.sqrt(6 / 40)),
        ("glorot_normal", 2 / 40, math.inf),
        ("he_uniform", 2 / 30, math.sqrt(6 / 30)),
        ("kaiming_normal", 2 / 30, math.inf),
        ("zeros", 0.0, 0.0),
    ],
)
def test_initialisers(name, variance, bound):
    draw = find_initialiser(name)
    rng = random.Random(0)
    weights = [draw(rng, 30, 10) for _ in range(4000)]
    assert statistics.fmean(weights) == pytest.approx(0.0, abs=0.05)
    assert statistics.pvariance(weights) == pytest.approx(variance, rel=0.06)
    assert max(map(abs, weights)) <= bound
    assert weights[0] == draw(random.Random(0), 30, 10)


def test_layers_tell_their_widths():
    seen = set()

    def record(rng, nin, nout):
        seen.add((nin, nout))
        return 0.0

    nn.MLP(5, [4, 3], init=record)
    assert seen == {(5, 4), (4, 3)}


def test_initialisers_by_name():
    with pytest.raises(
        ValueError, match="unknown initialiser 'ones': known are uniform"
    ):
        find_initialiser("ones")
    assert generator(None) is random
    rng = random.Random(1)
    assert generator(rng) is rng
    assert initialisers.generator(1).random() == rng.random()
