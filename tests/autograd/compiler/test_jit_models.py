"""Models as arguments of compiled functions, and closed over by them."""

import numpy as np
import pytest
from jit_cases import close
from tiers import BACKENDS

import autograd as ag
import nn
from autograd import (
    Value,
    jit,
    value_and_grad,
)


def loss(model, xs, y):
    return (model(xs) - y) ** 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_as_arguments(backend):
    model = nn.MLP(3, [4, 4, 1], activation="tanh", seed=0)
    f = jit(value_and_grad(loss), backend=backend)
    xs = [0.5, -1.0, 2.0]
    for _ in range(2):
        value, slopes = f(model, xs, 1.0)
        wanted, expected = value_and_grad(loss)(model, xs, 1.0)
        assert type(value) is float
        assert list(slopes) == list(model.named_parameters())
        close(value, wanted)
        close(slopes, expected, 1e-12)
        for p in model.parameters():
            p.data += 0.1
    assert all(p.grad == 0.0 for p in model.parameters())


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_whose_loss_is_a_node(backend):
    model = nn.MLP(3, [4, 1], activation="relu", seed=1)
    xs = [0.5, -1.0, 2.0]
    compiled = jit(loss, backend=backend)
    for _ in range(2):
        model.zero_grad()
        compiled(model, xs, 1.0).backward()
        found = [p.grad for p in model.parameters()]
        model.zero_grad()
        loss(model, xs, 1.0).backward()
        close(found, [p.grad for p in model.parameters()], 1e-12)
        for p in model.parameters():
            p.data -= 0.1 * p.grad


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_closed_over(backend):
    model = nn.MLP(2, [3, 1], seed=2)
    f = jit(lambda xs: model(xs), backend=backend)
    close(f([0.5, 1.0]), model([0.5, 1.0]))
    f([0.5, 1.0]).backward()
    found = [p.grad for p in model.parameters()]
    model.zero_grad()
    model([0.5, 1.0]).backward()
    close(found, [p.grad for p in model.parameters()], 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_of_one_shape_and_of_others(backend):
    f = jit(value_and_grad(loss), backend=backend)
    for seed, sizes in ((0, [3, 1]), (1, [3, 1]), (2, [5, 1]), (3, [1]), (0, [3, 1])):
        model = nn.MLP(2, sizes, seed=seed)
        found = f(model, [0.5, 1.0], 1.0)
        close(list(found), list(value_and_grad(loss)(model, [0.5, 1.0], 1.0)), 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_that_grows(backend):
    f = jit(value_and_grad(lambda model: ag.sum(model.parameters())), backend=backend)
    model = nn.MLP(1, [1])
    assert list(f(model)[1].values()) == [1.0, 1.0]
    model.more = [Value(3.0), 5]
    value, slopes = f(model)
    assert value == 3.0 + model.parameters()[0].data + model.parameters()[1].data
    assert list(slopes) == list(model.named_parameters()) and len(slopes) == 3


def test_models_that_are_gone_are_not_confused():
    """Models of equally many parameters one after the other, each freed before."""
    f = jit(lambda model, xs: model(xs[: len(model.layers[0].neurons[0].w)]))
    for k in range(20):
        model = nn.MLP(1, [2]) if k % 2 else nn.MLP(3, [1])
        xs = [0.5, 1.0, -2.0]
        expected = model(xs[:1] if k % 2 else xs)
        found = f(model, xs)
        close(found, expected)
        del model


def test_methods_of_models():
    class Model(nn.Module):
        def __init__(self):
            self.w = Value(2.0)

        @jit
        def value(self, x):
            return self.w * x

    model = Model()
    y = model.value(3.0)
    y.backward()
    assert y.data == 6.0
    assert model.w.grad == 3.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_masked_arrays_are_refused(backend):
    f = jit(lambda x: ag.sum(x), backend=backend)
    assert f(np.ones(2)) == 2.0
    with pytest.raises(TypeError, match="masked arrays"):
        f(np.ma.masked_array([1.0, 2.0], mask=[False, True]))


class Changing(nn.Module):
    def __init__(self):
        self.a, self.b, self.d = Value(2.0), Value(10.0), Value(0.5)

    def __call__(self, x):
        c = getattr(self, "c", 0.0)
        return self.a * x + getattr(self, "b", 0.0) * self.d + c**2


def renamed(model):
    del model.b
    model.c = Value(4.0)


def reordered(model):
    a = model.__dict__.pop("a")
    model.a = a


def moved(model):
    model.c = model.__dict__.pop("b")


def shared_otherwise(model):
    model.a, model.b, model.c = model.b, model.b, model.a


def replaced(model):
    model.b = Value(-1.0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "change", [renamed, reordered, moved, shared_otherwise, replaced]
)
def test_models_that_change_with_as_many_parameters(backend, change):
    def f(model, x):
        return model(x) * 1.0

    model = Changing()
    compiled = jit(value_and_grad(f), backend=backend)
    for _ in range(2):
        found, expected = compiled(model, 3.0), value_and_grad(f)(model, 3.0)
        assert found == expected
        assert list(found[1]) == list(expected[1])
        change(model) if len(compiled.plans) == 1 else None


def test_models_that_share_otherwise():
    model = Changing()
    model.c = model.a
    compiled = jit(value_and_grad(lambda m: m(3.0) * 1.0))
    assert compiled(model)[0] == 15.0
    model.c = model.b
    assert compiled(model)[0] == 111.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_all_candidates_read_is_chosen(backend):
    """A loss that takes one of many logarithms: no products are selected for it."""

    def f(xs, i):
        xs = [ag.tanh(2.0 * x) for x in xs]
        return -ag.take(ag.log_softmax(xs), i)

    compiled = jit(value_and_grad(f), backend=backend)
    xs = [0.3, -0.2, 0.9]
    slopes = compiled(xs, 1)[1]
    assert slopes == pytest.approx(value_and_grad(f)(xs, 1)[1], rel=1e-14)
    (plan,) = compiled.plans.values()
    rows = [
        op.primitive.name for op in plan.bulk.operations if hasattr(op, "primitive")
    ]
    assert rows.count("selected_multiply") <= 1  # the choice itself
