"""Optimisers against PyTorch's published formulas, written out one number at a time;
and gradient clipping.
"""

import json
import math

import numpy as np
import pytest

import nn
from autograd import ShapeError, Value
from nn import SGD, Adam, AdamW, RMSprop
from nn.optimisers import optimiser as optimiser_module
from nn.optimisers.clipping import norm_and_scale
from nn.optimisers.named import find_optimiser

START, STEPS = [3.0, -2.0, 0.5], 6


def run(make):
    """Minimise a lopsided bowl for a few steps; returns the numbers at the end."""
    params = [Value(x) for x in START]
    optimiser = make(params)
    for _ in range(STEPS):
        optimiser.zero_grad()
        for i, p in enumerate(params):
            (p * p * p * p * (i + 1.0) + p).backward()
        optimiser.step()
    return [p.data for p in params]


def expected(rule):
    """The same run, with rule(x, g, memory, t) -> x for each number by itself."""
    out = []
    for i, x in enumerate(START):
        memory = {"v": 0.0, "m": 0.0, "s": 0.0}
        for t in range(1, STEPS + 1):
            x = rule(x, 4.0 * (i + 1.0) * x**3 + 1.0, memory, t)
        out.append(x)
    return out


def sgd(lr, momentum=0.0, nesterov=False, decay=0.0, dampening=0.0):
    def rule(x, g, memory, t):
        g += decay * x
        memory["v"] = g if t == 1 else momentum * memory["v"] + (1 - dampening) * g
        if not momentum:
            return x - lr * g
        return x - lr * (g + momentum * memory["v"] if nesterov else memory["v"])

    return rule


def rmsprop(lr, alpha, eps, decay, momentum, centered=False):
    def rule(x, g, memory, t):
        g += decay * x
        memory["s"] = alpha * memory["s"] + (1 - alpha) * g**2
        memory["m"] = alpha * memory["m"] + (1 - alpha) * g if centered else 0.0
        scale = math.sqrt(memory["s"] - memory["m"] ** 2) + eps
        memory["v"] = momentum * memory["v"] + g / scale
        return x - lr * memory["v"]

    return rule


def adam(lr, b1, b2, eps, decay=0.0, decoupled=0.0, amsgrad=False):
    def rule(x, g, memory, t):
        x -= lr * decoupled * x
        g += decay * x
        memory["m"] = b1 * memory["m"] + (1 - b1) * g
        memory["s"] = b2 * memory["s"] + (1 - b2) * g**2
        memory["top"] = max(memory.get("top", 0.0), memory["s"])
        top = memory["top" if amsgrad else "s"]
        m, s = memory["m"] / (1 - b1**t), top / (1 - b2**t)
        return x - lr * m / (math.sqrt(s) + eps)

    return rule


FORMULAS = [
    (lambda p: SGD(p, 0.01), sgd(0.01)),
    (lambda p: SGD(p, 0.01, weight_decay=0.5), sgd(0.01, decay=0.5)),
    (lambda p: SGD(p, 0.005, 0.9), sgd(0.005, 0.9)),
    (
        lambda p: SGD(p, 0.005, 0.9, nesterov=True, weight_decay=0.1),
        sgd(0.005, 0.9, True, 0.1),
    ),
    (lambda p: RMSprop(p), rmsprop(0.01, 0.99, 1e-8, 0.0, 0.0)),
    (
        lambda p: RMSprop(p, 0.1, 0.9, 1e-3, weight_decay=0.2, momentum=0.5),
        rmsprop(0.1, 0.9, 1e-3, 0.2, 0.5),
    ),
    (lambda p: Adam(p), adam(0.001, 0.9, 0.999, 1e-8)),
    (
        lambda p: Adam(p, 0.1, (0.8, 0.9), 1e-3, weight_decay=0.2),
        adam(0.1, 0.8, 0.9, 1e-3, decay=0.2),
    ),
    (lambda p: AdamW(p), adam(0.001, 0.9, 0.999, 1e-8, decoupled=0.01)),
    (
        lambda p: AdamW(p, 0.1, (0.8, 0.9), 1e-3, weight_decay=0.2),
        adam(0.1, 0.8, 0.9, 1e-3, decoupled=0.2),
    ),
    (
        lambda p: SGD(p, 0.005, 0.9, weight_decay=0.1, dampening=0.25),
        sgd(0.005, 0.9, decay=0.1, dampening=0.25),
    ),
    (
        lambda p: RMSprop(p, 0.1, 0.9, 1e-3, 0.2, 0.5, centered=True),
        rmsprop(0.1, 0.9, 1e-3, 0.2, 0.5, centered=True),
    ),
    (
        lambda p: Adam(p, 0.1, (0.8, 0.5), 1e-3, weight_decay=0.2, amsgrad=True),
        adam(0.1, 0.8, 0.5, 1e-3, decay=0.2, amsgrad=True),
    ),
    (
        lambda p: AdamW(p, 0.1, (0.8, 0.5), 1e-3, weight_decay=0.2, amsgrad=True),
        adam(0.1, 0.8, 0.5, 1e-3, decoupled=0.2, amsgrad=True),
    ),
]


@pytest.mark.parametrize(("make", "rule"), FORMULAS)
def test_formulas(make, rule):
    assert run(make) == pytest.approx(expected(rule), rel=1e-10)


def test_the_first_step_of_adam_is_lr():
    x = Value(1.0)
    x.grad = 123.0
    Adam([x], lr=0.5).step()
    assert x.data == pytest.approx(0.5)


def test_lr_may_be_written():
    x = Value(1.0)
    x.grad = 1.0
    optimiser = SGD([x], lr=0.5)
    optimiser.lr = 0.25
    optimiser.step()
    assert x.data == 0.75
    with pytest.raises(ValueError, match="lr must be"):
        optimiser.lr = math.nan


def test_no_gradient_counts_as_zero():
    x = Value(1.0)
    x.grad = None
    SGD([x], lr=0.5).step()
    assert x.data == 1.0


def test_zero_grad_and_values_stay_clean():
    x = Value(1.0, label="x")
    x.grad = 1.0
    optimiser = Adam([x])
    optimiser.step()
    optimiser.zero_grad()
    assert x.grad == 0.0
    assert x.__dict__ == {"label": "x"}


@pytest.mark.parametrize(("make", "rule"), FORMULAS)
def test_going_on_from_a_saved_state(make, rule):
    a, b = Value(2.0), Value(2.0)
    first, second = make([a]), make([b])
    for _ in range(3):
        a.grad = 3.0 * a.data
        first.step()
    b.data = a.data
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for _ in range(3):
        a.grad, b.grad = 3.0 * a.data, 3.0 * b.data
        first.step()
        second.step()
    assert a.data == b.data
    assert second.steps == 6


def test_states_that_do_not_fit_change_nothing():
    optimiser = Adam([Value(1.0)], lr=0.1)
    before = optimiser.state_dict()
    with pytest.raises(ValueError, match="not the state of Adam, but of 'SGD'"):
        optimiser.load_state_dict(SGD([Value(1.0)]).state_dict())
    with pytest.raises(ShapeError, match="2 numbers for 1 parameters"):
        optimiser.load_state_dict(Adam([Value(1.0), Value(2.0)], lr=0.2).state_dict())
    with pytest.raises(ValueError, match="not the state of Adam, but of None"):
        optimiser.load_state_dict({})
    assert optimiser.state_dict() == before


BAD = [
    (SGD, {"lr": -1.0}, "lr"),
    (SGD, {"lr": math.inf}, "lr"),
    (SGD, {"momentum": -0.1}, "momentum"),
    (SGD, {"weight_decay": math.nan}, "weight_decay"),
    (SGD, {"nesterov": True}, "nesterov"),
    (SGD, {"nesterov": True, "momentum": 0.5, "dampening": 0.1}, "nesterov"),
    (RMSprop, {"alpha": 1.0}, "alpha"),
    (RMSprop, {"eps": -1.0}, "eps"),
    (Adam, {"betas": (1.0, 0.9)}, r"betas\[0\]"),
    (Adam, {"betas": (0.9, -0.1)}, r"betas\[1\]"),
    (AdamW, {"weight_decay": -1.0}, "weight_decay"),
]


@pytest.mark.parametrize(("kind", "settings", "name"), BAD)
def test_bad_settings_are_named(kind, settings, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        kind([Value(1.0)], **settings)


def test_what_can_be_optimised():
    with pytest.raises(TypeError, match=r"got float.*model\.parameters\(\)"):
        SGD([1.0])
    with pytest.raises(ValueError, match="at least one parameter"):
        SGD([])
    x = Value(1.0)
    x.grad = 1.0
    SGD(iter([x, x]), lr=0.5).step()
    assert x.data == 0.5


def test_a_step_that_is_interrupted_changes_nothing(monkeypatch):
    params = [Value(1.0), Value(2.0), Value(3.0)]
    optimiser = SGD(params, lr=0.5, momentum=0.9)
    assign, calls = optimiser_module.assign, []

    def interrupted(some, numbers):
        calls.append(numbers)
        if len(calls) == 1:
            assign(some[:2], numbers[:2])
            raise KeyboardInterrupt
        assign(some, numbers)

    for p in params:
        p.grad = 1.0
    monkeypatch.setattr(optimiser_module, "assign", interrupted)
    with pytest.raises(KeyboardInterrupt):
        optimiser.step()
    assert [p.data for p in params] == [1.0, 2.0, 3.0]
    assert optimiser.steps == 0
    assert optimiser.state["velocity"].tolist() == [0.0] * 3


def test_infinite_numbers_raise_nothing():
    x = Value(1e308)
    x.grad = math.inf
    for kind in (SGD, RMSprop, Adam, AdamW):
        kind([x], lr=1e300).step()
    assert not math.isfinite(x.data)


def test_names():
    assert find_optimiser("adam") is Adam
    assert find_optimiser("AdamW") is AdamW
    with pytest.raises(ValueError, match="unknown optimiser 'lion': known are sgd, "):
        find_optimiser("lion")
    assert repr(SGD([Value(1.0)], lr=0.1)) == (
        "SGD(lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.0)"
    )


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


OPTIONS = [
    (SGD, {"lr": 0.02, "momentum": 0.9, "dampening": 0.3}),
    (SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (RMSprop, {"lr": 0.05, "centered": True, "alpha": 0.9, "momentum": 0.4}),
    (Adam, {"lr": 0.1, "betas": (0.8, 0.5), "amsgrad": True}),
    (AdamW, {"lr": 0.1, "betas": (0.8, 0.5), "amsgrad": True, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("kind", "settings"), OPTIONS)
def test_options_in_compiled_steps(kind, settings):
    X, y, losses = [[0.1 * i, 1.0] for i in range(8)], [0.3 * i for i in range(8)], []
    for compile in (False, True):
        model = nn.MLP(2, [3, 1], "tanh", seed=0)
        optimiser = kind(model, **settings)
        history = nn.fit(
            *(model, X, y, "mse", optimiser, 5, 4), compile=compile, progress=False
        )
        losses.append(history.losses)
    assert history.engine == "compiled"
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_options_that_are_off_stay_out_of_states():
    plain, other = Adam([Value(1.0)]), Adam([Value(1.0)], amsgrad=True)
    assert "amsgrad" not in plain.state_dict()["settings"]
    assert repr(other).endswith("amsgrad=True)")
    state = other.state_dict()
    assert state["slots"]["largest"] == [0.0]
    plain.load_state_dict(state)
    assert plain.state_dict() == state
    state["slots"].pop("largest")
    with pytest.raises(ValueError, match="not the state of Adam"):
        plain.load_state_dict(state)


def test_a_constant_gradient_has_no_variance():
    x = Value(1.0)
    optimiser = RMSprop([x], alpha=0.5, centered=True)
    for _ in range(200):
        x.grad = 0.1
        optimiser.step()
    assert math.isfinite(x.data)
