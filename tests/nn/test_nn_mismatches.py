"""What does not go together is refused before anything changes, with the remedy."""

import pytest

import nn
from autograd import ShapeError

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
XOR = [0, 1, 1, 0]
ROWS = [[1, 0], [0, 1], [0, 1], [1, 0]]


def mlp(width=1, **options):
    return nn.MLP(2, [8, width], activation="tanh", seed=1, **options)


def ends_in_softmax():
    layers = (
        nn.Layer(2, 8, activation="tanh", seed=1),
        nn.Layer(8, 2, nonlin=False, seed=2),
    )
    return nn.Sequential(*layers, nn.softmax)


def nested():
    return nn.Sequential(
        nn.Layer(2, 4, seed=0), nn.MLP(4, [1], output="sigmoid", seed=1)
    )


REFUSED = {  # model, targets, loss, error, what it says
    "two sigmoids": (
        lambda: mlp(output="sigmoid"),
        *(XOR, "binary_cross_entropy_with_logits", ValueError, 'output="linear"'),
    ),
    "two sigmoids, nested": (
        nested,
        *(XOR, "binary_cross_entropy_with_logits", ValueError, "applied twice"),
    ),
    "two softmaxes": (
        ends_in_softmax,
        *(XOR, "cross_entropy", ValueError, "softmax is applied twice"),
    ),
    "two outputs, one target": (
        lambda: mlp(2),
        *(XOR, "mse", ShapeError, "loss='cross_entropy'"),
    ),
    "a set": (mlp, {0, 1, 2, 3}, "mse", TypeError, "has no order"),
    "a dict": (mlp, dict.fromkeys(range(4), 1.0), "mse", TypeError, "only the keys"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_remedy_before_anything_changes(name):
    make, targets, loss, error, said = REFUSED[name]
    model = make()
    before = model.state_dict()
    with pytest.raises(error, match=said):
        nn.fit(model, X, targets, loss, epochs=2, progress=False)
    assert model.state_dict() == before


def test_class_numbers_under_a_loss_for_amounts():
    """Warned of: whole numbers 0 to k may be amounts."""
    targets = [k % 3 for k in range(30)]
    inputs = [[float(k), float(k % 3)] for k in range(30)]
    with pytest.warns(UserWarning, match="a last layer of 3") as said:
        nn.fit(mlp(), inputs, targets, epochs=1, progress=False)
    assert [warning.filename for warning in said] == [__file__]


@pytest.mark.parametrize(
    "targets",
    [[3, 5, 4, 6, 8] * 6, [0, 1] * 15, [0.5 * (k % 3) for k in range(30)], [0, 1, 2]],
)
def test_amounts_are_not_taken_for_classes(targets):
    inputs = [[float(k), 1.0] for k in range(len(targets))]
    nn.fit(mlp(), inputs, targets, epochs=1, progress=False)


@pytest.mark.parametrize(
    ("options", "loss", "targets"),
    [
        ({"output": "sigmoid"}, "mse", XOR),
        ({}, "mse", XOR),
        ({}, "hinge", [-1, 1, 1, -1]),
        ({}, "mse", [-1, 1, 1, -1]),
        ({}, "binary_cross_entropy_with_logits", XOR),
        ({"width": 2}, "cross_entropy", XOR),
        ({"width": 2}, "cross_entropy", ROWS),
        ({"width": 2}, "mse", ROWS),
    ],
)
def test_accuracy_knows_the_scores_of_every_loss(options, loss, targets):
    """A learnt XOR scores 1, whatever its outputs mean."""
    model = mlp(**options)
    settings = {"lr": 0.05, "epochs": 400, "metrics": "accuracy", "progress": False}
    history = nn.fit(model, X, targets, loss, "adam", **settings)
    assert history.metrics["accuracy"][-1] == 1.0


@pytest.mark.parametrize(
    ("outputs", "targets", "expected"),
    [
        ([0.9, 0.2], [1, 0], 1.0),
        ([0.4, -0.2], [1, 0], 1.0),
        ([[0.1, 0.9], [0.8, 0.2]], [[0, 1], [1, 0]], 1.0),
        ([2, 1, 0, 3], [2, 1, 1, 3], 0.75),
        (["a", "b"], ["a", "a"], 0.5),
        ([1, -1], [1, 1], 0.5),
    ],
)
def test_accuracy_of_what_is_given(outputs, targets, expected):
    assert nn.accuracy(outputs, targets) == expected


def test_gradients_that_are_huge_are_clipped_by_their_norm():
    weights = [nn.Neuron(1, seed=0).b, nn.Neuron(1, seed=0).b]
    for w in weights:
        w.grad = 1e200
    nn.clip_grad_norm(weights, 1.0)
    assert [w.grad for w in weights] == pytest.approx([0.5**0.5] * 2)
