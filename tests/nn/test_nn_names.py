"""What things are called elsewhere, and what an unknown name is answered."""

import pytest

import nn
from nn import MLP, fit, schedules
from nn.layers.activations import find_activation
from nn.layers.initialisers import find_initialiser
from nn.losses.metrics import find_metric
from nn.losses.named import find_loss
from nn.optimisers.named import find_optimiser
from nn.optimisers.schedules import find_schedule

X, Y = [[0.0], [1.0], [2.0], [3.0]], [1, -1, 1, 1]

SAME = [
    (find_loss, nn.mse_loss, "mse MSELoss mean_squared_error mean-squared-error l2"),
    (find_loss, nn.l1_loss, "l1 L1Loss mae mean_absolute_error"),
    (find_loss, nn.huber_loss, "huber HuberLoss smooth_l1 SmoothL1Loss"),
    (find_loss, nn.hinge_loss, "hinge Hinge max_margin"),
    (
        find_loss,
        nn.cross_entropy,
        "CrossEntropyLoss crossentropy ce softmax_cross_entropy",
    ),
    (
        find_loss,
        nn.binary_cross_entropy_with_logits,
        "bce_with_logits BCEWithLogitsLoss sigmoid_cross_entropy",
    ),
    (lambda name: find_metric(name)[1], nn.accuracy, "acc Accuracy accuracy_score"),
    (lambda name: find_metric(name)[1], nn.mean_absolute_error, "mae MAE l1"),
    (lambda name: find_metric(name)[1], nn.r2_score, "r2 R2 r2_score r_squared"),
    (find_activation, nn.relu, "ReLU RELU rectifier"),
    (find_activation, nn.leaky_relu, "LeakyReLU leaky-relu lrelu"),
    (find_activation, nn.silu, "swish Swish SiLU"),
    (find_activation, nn.sigmoid, "Sigmoid logistic expit"),
    (find_activation, nn.tanh, "Tanh"),
    (find_activation, nn.linear, "none Identity"),
    (find_optimiser, nn.SGD, "SGD gd gradient_descent"),
    (find_optimiser, nn.RMSprop, "RMSProp rms_prop rms"),
    (find_optimiser, nn.Adam, "Adam"),
    (find_optimiser, nn.AdamW, "AdamW adam_w"),
    (find_initialiser, nn.INITIALISERS["he_normal"], "HeNormal he-normal"),
    (find_initialiser, nn.INITIALISERS["zeros"], "zero Zeros"),
]


@pytest.mark.parametrize(
    ("find", "expected", "name"),
    [(find, thing, name) for find, thing, names in SAME for name in names.split()],
)
def test_names_that_mean_the_same(find, expected, name):
    assert find(name) is expected


NEAR = [
    (find_loss, "bce", "did you mean 'binary_cross_entropy_with_logits'.*sigmoid"),
    (find_loss, "BCELoss", "did you mean 'binary_cross_entropy_with_logits'"),
    (find_loss, "binary_crossentropy", "mean 'binary_cross_entropy_with_logits'"),
    (find_loss, "categorical_crossentropy", "did you mean 'cross_entropy'.*softmax"),
    (find_loss, "NLLLoss", "did you mean 'cross_entropy'.*log_softmax"),
    (find_loss, "rmse", "did you mean 'mse_loss'.*without a root"),
    (find_loss, "hinges", "known are mse_loss, .*did you mean 'hinge'"),
    (find_loss, "mean_square_error", "did you mean 'mean_squared_error'"),
    (find_metric, "accurracy", "did you mean 'accuracy'"),
    (find_metric, "mse", "did you mean metrics=nn.mse_loss"),
    (find_metric, "r2score_", None),
    (find_activation, "rele", "did you mean 'relu'"),
    (find_activation, "elu", "did you mean 'leaky_relu'"),
    (find_activation, "Softmax", "whole layer"),
    (find_activation, "tahn", "did you mean 'tanh'"),
    (find_optimiser, "adamant", "did you mean 'adam"),
    (find_optimiser, "momentum", r"nn\.SGD\(.*momentum=0\.9"),
    (find_optimiser, "nesterov", "nesterov=True"),
    (find_initialiser, "xavier", "did you mean 'xavier_"),
    (lambda name: find_schedule(name, 9), "cosin", "did you mean 'cosine'"),
    (lambda name: find_schedule(name, 9), "OneCycleLR", "did you mean 'cosine_warmup'"),
    (lambda name: find_schedule(name, 9), "zzz", "known are constant, .*epochs$"),
]


@pytest.mark.parametrize(("find", "name", "answer"), NEAR)
def test_names_that_are_nearly_known(find, name, answer):
    if answer is None:
        assert find(name)
        return
    with pytest.raises(ValueError, match=answer):
        find(name)


@pytest.mark.parametrize("name", ["mse", "hinge", "smooth_l1"])
@pytest.mark.parametrize("metric", ["acc", "accuracy", "Accuracy"])
def test_fit_takes_them_all(name, metric):
    model = MLP(1, [3, 1], "swish", seed=0)
    run = fit(model, X, Y, name, "RMSProp", epochs=2, metrics=metric, progress=False)
    again = MLP(1, [3, 1], nn.silu, seed=0)
    other = fit(
        again, X, Y, find_loss(name), "rmsprop", 2, metrics=metric, progress=False
    )
    assert run[metric] == other[metric]
    assert run.losses == other.losses


def test_the_threshold_of_scores_goes_with_every_name_of_accuracy():
    model = MLP(1, [1], seed=0)
    model.load_state_dict(dict.fromkeys(model.state_dict(), 0.25))
    run = fit(
        *(model, [[0.0], [0.5]], [1, 0], "bce_with_logits", "sgd", 1),
        lr=0.0,
        metrics=["acc", "accuracy"],
        progress=False,
    )
    assert run["acc"] == run["accuracy"] == [0.5]


FACTORS = [  # of a run of 10 epochs, at times 0, 1, 5 and 9.9
    ("constant", [1, 1, 1, 1]),
    ("linear", [1, 0.9, 0.5, 0.01]),
    ("cosine", [1, 0.9755282581475768, 0.5, 0.00024671981713422]),
    ("CosineAnnealingLR", [1, 0.9755282581475768, 0.5, 0.00024671981713422]),
    ("step", [1, 1, 0.1, 0.01]),
    ("exponential", [1, 0.01**0.1, 0.1, 0.01**0.99]),
    ("warmup", [0, 1, 1, 1]),
    ("warmup_linear", [0, 1, 5 / 9, 0.1 / 9]),
    ("cosine_warmup", [0, 1, 0.58682408883, 0.00030458649045]),
]


@pytest.mark.parametrize(("name", "factors"), FACTORS)
def test_schedules_by_name(name, factors):
    schedule = find_schedule(name, 10)
    found = [schedule(time) for time in (0, 1, 5, 9.9)]
    assert found == pytest.approx(factors, rel=1e-9)


@pytest.mark.parametrize("name", list(schedules.SCHEDULES))
@pytest.mark.parametrize("epochs", [1, 4])
def test_a_run_by_a_schedule(name, epochs):
    runs = []
    for schedule in (name, schedules.SCHEDULES[name](epochs)):
        model = MLP(1, [1], seed=0)
        settings = {"schedule": schedule, "batch_size": 2, "progress": False}
        runs.append(fit(model, X, Y, "mse", "sgd", epochs, **settings))
    assert runs[0] == runs[1]


def test_a_schedule_is_a_name_or_a_function():
    with pytest.raises(ValueError, match=r"schedule 'cosi': .*did you mean 'cosine'"):
        fit(MLP(1, [1]), X, Y, schedule="cosi", progress=False)
