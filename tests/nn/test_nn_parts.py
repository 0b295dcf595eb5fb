"""Activations, initialisers, schedules, metrics, and what importing nn costs."""

import math
import random
import statistics
import subprocess
import sys

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value, gradcheck
from nn import metrics, schedules
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


def test_schedules():
    assert schedules.constant()(3.5) == 1.0
    assert [schedules.step(2)(t) for t in (0, 1.9, 2, 4)] == pytest.approx(
        [1, 1, 0.1, 0.01]
    )
    assert schedules.exponential(0.9)(2) == pytest.approx(0.81)
    assert schedules.linear(100, end=0.1)(50) == pytest.approx(1.0 - 0.9 * 0.5)
    warm = schedules.linear(10, warmup=4)
    assert [warm(t) for t in (0, 2, 4, 7, 10, 99)] == [0, 0.5, 1, 0.5, 0, 0]
    curve = schedules.cosine(10, end=0.2)
    assert [curve(t) for t in (0, 5, 10, 11)] == pytest.approx([1, 0.6, 0.2, 0.2])


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.step(0),
        lambda: schedules.exponential(-1),
        lambda: schedules.linear(0),
        lambda: schedules.cosine(5, warmup=5),
        lambda: schedules.cosine(5, warmup=-1),
    ],
)
def test_schedules_that_make_no_sense(make):
    with pytest.raises(ValueError, match="must be"):
        make()


def test_accuracy():
    rows = [[Value(1.0), Value(2.0)], [Value(3.0), Value(0.0)]]
    assert nn.accuracy(rows, [1, 1]) == 0.5
    assert nn.accuracy(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 0])) == 1.0
    assert nn.accuracy([Value(0.5), Value(-0.5), Value(0.0)], [1, 1, -1]) == 2 / 3
    assert nn.accuracy([2.0, -2.0], [1, 0]) == 1.0


def test_accuracy_of_probabilities_and_one_hot_rows():
    assert nn.accuracy([0.9, 0.2], [1, 0]) == 1.0
    assert nn.accuracy([0.9, 0.2], [1, -1]) == 0.5  # scores around 0
    assert nn.accuracy([0.9, 0.2], [1, 0], threshold=0.0) == 0.5
    assert nn.accuracy([[0.1, 2.0], [3.0, 1.0]], [[0, 1], [1, 0]]) == 1.0
    with pytest.raises(DataError):
        nn.accuracy([[0.1, 2.0]], [[0.5, 0.5]])


def test_metrics_are_tried_before_the_first_step():
    def only_large(outputs, targets):
        raise DataError("too small")

    for metric in (only_large, "accuracy"):
        model = nn.MLP(2, [3], seed=0)
        before = model.state_dict()
        targets = [[0.3, 0.3, 0.4]] * 4
        with pytest.raises(DataError):
            nn.fit(model, [[0.0, 1.0]] * 4, targets, metrics=metric, epochs=2)
        assert model.state_dict() == before


def test_fit_knows_which_scores_its_loss_makes():
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    model = nn.MLP(1, [1], seed=0)
    model.load_state_dict(dict.fromkeys(model.state_dict(), 0.1))  # scores 0.1 ... 0.4
    history = nn.fit(
        model,
        X,
        y,
        loss="binary_cross_entropy_with_logits",
        lr=1e-12,
        epochs=1,
        metrics="accuracy",
    )
    assert history.metrics["accuracy"] == [0.5]  # all of them are above 0


def test_accuracy_refuses():
    with pytest.raises(DataError, match=r"-1 and 1, or 0 and 1"):
        nn.accuracy([1.0, 2.0], [1, 2])
    with pytest.raises(DataError, match="from 0 to 1"):
        nn.accuracy([[1.0, 2.0]], [2])


def test_regression_metrics():
    assert nn.mean_absolute_error([Value(1.0), 5.0], [2.0, 2.0]) == 2.0
    assert nn.r2_score([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]) == 0.5
    assert nn.r2_score([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == 0.0
    assert nn.r2_score([5.0, 5.0], [5.0, 5.0]) == 1.0
    assert nn.r2_score([5.0, 4.0], [5.0, 5.0]) == 0.0


@pytest.mark.parametrize("metric", list(nn.METRICS.values()))
def test_metrics_check_their_data(metric):
    with pytest.raises(ShapeError, match="2 predictions with 1 targets"):
        metric([1.0, 2.0], [1.0])
    with pytest.raises(DataError, match="at least one"):
        metric([], [])
    with pytest.raises(DataError, match="target 0 is NaN"):
        metric([1.0], [math.nan])


def test_metrics_by_name():
    assert metrics.find_metric("accuracy") == ("accuracy", nn.accuracy)
    with pytest.raises(ValueError, match="unknown metric 'f1': known are accuracy"):
        metrics.find_metric("f1")


def test_importing_needs_no_optional_package():
    code = (
        "import sys, nn\n"
        "print([m for m in ('tqdm', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert sorted(nn.__all__) == sorted(set(nn.__all__))
    assert all(hasattr(nn, name) for name in nn.__all__)
