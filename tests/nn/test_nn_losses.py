"""Losses against formulas in numpy, at the extremes, and their errors."""

import math

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value, gradcheck, log, no_grad
from nn.losses.named import find_loss

P, T = [0.5, -1.5, 3.0, 0.0], [1.0, 2.0, -1.0, 0.25]
SIGNS, BITS = [1, -1, -1, 1], [1.0, 0.0, 0.3, 1.0]
ROWS, CLASSES = [[1.0, 2.0, -1.0], [0.0, -3.0, 5.0]], [1, 0]
PROBABILITIES = [[0.2, 0.8, 0.0], [1.0, 0.0, 0.0]]
p, t, s = np.array(P), np.array(T), np.array(SIGNS)
log_softmax = np.array(ROWS) - np.log(np.exp(ROWS).sum(axis=1, keepdims=True))

CASES = {
    "mse_loss": (nn.mse_loss, P, T, (p - t) ** 2),
    "l1_loss": (nn.l1_loss, P, T, np.abs(p - t)),
    "huber_loss": (
        nn.huber_loss,
        P,
        T,
        np.where(np.abs(p - t) < 1, (p - t) ** 2 / 2, np.abs(p - t) - 0.5),
    ),
    "hinge_loss": (nn.hinge_loss, P, SIGNS, np.maximum(0, 1 - s * p)),
    "bce": (
        nn.binary_cross_entropy_with_logits,
        P,
        BITS,
        np.log1p(np.exp(p)) - np.array(BITS) * p,
    ),
    "cross_entropy": (
        nn.cross_entropy,
        ROWS,
        CLASSES,
        np.array([-log_softmax[0][1], -log_softmax[1][0]]),
    ),
    "cross_entropy of probabilities": (
        nn.cross_entropy,
        ROWS,
        PROBABILITIES,
        -(np.array(PROBABILITIES) * log_softmax).sum(axis=1),
    ),
}


@pytest.fixture(params=list(CASES))
def case(request):
    return CASES[request.param]


def values(xs):
    return [values(x) if isinstance(x, list) else Value(x) for x in xs]


def test_against_numpy(case):
    loss, predictions, targets, expected = case
    for given in (predictions, np.array(predictions), values(predictions)):
        each = loss(given, targets, reduction="none")
        assert [getattr(x, "data", x) for x in each] == pytest.approx(list(expected))
        total = loss(given, np.array(targets), reduction="sum")
        assert getattr(total, "data", total) == pytest.approx(expected.sum())
        mean = loss(given, tuple(targets))
        assert getattr(mean, "data", mean) == pytest.approx(expected.mean())
    assert isinstance(loss(values(predictions), targets), Value)
    assert isinstance(loss(predictions, targets), float)


def test_gradients(case):
    loss, predictions, targets, _ = case
    assert gradcheck(lambda xs: loss(xs, targets), predictions)


def test_errors_of_every_loss(case):
    loss, predictions, targets, _ = case
    size = len(predictions)
    with pytest.raises(ShapeError, match=f"{size} predictions with {size - 1} targets"):
        loss(predictions, targets[:-1])
    with pytest.raises(DataError, match="at least one"):
        loss([], [])
    with pytest.raises(ValueError, match="'mean', 'sum', 'none', got 'average'"):
        loss(predictions, targets, reduction="average")


@pytest.mark.parametrize("name", [n for n in CASES if "prob" not in n])
def test_a_nan_target_is_named(name):
    loss, predictions, targets, _ = CASES[name]
    broken = [*targets]
    broken[1] = math.nan
    with pytest.raises(DataError, match="target 1 is NaN"):
        loss(predictions, broken)


def test_single_numbers():
    assert nn.mse_loss(3.0, 1.0) == 4.0
    assert nn.mse_loss(Value(3.0), 1).data == 4.0
    assert nn.cross_entropy([0.0, 0.0], np.int64(1)) == pytest.approx(math.log(2))
    assert nn.cross_entropy(np.zeros(2), 1.0) == pytest.approx(math.log(2))


def test_rows_of_outputs():
    rows, targets = [[1.0, 2.0], [3.0, 4.0]], [[0.0, 2.0], [3.0, 2.0]]
    assert nn.mse_loss(rows, targets) == 5.0 / 4.0
    with pytest.raises(ShapeError, match="4 predictions with 2 targets"):
        nn.mse_loss(rows, [1.0, 2.0])


def test_huber_with_another_delta():
    assert nn.huber_loss([0.0, 0.0], [1.0, 4.0], "none", delta=2.0) == [0.5, 6.0]
    with pytest.raises(ValueError, match="delta must be > 0"):
        nn.huber_loss([0.0], [1.0], delta=0.0)


def test_no_error_no_gradient():
    x = Value(2.0)
    for loss in (nn.mse_loss, nn.l1_loss, nn.huber_loss):
        loss([x], [2.0]).backward()
        assert x.grad == 0.0


@pytest.mark.parametrize("x", [1000.0, -1000.0])
@pytest.mark.parametrize("target", [0.0, 1.0, 0.5])
def test_logits_of_any_size(x, target):
    logit = Value(x)
    loss = nn.binary_cross_entropy_with_logits([logit], [target])
    loss.backward()
    sigmoid = 1.0 if x > 0 else 0.0
    assert loss.data == max(x, 0.0) - target * x
    assert logit.grad == sigmoid - target


def test_infinite_logits():
    sure = [math.inf, -math.inf]
    assert nn.binary_cross_entropy_with_logits(sure, [1, 0], "none") == [0.0, 0.0]
    assert nn.binary_cross_entropy_with_logits(sure, [0, 1], "sum") == math.inf


def test_small_losses_keep_their_digits():
    loss = nn.binary_cross_entropy_with_logits([40.0, -40.0], [1, 0], "none")
    assert loss == pytest.approx([math.exp(-40)] * 2, rel=1e-12)


def test_losses_take_any_iterable():
    expected = nn.mse_loss([1.0, 4.0], [1, 2])
    assert nn.mse_loss((x for x in [1.0, 4.0]), iter([1, 2])) == expected
    assert nn.mse_loss([1.0, 4.0], map(int, "12")) == expected
    rows = zip([1.0, 2.0], [0.0, 1.0])
    assert nn.cross_entropy(rows, iter([0, 1])) == nn.cross_entropy(
        [[1.0, 0.0], [2.0, 1.0]], [0, 1]
    )


def test_labels_of_the_other_convention():
    with pytest.raises(DataError, match=r"target 1 is 0\.0: hinge_loss needs"):
        nn.hinge_loss([1.0, 1.0], [1, 0])
    with pytest.raises(DataError, match=r"target 1 is -1.0: .*in \[0, 1\]"):
        nn.binary_cross_entropy_with_logits([1.0, 1.0], [1, -1])


def test_targets_may_be_values():
    target = Value(1.0)
    nn.mse_loss([3.0], [target]).backward()
    assert target.grad == -4.0


def test_names():
    assert find_loss("mse") is find_loss("mse_loss") is nn.mse_loss
    assert find_loss(nn.l1_loss) is nn.l1_loss
    with pytest.raises(ValueError, match=r"unknown loss 'hing': known are mse_loss, "):
        find_loss("hing")


def test_under_no_grad():
    with no_grad():
        assert nn.mse_loss([Value(3.0)], [1.0]).data == 4.0


@pytest.mark.parametrize("target", [0, 1])
def test_cross_entropy_of_any_size(target):
    row = values([1000.0, -1000.0])
    loss = nn.cross_entropy(row, target)
    loss.backward()
    assert loss.data == 2000.0 * target
    assert [x.grad for x in row] == [1.0 - (target == 0), -float(target == 1)]


@pytest.mark.parametrize("target", [0, [1.0, 0.0, 0.0]])
def test_an_excluded_class_that_is_not_the_target(target):
    row = values([1.0, -math.inf, 2.0])
    loss = nn.cross_entropy([row], [target])
    loss.backward()
    assert loss.data == pytest.approx(math.log(1 + math.e))
    assert row[1].grad == 0.0
    assert row[2].grad == pytest.approx(math.e / (1 + math.e))


def test_an_excluded_class_by_a_logarithm():
    weight = Value(0.0)
    nn.cross_entropy([Value(1.0), log(weight)], 0).backward()
    assert weight.grad == 0.0


def test_an_excluded_target_costs_infinitely_much():
    assert nn.cross_entropy([1.0, -math.inf], 1) == math.inf


@pytest.mark.parametrize("bad", [3, -1, 0.5, "1", None])
def test_a_class_that_does_not_exist(bad):
    with pytest.raises(DataError, match=r"target 1 is .*from 0 to 2.*3 logits"):
        nn.cross_entropy([[0.0] * 3] * 2, [0, bad])


def test_probabilities_of_another_width():
    with pytest.raises(ShapeError, match="2 probabilities, and the row 3 logits"):
        nn.cross_entropy([[0.0] * 3], [[0.5, 0.5]])
    with pytest.raises(DataError, match="target 1 is NaN"):
        nn.cross_entropy([[0.0] * 2] * 2, [[0.5, 0.5], [math.nan, 0.5]])


ONE_LOGIT = "two or more.*binary_cross_entropy_with_logits"


@pytest.mark.parametrize(
    ("logits", "targets"),
    [
        (values([1.0, 2.0]), [0, 0]),
        (values([1.0, 2.0]), [0, 1]),
        (values([1.0]), [0]),
        (values([1.0]), 0),
        ([values([1.0]), values([2.0])], [0, 0]),
    ],
)
def test_one_logit_for_each_sample_is_no_cross_entropy(logits, targets):
    with pytest.raises(ShapeError, match=ONE_LOGIT):
        nn.cross_entropy(logits, targets)


def test_one_output_is_no_cross_entropy():
    model = nn.MLP(2, [1], seed=0)
    before = model.state_dict()
    for n in (1, 2):
        with pytest.raises(ShapeError, match=ONE_LOGIT):
            nn.fit(model, [[1.0, 1.0]] * n, [0, 1][:n], loss="cross_entropy")
    assert model.state_dict() == before


@pytest.mark.parametrize("bad", [[0.5, 0.6], [0.0, 0.0], [1.5, -0.5]])
def test_probabilities_sum_to_one(bad):
    with pytest.raises(DataError, match=r"target 1 is .*sum to 1"):
        nn.cross_entropy([[1.0, 2.0]] * 2, [[0.5, 0.5], bad])
    rounded = np.full(3, 1 / 3, dtype=np.float32)
    assert nn.cross_entropy([[0.0] * 3], [rounded]) == pytest.approx(math.log(3))
