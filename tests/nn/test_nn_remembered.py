"""What is remembered of a model between calls, and that every change of it is noticed."""

import copy
import gc
import math
import pickle
import weakref

import numpy as np
import pytest

import autograd
import nn

# -- What of a model a trace bakes in ------------------------------------------------


def _swap_one(model):
    model.layers[0].neurons[2].activation = autograd.tanh


def _swap_all(model):
    for neuron in model.layers[0].neurons:
        neuron.activation = autograd.tanh


def _linear(model):
    model.layers[0].neurons[0].nonlin = False


def _scaled(model):
    model.scale = 3.0


def _by_method(model):
    model.adjust = model.train


def _another_layer(model):
    model.layers[1] = nn.Layer(3, 1, seed=9, nonlin=False)


def _tie(model):
    model.layers[0].neurons[1].b = model.layers[0].neurons[0].b


class Scaled(nn.MLP):
    scale = 2.0

    def __call__(self, x):
        adjusted = 1.0 if getattr(self, "adjust", None) is None else 0.5
        return super().__call__(x) * self.scale * adjusted


@pytest.mark.parametrize(
    "change",
    [_swap_one, _swap_all, _linear, _scaled, _by_method, _another_layer, _tie],
)
def test_a_compiled_function_of_a_model_notices_every_change_of_it(change):
    model, other = (Scaled(2, [3, 1], seed=0) for _ in range(2))
    predict = autograd.jit(lambda model, x: model(x))
    for model_ in (model, other):  # of two models of one architecture, one is changed
        assert np.isclose(predict(model_, [1.0, 2.0]).data, model_([1.0, 2.0]).data)
    change(model)
    for model_ in (model, other):
        assert np.isclose(predict(model_, [1.0, 2.0]).data, model_([1.0, 2.0]).data)


def test_a_compiled_function_of_a_model_notices_its_mode_and_signed_zeros():
    class Mode(nn.Module):
        def __init__(self):
            self.w, self.zero = autograd.Value(1.0), 0.0

        def __call__(self, x):
            sign = math.copysign(1.0, self.zero)
            return self.w * x * (2.0 if self.training else 1.0) * sign

    model = Mode()
    predict = autograd.jit(lambda model, x: model(x))
    assert predict(model, 3.0).data == 6.0
    assert predict(model.eval(), 3.0).data == 3.0
    model.zero = -0.0
    assert predict(model, 3.0).data == -3.0


def test_nothing_is_traced_anew_while_a_model_stays_as_it_is():
    traced = []

    def forward(model, x):
        traced.append(1)
        return model(x)

    model, predict = nn.MLP(2, [3, 1], seed=0), autograd.jit(forward)
    for _ in range(3):
        predict(model, [1.0, 2.0])
        for p in model.parameters():
            p.data += 0.5
        model.eval().train()
    assert len(traced) == 1


def test_what_is_remembered_of_a_model_keeps_nothing_alive():
    model = nn.MLP(2, [3, 1], seed=0)
    model.layers[0].neurons[0].b.owner = model  # a cycle through a parameter
    assert model([1.0, 2.0]).data == model([1.0, 2.0]).data
    assert len(model.parameters()) == 13
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_what_is_remembered_of_a_model_is_not_copied():
    model = nn.MLP(2, [3, 1], seed=0)
    before = model([1.0, 2.0]).data
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for p in other.parameters():
            p.data *= 2.0
        assert other([1.0, 2.0]).data != before
        assert model([1.0, 2.0]).data == before
