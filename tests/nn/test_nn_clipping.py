"""Gradient clipping."""

import math

import pytest

import nn
from autograd import Value


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
