"""Metrics: values, refusals, and how fit uses them."""

import math

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value
from nn.losses import metrics


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
        nn.accuracy([1.5, 2.0], [1, 2])  # scores, not classes
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
