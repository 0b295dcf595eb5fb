"""Equality with PyTorch to 1e-12: outputs, gradients of parameters and of inputs.

Where PyTorch is installed. Recurrent layers and gradients of layer normalisation are
compared beside their other tests.
"""

import random

import pytest

import nn
from autograd import Value
from autograd import sum as total
from nn import Dropout, Embedding, Layer, schedules

torch = pytest.importorskip("torch")

X = [[0.3, -1.2, 2.0], [1.5, 0.1, -0.4], [-3.0, 2.5, 0.7], [40.0, -50.0, 30.0]]
WEIGH = [0.5, -2.0, 1.25, 3.0]  # the outputs, so that none hides behind another

ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "softplus": torch.nn.functional.softplus,
    "linear": lambda x: x,
    "identity": lambda x: x,
}


def tensor(numbers, requires_grad=False):
    made = torch.tensor(numbers, dtype=torch.float64)
    return made.requires_grad_(requires_grad)


def close(numbers):
    return pytest.approx(numbers, rel=1e-12, abs=1e-12)


def leaves(rows):
    return [[Value(x) for x in row] for row in rows]


def grads(values):
    return [value.grad for value in nn.flatten(values)]


def plain(numbers):
    return [x.data if isinstance(x, Value) else x for x in nn.flatten(numbers)]


def linear(layer):
    """The weights of a layer as PyTorch has them, (out, in) and (out,)."""
    weights = [[w.data for w in n.w] for n in layer.neurons]
    return tensor(weights, True), tensor([n.b.data for n in layer.neurons], True)


def compare(ours, inputs, theirs, xs):
    """Outputs, and the gradients of a weighted sum of them, for inputs too."""
    assert plain(ours) == close(theirs.reshape(-1).tolist())
    weights = [WEIGH[i % 4] for i in range(theirs.numel())]
    (theirs.reshape(-1) * tensor(weights)).sum().backward()
    total([w * y for w, y in zip(weights, nn.flatten(ours))]).backward()
    assert grads(inputs) == close(xs.grad.reshape(-1).tolist())


def test_every_activation_is_compared():
    assert ACTIVATIONS.keys() == nn.ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_layers(name):
    layer, inputs = Layer(3, 4, activation=name, seed=0), leaves(X)
    for i, neuron in enumerate(layer.neurons):
        neuron.b.data = 0.1 * i - 0.2
    (weight, bias), xs = linear(layer), tensor(X, True)
    theirs = ACTIVATIONS[name](xs @ weight.T + bias)
    compare(layer.batch(inputs), inputs, theirs, xs)
    assert grads([n.w for n in layer.neurons]) == close(
        weight.grad.reshape(-1).tolist()
    )
    assert grads([n.b for n in layer.neurons]) == close(bias.grad.tolist())


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu"])
def test_networks(name):
    model = nn.Sequential(nn.MLP(3, [5, 4], name, seed=0), nn.LayerNorm(4), nn.softmax)
    inputs, xs = leaves(X), tensor(X, True)
    layers = [linear(layer) for layer in model.layers[0].layers]
    found = ACTIVATIONS[name](xs @ layers[0][0].T + layers[0][1])
    found = found @ layers[1][0].T + layers[1][1]
    found = torch.softmax(torch.nn.functional.layer_norm(found, (4,)), dim=1)
    compare(model.batch(inputs), inputs, found, xs)
    for ours, (weight, bias) in zip(model.layers[0].layers, layers):
        slopes = grads([n.w for n in ours.neurons])
        assert slopes == close(weight.grad.reshape(-1).tolist())
        assert grads([n.b for n in ours.neurons]) == close(bias.grad.tolist())


def test_embeddings():
    table, index = Embedding(5, 3, seed=0), [4, 0, 4, 2]
    theirs = torch.nn.Embedding(5, 3, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(tensor([plain(row) for row in table.weight]))
    found = theirs(torch.tensor(index))
    compare(table(index), table.weight, found, theirs.weight)


def test_dropout_in_use():
    drop, inputs, xs = Dropout(0.5, seed=0).eval(), leaves(X), tensor(X, True)
    theirs = torch.nn.Dropout(0.5).eval()
    compare(drop.batch(inputs), inputs, theirs(xs), xs)


def test_dropout_in_training_scales_as_pytorch_does():
    drop, theirs = Dropout(0.2, seed=0), torch.nn.Dropout(0.2)
    ours = {*drop([1.0] * 200)}
    assert sorted(ours) == close(sorted({*theirs(torch.ones(200).double()).tolist()}))


F = torch.nn.functional
ROWS = [[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-500.0, 700.0, 3.0], [9.0, 9.0, -9.0]]
CHANCES = [[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.0, 0.25, 0.75], [0.4, 0.4, 0.2]]
FLAT, AMOUNTS = [0.5, -3.0, 1.0, 800.0], [0.0, 1.0, 1.0, -2.5]

LOSSES = [  # ours, PyTorch's, outputs, targets, settings
    (nn.mse_loss, F.mse_loss, FLAT, AMOUNTS, {}),
    (nn.mse_loss, F.mse_loss, ROWS, CHANCES, {}),
    (nn.l1_loss, F.l1_loss, FLAT, AMOUNTS, {}),  # one error is exactly 0
    (nn.l1_loss, F.l1_loss, ROWS, CHANCES, {}),
    (nn.huber_loss, F.huber_loss, FLAT, AMOUNTS, {}),
    (nn.huber_loss, F.huber_loss, FLAT, AMOUNTS, {"delta": 0.25}),
    (nn.huber_loss, F.huber_loss, ROWS, CHANCES, {"delta": 3.0}),
    (nn.huber_loss, F.smooth_l1_loss, FLAT, AMOUNTS, {}),
    (nn.cross_entropy, F.cross_entropy, ROWS, [0, 2, 1, 2], {}),
    (nn.cross_entropy, F.cross_entropy, ROWS, CHANCES, {}),
    (
        nn.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits,
        FLAT,
        [0.0, 1.0, 0.25, 1.0],
        {},
    ),
    (
        nn.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits,
        ROWS,
        CHANCES,
        {},
    ),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("ours", "theirs", "outputs", "targets", "settings"), LOSSES)
def test_losses(ours, theirs, outputs, targets, settings, reduction):
    rows = isinstance(outputs[0], list)
    inputs = leaves(outputs) if rows else [Value(x) for x in outputs]
    xs = tensor(outputs, True)
    whole = isinstance(targets[0], int)
    ts = torch.tensor(targets) if whole else tensor(targets)
    found = theirs(xs, ts, reduction=reduction, **settings)
    loss = ours(inputs, targets, reduction=reduction, **settings)
    compare(loss, inputs, found, xs)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_hinge(reduction):
    """PyTorch has it as a formula alone."""
    scores, signs = [0.5, -3.0, 2.0, 1.5], [1.0, 1.0, -1.0, 1.0]
    inputs, xs = [Value(x) for x in scores], tensor(scores, True)
    found = torch.relu(1.0 - tensor(signs) * xs)
    found = found if reduction == "none" else getattr(found, reduction)()
    compare(nn.hinge_loss(inputs, signs, reduction), inputs, found, xs)


def test_every_loss_is_compared():
    compared = {loss for loss, *_ in LOSSES} | {nn.hinge_loss}
    assert compared == {*nn.LOSSES.values()}


OPTIMISERS = [
    (nn.SGD, {}),
    (nn.SGD, {"lr": 0.1}),
    (nn.SGD, {"lr": 0.05, "weight_decay": 0.1}),
    (nn.SGD, {"lr": 0.05, "momentum": 0.9}),
    (nn.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    (nn.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    (nn.RMSprop, {}),
    (nn.RMSprop, {"lr": 0.02, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1}),
    (nn.RMSprop, {"lr": 0.02, "momentum": 0.9}),
    (nn.RMSprop, {"lr": 0.02, "centered": True, "momentum": 0.5}),
    (nn.Adam, {}),
    (nn.Adam, {"lr": 0.02, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    (nn.Adam, {"lr": 0.02, "amsgrad": True}),
    (nn.AdamW, {}),
    (nn.AdamW, {"lr": 0.02, "betas": (0.8, 0.99), "weight_decay": 0.2}),
    (nn.AdamW, {"lr": 0.02, "amsgrad": True, "weight_decay": 0.0}),
]


@pytest.mark.parametrize(("kind", "settings"), OPTIMISERS)
def test_optimisers_train_a_network_alike(kind, settings):
    """20 steps on a network: its own default of lr where none is given."""
    layers = [Layer(3, 4, activation="tanh", seed=0), Layer(4, 3, nonlin=False, seed=1)]
    model = nn.Sequential(*layers)
    theirs = [parameter for layer in layers for parameter in linear(layer)]
    weight, bias, last, offset = theirs
    ours = kind(model.parameters(), **settings)
    if kind is nn.SGD and "lr" not in settings:
        settings = {"lr": 0.01}  # PyTorch's changed once, and may again
    other = getattr(torch.optim, kind.__name__)(theirs, **settings)
    xs, targets = tensor(X), [0, 2, 1, 2]
    for _ in range(20):
        model.zero_grad()
        nn.cross_entropy(model.batch(X), targets).backward()
        ours.step()
        other.zero_grad()
        outputs = torch.tanh(xs @ weight.T + bias) @ last.T + offset
        F.cross_entropy(outputs, torch.tensor(targets)).backward()
        other.step()
    for layer, (W, b) in zip(layers, [(weight, bias), (last, offset)]):
        assert plain([n.w for n in layer.neurons]) == close(W.reshape(-1).tolist())
        assert plain([n.b for n in layer.neurons]) == close(b.tolist())


RATES = torch.optim.lr_scheduler
SCHEDULES = [  # ours, and PyTorch's for a run of 12 epochs
    (schedules.constant(), lambda o: RATES.LambdaLR(o, lambda _: 1.0)),
    (schedules.step(3), lambda o: RATES.StepLR(o, 3)),
    (schedules.step(5, 0.5), lambda o: RATES.StepLR(o, 5, gamma=0.5)),
    (schedules.exponential(0.9), lambda o: RATES.ExponentialLR(o, 0.9)),
    (
        schedules.linear(8, end=0.25),
        lambda o: RATES.LinearLR(o, 1.0, end_factor=0.25, total_iters=8),
    ),
    (schedules.cosine(12), lambda o: RATES.CosineAnnealingLR(o, 12)),
    (
        schedules.cosine(12, end=0.1),
        lambda o: RATES.CosineAnnealingLR(o, 12, eta_min=0.05),
    ),
    (
        schedules.warmup(5),
        lambda o: RATES.LambdaLR(o, lambda epoch: min(1.0, epoch / 5)),
    ),
]


@pytest.mark.parametrize(("schedule", "make"), SCHEDULES)
def test_schedules(schedule, make):
    optimiser = torch.optim.SGD([tensor([1.0], True)], lr=0.5)
    theirs, found = make(optimiser), []
    for _ in range(12):
        found.append(theirs.get_last_lr()[0])
        optimiser.step()
        theirs.step()
    assert [0.5 * schedule(time) for time in range(12)] == close(found)


def test_warmup_then_cosine():
    optimiser = torch.optim.SGD([tensor([1.0], True)], lr=1.0)
    parts = [
        RATES.LambdaLR(optimiser, lambda epoch: epoch / 4),
        RATES.CosineAnnealingLR(optimiser, 8),
    ]
    theirs, found = RATES.SequentialLR(optimiser, parts, [4]), []
    for _ in range(12):
        found.append(theirs.get_last_lr()[0])
        optimiser.step()
        theirs.step()
    ours = schedules.cosine(12, warmup=4)
    assert [ours(time) for time in range(12)] == close(found)


@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping(limit):
    rng = random.Random(0)
    slopes = [rng.uniform(-3.0, 3.0) for _ in range(9)]
    ours, theirs = [Value(0.0) for _ in slopes], tensor([0.0] * 9, True)
    theirs.grad = tensor(slopes)
    for value, slope in zip(ours, slopes):
        value.grad = slope
    before = torch.nn.utils.clip_grad_norm_([theirs], limit)
    norm = nn.clip_grad_norm(ours, limit)
    assert norm == close(float(before))
    assert grads(ours) == close(theirs.grad.tolist())
    nn.clip_grad_value(ours, 0.1)
    torch.nn.utils.clip_grad_value_([theirs], 0.1)
    assert grads(ours) == close(theirs.grad.tolist())
