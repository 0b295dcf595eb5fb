"""Modules: parameters by name, state, and trees."""

import numpy as np
import pytest

import nn
from autograd import ShapeError, Value, grad, jit
from nn import MLP, Layer, Module


class Everything(Module):
    """Parameters in every place where they are found."""

    def __init__(self):
        self.scale = 3.0
        self.name = "text"
        self.one = Value(1.0)
        self.many = [Value(2.0), (Value(3.0), Value(4.0))]
        self.table = {"a": Value(5.0), 7: Value(6.0)}
        self.array = np.array([[Value(7.0), Value(8.0)]])
        self.layer = Layer(1, 1, seed=0)
        self.again = self.one
        self.numbers = np.arange(3)

    def __call__(self, x):
        self.cached = self.one * x
        return self.cached + self.many[1][0] * self.scale


class Forward(Module):
    """As a program for PyTorch has it."""

    def __init__(self):
        self.first, self.last = Layer(2, 3, seed=0), Layer(3, 1, nonlin=False, seed=1)

    def forward(self, x):
        return self.last(self.first(x))


class Doubled(MLP):
    def forward(self, x):
        return 2.0 * super().__call__(x)


@pytest.mark.parametrize("make", [Forward, lambda: Doubled(2, [3, 1], seed=0)])
def test_forward_is_the_call(make):
    model, X = make(), [[1.0, 2.0], [-1.0, 0.5]]
    called = [model(x).data for x in X]
    assert called == [model.forward(x).data for x in X]
    assert called == [y.data for y in model.batch(X)]
    assert nn.predict(model, X).tolist() == called
    history = nn.fit(model, X, [1.0, 2.0], lr=0.1, progress=False)
    assert history.losses[-1] < 0.2 * history.losses[0]
    assert Doubled(2, [3, 1], seed=0)([1.0, 2.0]).data == (
        2.0 * MLP(2, [3, 1], seed=0)([1.0, 2.0]).data
    )


def test_labels_are_the_names():
    """In files, errors and pictures a parameter is called the same."""
    for model in (
        MLP(2, [3, 1], seed=0),
        nn.Sequential(nn.Embedding(4, 2, seed=0), nn.GRU(2, 3, seed=0), Layer(3, 1)),
        nn.Sequential(MLP(1, [2, 1], seed=0), "tanh", nn.LayerNorm(1)),
    ):
        named = model.named_parameters()
        assert {name: p.label for name, p in named.items()} == {n: n for n in named}
    model = Forward()
    model.label()
    assert model.first.neurons[1].w[0].label == "first.neuron1.w0"
    own = Value(1.0, label="temperature")
    model.t = own
    model.label()
    assert own.label == "temperature"


def test_parameters_are_found_once_and_in_order():
    model = Everything()
    model(1.0)
    assert list(model.named_parameters()) == [
        "one",
        "many.0",
        "many.1.0",
        "many.1.1",
        "table.a",
        "table.7",
        "array.0",
        "array.1",
        "layer.neuron0.w0",
        "layer.neuron0.b",
    ]
    assert model.parameters() == list(model.named_parameters().values())
    assert [p.data for p in model.parameters()[:8]] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_names_of_an_mlp():
    names = list(MLP(2, [2, 1]).named_parameters())
    assert names[0] == "layer0.neuron0.w0"
    assert names[-1] == "layer1.neuron0.b"
    assert len(names) == 9


def test_a_module_inside_itself():
    model = Everything()
    model.parent = [model]
    assert len(model.parameters()) == 10


def test_equal_names_are_refused():
    model = Module()
    model.table = {1: Value(1.0), "1": Value(2.0)}
    with pytest.raises(ValueError, match="same name"):
        model.named_parameters()


def test_zero_grad():
    model = MLP(2, [2, 1], seed=0)
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 9


def test_a_users_parameters_method_is_honoured():
    class Frozen(Module):
        def __init__(self):
            self.a, self.b = Value(1.0), Value(2.0)

        def parameters(self):
            return [self.a]

    model = Frozen()
    model.a.grad = model.b.grad = 1.0
    model.zero_grad()
    assert (model.a.grad, model.b.grad) == (0.0, 1.0)


def test_state_dict_goes_round():
    model, other = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=1)
    state = model.state_dict()
    assert all(type(x) is float for x in state.values())
    other.load_state_dict(state)
    assert other([1.0, 2.0]).data == model([1.0, 2.0]).data
    model.parameters()[0].data = 100.0
    assert state["layer0.neuron0.w0"] != 100.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layer0.neuron0.b"), "missing: layer0.neuron0.b"),
        (lambda s: s.update(extra=1.0), "unknown: extra"),
        (lambda s: s.clear(), "has 13 parameters, the state has 0"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    model = MLP(2, [3, 1], seed=0)
    before, state = model.state_dict(), MLP(2, [3, 1], seed=1).state_dict()
    change(state)
    with pytest.raises(ShapeError, match=message):
        model.load_state_dict(state)
    assert model.state_dict() == before


def test_a_state_with_text_changes_nothing():
    model = MLP(2, [3, 1], seed=0)
    before, state = model.state_dict(), MLP(2, [3, 1], seed=1).state_dict()
    state["layer1.neuron0.b"] = "zero"
    with pytest.raises(TypeError, match="real number"):
        model.load_state_dict(state)
    assert model.state_dict() == before


def test_rebuilding_shares_nothing_mutable():
    model = Everything()
    numbers, rebuild = model.__tree_flatten__()
    assert numbers == model.parameters()
    twin = rebuild([float(i) for i in range(10)])
    assert twin.one == 0.0
    assert twin.again == 0.0
    assert twin.array.tolist() == [[6.0, 7.0]]
    assert list(twin.named_parameters().values()) == list(range(10))
    assert twin.layer.parameters() == [8.0, 9.0]
    assert twin.state_dict()["layer.neuron0.b"] == 9.0
    twin.many[0] = twin.table["a"] = None
    twin.numbers[0] = 9
    assert model.many[0].data == 2.0
    assert model.table["a"].data == 5.0
    assert model.numbers[0] == 0


def test_rebuilding_with_values_gives_an_ordinary_module():
    model = MLP(2, [3, 1], seed=0)
    numbers, rebuild = model.__tree_flatten__()
    twin = rebuild([Value(p.data) for p in numbers])
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    twin.layers[0].neurons[0].w[0] = fresh = Value(9.0)
    assert twin.parameters()[0] is fresh


def test_a_bound_copy_sees_what_stands_at_a_parameters_place():
    model = Everything()
    bound = model._bound([float(i) for i in range(10)])
    bound.many[0] = 50.0
    assert bound.parameters()[1] == 50.0
    assert len(bound.parameters()) == 10
    other = model._bound([0.5 * i for i in range(10)])
    assert bound.__tree_key__() == other.__tree_key__()
    bound.scale = 7.0
    assert bound.__tree_key__() != other.__tree_key__()
    twice = bound._bound([Value(float(i)) for i in range(10)])
    assert [p.data for p in twice.parameters()] == [float(i) for i in range(10)]


def test_a_copy_around_the_parameters_that_a_user_names():
    class Frozen(Module):
        def __init__(self):
            self.a, self.b = Value(1.0), Value(2.0)

        def parameters(self):
            return [self.a]

        def __call__(self, x):
            return self.a * self.b * x

    model = Frozen()
    bound = model._bound([3.0])
    assert bound.parameters() == [3.0]
    assert bound(10.0).data == 60.0
    assert bound.b is not model.b


def test_rebuilding_wants_the_right_number():
    numbers, rebuild = Everything().__tree_flatten__()
    with pytest.raises(ValueError, match="argument"):
        rebuild([p.data for p in numbers[1:]])


def test_tied_parameters_get_one_gradient():
    model = Module()
    model.a = Value(3.0)
    model.b = [model.a]
    g = grad(lambda m: m.a * m.b[0])(model)
    assert g == {"a": 6.0}


def test_a_module_without_a_call_says_so():
    with pytest.raises(NotImplementedError, match="Module does not define __call__"):
        Module()([1.0])


def test_names_of_ones_own_are_free():
    """A model may call its methods and layers as it likes, ``bind`` for example."""

    class Model(Module):
        def __init__(self):
            self.bind = Layer(2, 1, seed=0)

        def update(self, x):
            return self.bind(x)

        def __call__(self, x):
            return self.update(x)

    model = Model()
    compiled = jit(lambda m, x: m(x), backend="numpy")
    assert compiled(model, [1.0, 2.0]).data == model([1.0, 2.0]).data
