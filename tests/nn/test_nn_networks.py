"""Neurons, layers and networks."""

import copy
import pickle
import random

import numpy as np
import pytest

import nn
from autograd import ShapeError, Value, dot, grad, gradient, jvp
from nn import MLP, Layer, Neuron, Sequential

X = [[0.5, -1.0], [2.0, 3.0], [-0.25, 0.75], [1.0, 1.0]]
Y = [1, -1, -1, 1]


def test_texts_and_attributes():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    assert repr(Neuron(1, activation="tanh")) == "TanhNeuron(1)"
    assert repr(Layer(2, 1, nonlin=False)) == "Layer 2 -> 1, 3 parameters"
    assert repr(MLP(1, [1, 1])) == "MLP 1 -> 1 relu -> 1, 4 parameters"
    layer = MLP(2, [3, 1]).layers[0]
    assert len(layer.neurons) == 3
    assert len(layer.neurons[0].w) == 2
    assert layer.neurons[0].b.data == 0.0
    assert layer.neurons[0].nonlin is True


def test_nonlin_may_be_switched_afterwards():
    layer = Layer(1, 2, seed=0)
    layer.neurons[1].nonlin = False
    for neuron in layer.neurons:
        neuron.w[0].data = -1.0
    assert [y.data for y in layer([2.0])] == [0.0, -2.0]


def test_seeds():
    first = [p.data for p in MLP(2, [3, 1], seed=4).parameters()]
    assert first == [p.data for p in MLP(2, [3, 1], seed=4).parameters()]
    assert first != [p.data for p in MLP(2, [3, 1], seed=5).parameters()]
    state = random.getstate()
    MLP(2, [3, 1], seed=4)
    assert random.getstate() == state
    neurons = Layer(1, 2, seed=0).neurons
    assert neurons[0].w[0].data != neurons[1].w[0].data


def test_a_layer_of_one_unwraps_alone_and_last_only():
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert isinstance(MLP(2, [1, 1])([1.0, 2.0]), Value)
    assert isinstance(Sequential(Layer(2, 1), MLP(1, [1]))([1.0, 2.0]), Value)
    assert isinstance(MLP(2, [1, 3])([1.0, 2.0]), list)


@pytest.mark.parametrize("activation", list(nn.ACTIVATIONS))
@pytest.mark.parametrize("nouts", [[1], [3], [4, 1], [1, 4, 2]])
def test_batch_gives_what_calls_give(activation, nouts):
    model = MLP(2, nouts, activation=activation, seed=3)
    one_by_one = nn.predict(model, X)
    assert np.array_equal(one_by_one, [nn.predict(model, x) for x in X])
    neurons_alone = X
    for layer in model.layers:
        neurons_alone = [[n(x) for n in layer.neurons] for x in neurons_alone]
    expected = np.array([[y.data for y in ys] for ys in neurons_alone])
    assert np.array_equal(one_by_one.reshape(expected.shape), expected)


def test_any_kind_of_numbers_goes_in():
    model = MLP(2, [3, 1], seed=0)
    expected = model([1.0, 2.0]).data
    for x in (
        (1, 2),
        [True, 2],
        np.array([1, 2]),
        np.array([1.0, 2.0]),
        [np.float32(1.0), np.int64(2)],
        [Value(1.0), 2],
        np.array([Value(1.0), Value(2.0)]),
        iter([1.0, 2.0]),
    ):
        assert model(x).data == expected
    assert [y.data for y in model.batch(np.array([[1, 2], [1, 2]]))] == [expected] * 2
    assert model.batch([]) == []


def test_gradients_reach_the_inputs():
    x = [Value(0.3), Value(-0.2)]
    model = MLP(2, [3, 1], activation="tanh", seed=0)
    model(x).backward()
    h = 1e-6
    up, down = model([0.3 + h, -0.2]).data, model([0.3 - h, -0.2]).data
    assert x[0].grad == pytest.approx((up - down) / (2 * h), rel=1e-6)


@pytest.mark.parametrize("make", [Neuron, lambda n: Layer(n, 2), lambda n: MLP(n, [2])])
def test_wrong_widths_name_both_numbers(make):
    with pytest.raises(ShapeError, match=r"takes 2 inputs, got 3"):
        make(2)([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"sequence of 2 number"):
        make(2)(1.0)


def test_layers_that_do_not_fit():
    with pytest.raises(ShapeError, match="takes 4 inputs, got 3"):
        Sequential(Layer(2, 3), Layer(4, 1))([1.0, 2.0])


@pytest.mark.parametrize(
    "make", [lambda: Neuron(0), lambda: Layer(2, 0), lambda: MLP(2, [])]
)
def test_nothing_at_all_is_refused(make):
    with pytest.raises(ShapeError, match="at least one"):
        make()


def test_labels_tell_where_a_parameter_sits():
    model = MLP(2, [2, 1])
    labels = [p.label for p in model.parameters()]
    assert labels[:4] == [
        "layer0.neuron0.w0",
        "layer0.neuron0.w1",
        "layer0.neuron0.b",
        "layer0.neuron1.w0",
    ]
    assert labels[-1] == "layer1.neuron0.b"
    assert [p.label for p in Neuron(1).parameters()] == ["w0", "b"]


def test_the_last_layer_may_have_an_activation():
    model = MLP(2, [3, 2], activation="tanh", output="sigmoid", seed=0)
    assert repr(model.layers[-1].neurons[0]) == "SigmoidNeuron(3)"
    assert all(0 < y.data < 1 for y in model([1.0, 2.0]))


def test_sequential_takes_modules_names_and_functions():
    net = Sequential(
        Layer(2, 3, nonlin=False, seed=0),
        "tanh",
        nn.relu,
        Layer(3, 2, seed=1),
        nn.softmax,
    )
    probabilities = net([1.0, 2.0])
    assert sum(p.data for p in probabilities) == pytest.approx(1.0)
    assert len(net.parameters()) == 9 + 8
    text = "Sequential 2 -> 3 -> tanh -> relu -> 2 relu -> softmax, 17 parameters"
    assert repr(net) == text
    with pytest.raises(TypeError, match=r"element 1 .* got int"):
        Sequential(Layer(2, 3), 3)


def test_subclasses_are_called_their_own_way():
    class Doubled(Neuron):
        def __call__(self, x):
            return 2.0 * super().__call__(x)

    layer = Layer(2, 2, seed=0)
    plain = [y.data for y in layer([1.0, 2.0])]
    for neuron in layer.neurons:
        neuron.__class__ = Doubled
    assert [y.data for y in layer([1.0, 2.0])] == [2.0 * y for y in plain]

    class Shifted(Layer):
        def __call__(self, x):
            return [y + 1.0 for y in super().__call__(x)]

    class Squared(MLP):
        def __call__(self, x):
            return super().__call__(x) ** 2

    shifted = Shifted(2, 2, seed=0)
    expected = [y.data for y in shifted([1.0, 2.0])]
    assert expected == [y.data + 1.0 for y in Layer(2, 2, seed=0)([1.0, 2.0])]
    assert [y.data for y in Sequential(shifted)([1.0, 2.0])] == expected
    assert [y.data for y in shifted.batch([[1.0, 2.0]])[0]] == expected
    assert nn.predict(Squared(2, [3, 1], seed=0), X).tolist() == [
        MLP(2, [3, 1], seed=0)(x).data ** 2 for x in X
    ]


def test_softmax_is_no_activation_of_a_neuron():
    with pytest.raises(ValueError, match=r"Sequential\(\.\.\., softmax\)"):
        Layer(2, 3, activation="softmax")


def test_transforms_take_a_model():
    model = MLP(2, [3, 1], activation="tanh", seed=0)

    def loss(m):
        p = m.parameters()
        return nn.mse_loss(m.batch(X), Y) + 0.01 * dot(p, p)

    by_grad = grad(loss)(model)
    value = loss(model)
    value.backward()
    expected = {name: p.grad for name, p in model.named_parameters().items()}
    for found in (by_grad, gradient(value, model)):
        assert list(found) == list(expected)
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("activation", list(nn.ACTIVATIONS))
def test_transforms_take_the_inputs(activation):
    model = MLP(2, [3, 1], activation=activation, seed=0)
    x = [Value(0.3), Value(-0.2)]
    model(x).backward()
    expected = pytest.approx([v.grad for v in x], rel=1e-12)
    assert [g.data for g in grad(model)([0.3, -0.2])] == expected
    tangents = [jvp(model, ([0.3, -0.2],), (e,))[1] for e in ([1.0, 0.0], [0.0, 1.0])]
    assert [t.data for t in tangents] == expected


def test_copies_share_nothing():
    model = MLP(2, [3, 1], seed=0)
    before = model([1.0, 2.0]).data
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin([1.0, 2.0]).data == before
        assert repr(twin) == repr(model)
        for p in twin.parameters():
            p.data = 0.0
        assert model([1.0, 2.0]).data == before
