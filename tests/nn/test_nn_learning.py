"""Problems that a small network must learn."""

import pytest

import nn
from autograd import dot
from nn import MLP, datasets, fit, predict, schedules


def test_xor_is_learned():
    X, y = datasets.xor()
    for seed in range(3):
        model = MLP(2, [8, 1], activation="tanh", seed=seed)
        fit(model, X, y, "hinge", "adam", 100, lr=0.05, progress=False)
        assert nn.accuracy(predict(model, X), y) == 1.0


def test_two_moons_with_the_largest_margin():
    X, y = datasets.moons(100, noise=0.1, seed=1)
    model = MLP(2, [16, 16, 1], seed=1337)
    params = model.parameters()

    def max_margin(scores, labels):
        return nn.hinge_loss(scores, labels) + 1e-4 * dot(params, params)

    history = fit(
        model,
        X,
        y,
        max_margin,
        nn.SGD(params, lr=1.0),
        epochs=60,
        batch_size=None,
        schedule=schedules.linear(100, end=0.1),
        progress=False,
    )
    assert nn.accuracy(predict(model, X), y) >= 0.98
    assert len(history) == 60


def test_iris():
    pytest.importorskip("sklearn")
    X_train, X_test, y_train, y_test = datasets.split(*datasets.iris(), stratify=True)
    X_train, X_test = datasets.standardise(X_train, X_test)
    model = MLP(4, [8, 3], "tanh", seed=0, init="xavier_uniform")
    fit(model, X_train, y_train, "cross_entropy", epochs=30, lr=0.03, progress=False)
    assert nn.accuracy(predict(model, X_test), y_test) >= 0.95
