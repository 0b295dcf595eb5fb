"""Compiled functions of models: read at once, as long as the model is as it was."""

import gc
import weakref

import numpy as np
import pytest

import nn
from autograd import ShapeError, Value, jit, mean, value_and_grad, vmap
from autograd import sum as total
from autograd.compiler.trace.arguments import key_of, numbers_of
from nn import MLP, Layer, Module, Sequential
from nn.layers import module as models

X, Y = nn.datasets.moons(20, seed=0)
Y = Y.astype(float)


def loss_of(model, X, y):
    def single(x, t):
        return nn.mse_loss([model(list(x))], [t])

    return mean(vmap(single)(X, y))


class Shared(Module):
    def __init__(self):
        self.first, self.rate, self.name = Layer(2, 3, seed=0), 0.5, "shared"
        self.again = self.first
        self.more = {"scale": Value(2.0), 3: (Value(0.5), [Value(0.25)])}
        self.count, self.kept = 0, None

    def __call__(self, x):
        self.count += 1
        self.kept = total(self.first(x)) * self.more["scale"] + self.more[3][0]
        return self.kept * self.more[3][1][0]


MODELS = {
    "mlp": lambda: MLP(2, [4, 1], seed=0),
    "shared": Shared,
    "scaled": lambda: Sequential(nn.Scaler(X), MLP(2, [3, 1], seed=0)),
    "normed": lambda: Sequential(Layer(2, 3, seed=0), nn.LayerNorm(3), Layer(3, 1)),
    "dropped": lambda: Sequential(nn.Dropout(0.5), MLP(2, [1], seed=0)).eval(),
}


@pytest.mark.parametrize("name", MODELS)
def test_numbers_and_keys_are_those_of_the_model(name):
    model = MODELS[name]()
    for _ in range(3):
        numbers, leaves = numbers_of(model, False)
        parameters = model.parameters()
        assert numbers.tolist() == [p.data for p in parameters]
        assert all(a is b for a, b in zip(leaves, parameters, strict=True))
        assert numbers_of(model, True)[1] is None
        assert key_of(model) == key_of(model)
        assert hash(key_of(model)) == hash(key_of(model))
        for p in parameters:
            p.data += 1.0


def replaced(model):
    model.layers[0].neurons[0].w[1] = Value(9.0)


def tied(model):
    model.layers[0].neurons[0].w[1] = model.layers[1].neurons[0].b


def longer(model):
    model.layers[0].neurons[0].extra = Value(1.0)


def shorter(model):
    del model.layers[0].neurons[0].b


def other_list(model):
    model.layers[0].neurons[0].w = [*model.layers[0].neurons[0].w]
    model.layers[0].neurons[0].w[0] = Value(3.0)


def frozen(model):
    model.layers[0].neurons[0].w[0] = 0.5


def computed(model):
    model.layers[0].neurons[0].w[0] = Value(2.0) * 3.0


@pytest.mark.parametrize(
    "change", [replaced, tied, longer, shorter, other_list, frozen, computed]
)
def test_a_change_is_seen(change):
    model = MLP(2, [4, 1], seed=0)
    before, keys = model.parameters(), [key_of(model)]
    numbers_of(model, True)
    change(model)
    found = models._contents(model).parameters
    assert numbers_of(model, True)[0].tolist() == [p.data for p in found]
    assert model.parameters() == found
    assert found != before
    assert key_of(model) != keys[0]


def test_compiled_calls_follow_the_model():
    model = MLP(2, [4, 1], seed=0)
    f = jit(value_and_grad(loss_of))
    for step in range(4):
        value, gradient = f(model, X, Y)
        sure = nn.mse_loss([model(x) for x in X], Y)
        assert value == pytest.approx(sure.data, rel=1e-12)
        model.zero_grad()
        sure.backward()
        expected = [p.grad for p in model.parameters()]
        model.set_grad(gradient)
        found = [p.grad for p in model.parameters()]
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        if step == 1:
            replaced(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.pop("layer0.neuron0.b"), "missing: layer0.neuron0.b"),
        (lambda g: g.update(more=1.0), "unknown: more"),
    ],
)
def test_gradients_that_do_not_fit(change, message):
    model = MLP(2, [4, 1], seed=0)
    gradient = dict.fromkeys(model.named_parameters(), 1.0)
    change(gradient)
    with pytest.raises(ShapeError, match=message):
        model.set_grad(gradient)
    gradient = dict.fromkeys(model.named_parameters(), 1.0) | {"layer1.neuron0.b": "a"}
    with pytest.raises(TypeError):
        model.set_grad(gradient)
    assert {p.grad for p in model.parameters()} == {0.0}
    model.set_grad(
        dict(reversed([*dict.fromkeys(model.named_parameters(), 2.0).items()]))
    )
    assert {p.grad for p in model.parameters()} == {2.0}


def test_models_are_not_kept_alive():
    model = Shared()
    model.me = model
    numbers_of(model, True)
    alive, value = weakref.ref(model), weakref.ref(model.first.neurons[0].b)
    del model
    gc.collect()
    assert alive() is None
    assert value() is None


def test_what_cannot_be_remembered_is_read_each_time():
    model = MLP(2, [1], seed=0)
    model.table = np.array([Value(1.0), Value(2.0)])
    assert numbers_of(model, True)[0].tolist()[-2:] == [1.0, 2.0]
    model.table[0].data = 5.0
    assert numbers_of(model, True)[0].tolist()[-2:] == [5.0, 2.0]
    model.table[1] = Value(7.0)
    assert numbers_of(model, True)[0].tolist()[-2:] == [5.0, 7.0]


@pytest.mark.parametrize("count", [3, 200])
def test_predictions_by_matrices_take_plain_numbers_too(count):
    model = MLP(2, [40, 1], activation="tanh", seed=0)
    model.layers[0].neurons[3].w[1] = 0.5
    model.layers[1].neurons[0].b = 2
    many = np.random.default_rng(0).normal(size=(count, 2))
    sure = nn.predict(model, many, compile=False)
    assert np.allclose(nn.predict(model, many), sure, rtol=1e-12)


def test_modules_inside_a_neuron_are_found():
    class Gate(Module):
        def __init__(self):
            self.scale = Value(2.0)

        def __call__(self, x):
            return x * self.scale

    neuron = nn.Neuron(2, activation=Gate(), seed=0)
    assert [type(m) for m in models.modules_of(neuron)] == [nn.Neuron, Gate]
    assert neuron.eval().activation.training is False
