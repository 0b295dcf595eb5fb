"""Gradient clipping."""

import math

import numpy as np
import pytest

import nn
from autograd import Value
from nn.optimisers import norm_and_scale


def graded(*gradients):
    params = [Value(0.0) for _ in gradients]
    for p, g in zip(params, gradients, strict=True):
        p.grad = g
    return params


def test_clipping_the_norm():
    params = graded(3.0, -4.0)
    assert nn.clip_grad_norm(params, 10.0) == 5.0
    assert [p.grad for p in params] == [3.0, -4.0]
    assert nn.clip_grad_norm(iter(params), 1.0) == 5.0
    assert [p.grad for p in params] == pytest.approx([0.6, -0.8], rel=1e-6)
    assert nn.clip_grad_norm([], 1.0) == 0.0
    params = graded(math.nan, 1.0)
    assert math.isnan(nn.clip_grad_norm(params, 1.0))
    assert all(math.isnan(p.grad) for p in params)


def test_clipping_values():
    params = graded(3.0, -4.0, 0.5, math.inf, math.nan)
    nn.clip_grad_value(params, 1.0)
    assert [p.grad for p in params[:4]] == [1.0, -1.0, 0.5, 1.0]
    assert math.isnan(params[4].grad)


@pytest.mark.parametrize("clip", [nn.clip_grad_norm, nn.clip_grad_value])
@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan])
def test_limits_are_positive(clip, limit):
    with pytest.raises(ValueError, match="must be > 0"):
        clip(graded(1.0), limit)


@pytest.mark.parametrize("size", [1e200, 1e308])
def test_norms_whose_squares_overflow(size):
    values = [Value(0.0), Value(0.0)]
    for value in values:
        value.grad = size
    norm = nn.clip_grad_norm(values, 1.0)
    assert norm == pytest.approx(math.sqrt(2.0) * size)
    assert [v.grad for v in values] == pytest.approx([math.sqrt(0.5)] * 2)
    gradient = np.full(2, size) * norm_and_scale(np.full(2, size), 1.0)[1]
    assert gradient.tolist() == pytest.approx([math.sqrt(0.5)] * 2)


def test_norms_whose_squares_vanish():
    value = Value(0.0)
    value.grad = 1e-200
    assert nn.clip_grad_norm([value], 1.0) == pytest.approx(1e-200)
    assert value.grad == 1e-200
