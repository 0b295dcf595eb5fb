"""Cross-entropy: accurate at any size, and strict about its targets."""

import math

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value, log


def values(xs):
    return [Value(x) for x in xs]


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


ONE_LOGIT = "binary_cross_entropy_with_logits.*two or more logits"


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
