"""Losses, with PyTorch's names and meanings.

Predictions and targets are sequences of numbers, or of rows; ``reduction`` is "mean",
"sum" or "none" (a list with the loss of each element). All raise ShapeError when
predictions and targets differ in length (naming both), DataError when there are none or
a target is NaN (naming its index), ValueError for another reduction. Predictions may be
floats too: the loss is then a float.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from typing import Any

import autograd
from autograd import DataError, ShapeError, absolute, relu, softplus, where
from autograd.table.primitives import less
from autograd.table.reals import short
from nn import validation
from nn.names import lookup
from nn.validation import elements, is_sequence, pairs

Number = Any
Loss = Callable[[Any, Any], Any]

_REDUCTIONS: dict[str, Callable[[list[Number]], Any]] = {
    "mean": autograd.mean,
    "sum": autograd.sum,
    "none": list,
}
_ROUNDING = 1e-5  # of probabilities in single precision


def _reduce(losses: list[Number], reduction: str) -> Any:
    if reduction not in _REDUCTIONS:
        raise ValueError(
            f"reduction must be {', '.join(map(repr, _REDUCTIONS))}, got "
            f"{short(reduction)}"
        )
    return _REDUCTIONS[reduction](losses)


def _allowed(
    pairs: list[tuple[Number, Number]], allowed: Callable[[float], bool], rule: str
) -> list[tuple[Number, Number]]:
    for i, (_, target) in enumerate(pairs):
        if not (_unknown(target) or allowed(target)):
            raise DataError(f"target {i} is {short(target)}: {rule}")
    return pairs


def mse_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The squared errors: (p - t)^2.

    >>> mse_loss([1.0, 4.0], [1.0, 2.0])
    2.0
    """
    errors = [p - t for p, t in pairs(predictions, targets)]
    return _reduce([e * e for e in errors], reduction)


def l1_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The absolute errors: |p - t|, with gradient 0 where they vanish.

    >>> l1_loss([1.0, 4.0], [1.0, 2.0])
    1.0
    """
    errors = [p - t for p, t in pairs(predictions, targets)]
    return _reduce([absolute(e) for e in errors], reduction)


def huber_loss(
    predictions: Any, targets: Any, reduction: str = "mean", delta: float = 1.0
) -> Any:
    """Half the squared error up to delta, delta * (|p - t| - delta / 2) beyond.

    Raises ValueError unless delta > 0.

    >>> huber_loss([1.0, 4.0], [0.5, 2.0], reduction="none")
    [0.125, 1.5]
    """
    validation.positive("delta", delta)
    losses = []
    for p, t in pairs(predictions, targets):
        error = absolute(p - t)
        quadratic, straight = 0.5 * error * error, delta * (error - 0.5 * delta)
        losses.append(where(less(error, delta), quadratic, straight))
    return _reduce(losses, reduction)


def hinge_loss(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """The max-margin loss: relu(1 - t * score), for targets -1 and 1.

    Raises DataError for another target.

    >>> hinge_loss([0.5, 3.0], [1, 1], reduction="none")
    [0.5, 0.0]
    """
    signs, rule = (-1.0, 1.0), "hinge_loss takes targets -1 and 1"
    found = _allowed(pairs(scores, targets), lambda t: t in signs, rule)
    return _reduce([relu(1.0 - t * s) for s, t in found], reduction)


def binary_cross_entropy_with_logits(
    logits: Any, targets: Any, reduction: str = "mean"
) -> Any:
    """-t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), for probabilities t.

    Accurate for logits of any size. Raises DataError for a target outside [0, 1].

    >>> binary_cross_entropy_with_logits([1000.0, -1000.0], [1, 1], reduction="none")
    [0.0, 1000.0]
    """
    rule = "a probability lies in [0, 1]"
    losses = []
    for x, t in _allowed(pairs(logits, targets), lambda t: 0.0 <= t <= 1.0, rule):
        if _unknown(t):
            false, true = softplus(x), softplus(-x)
            between = t * true + (1.0 - t) * false
            losses.append(where(t == 0.0, false, where(t == 1.0, true, between)))
        elif t == 0.0 or t == 1.0:  # the other term is 0 even for an infinite logit
            losses.append(softplus(-x if t == 1.0 else x))
        else:
            losses.append(t * softplus(-x) + (1.0 - t) * softplus(x))
    return _reduce(losses, reduction)


def cross_entropy(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """-log(softmax(logits)[target]): for one row of logits, or for many.

    Parameters
    ----------
    logits : a row of one number for each class, or a sequence of rows.
    targets : for each row the index of its class, or its row of class probabilities
        (of many rows; for one, write ``[logits], [probabilities]``).
    reduction : over the rows: "mean", "sum" or "none".

    A logit of -inf (an excluded class) is fine where it is not the target. Raises
    DataError for an index that is no class and for probabilities that do not sum to 1,
    ShapeError for rows of one logit; otherwise as all losses.

    >>> cross_entropy([1000.0, -1000.0], 0), cross_entropy([1000.0, -1000.0], 1)
    (0.0, 2000.0)
    """
    samples = elements("logits", logits)
    if samples and not is_sequence(samples[0]):
        if is_sequence(targets):
            raise _one_logit(f"{len(samples)} single logits with a list of targets")
        samples, targets = [samples], [targets]
    samples, labels = validation.matched("logits", samples, targets)
    losses = [
        _negative_log_likelihood(elements("logits", sample), label, i)
        for i, (sample, label) in enumerate(zip(samples, labels, strict=True))
    ]
    return _reduce(losses, reduction)


def _negative_log_likelihood(logits: list[Number], target: Any, i: int) -> Number:
    if len(logits) == 1:
        raise _one_logit(f"row {i} has one logit")
    total = autograd.logsumexp(logits)
    if _unknown(target):
        return total - autograd.take(logits, target)
    if not is_sequence(target):
        return total - logits[validation.class_index(target, len(logits), i)]
    probabilities = elements("targets", target)
    if len(probabilities) != len(logits):
        raise ShapeError(
            f"target {i} has {len(probabilities)} probabilities, and the row "
            f"{len(logits)} logits"
        )
    if any(map(_unknown, probabilities)):
        chosen = zip(logits, probabilities, strict=True)
        return autograd.sum([where(p == 0.0, 0.0, p * (total - x)) for x, p in chosen])
    ps = [float(p) for p in probabilities]
    if min(ps) < 0.0 or abs(fsum(ps) - 1.0) > _ROUNDING:
        raise DataError(f"target {i} is {ps}: probabilities are >= 0 and sum to 1")
    chosen = zip(logits, ps, strict=True)
    return autograd.sum([p * (total - x) for x, p in chosen if p != 0.0])


def _unknown(target: Any) -> bool:
    """Whether a target has no value yet, as in code that is being compiled."""
    return getattr(target, "level", 0) > 0


def _one_logit(what: str) -> ShapeError:
    return ShapeError(
        f"{what}: with one logit for each sample use binary_cross_entropy_with_logits; "
        f"cross_entropy compares two or more logits of each"
    )


@dataclass(frozen=True)
class Weighted:
    """The mean of a loss over samples, each times its weight, which ends its target.

    >>> Weighted(mse_loss)([1.0, 4.0], [[1.0, 0.5], [2.0, 1.5]])
    3.0
    """

    loss: Loss

    def __call__(self, outputs: Any, targets: Any) -> Any:
        terms = []
        for output, (*target, weight) in zip(outputs, targets, strict=True):
            single = target[0] if len(target) == 1 else target
            terms.append(weight * self.loss([output], [single]))
        return autograd.mean(terms)


LOSSES: dict[str, Loss] = {
    "mse_loss": mse_loss,
    "l1_loss": l1_loss,
    "huber_loss": huber_loss,
    "hinge_loss": hinge_loss,
    "cross_entropy": cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
}


_ALSO = {
    "mse_loss": "mse mean_squared_error squared_error l2 l2_loss quadratic",
    "l1_loss": "l1 mae mae_loss mean_absolute_error absolute_error",
    "huber_loss": "huber smooth_l1 smooth_l1_loss",
    "hinge_loss": "hinge max_margin margin svm",
    "cross_entropy": "ce xent cross_entropy_loss cross_entropy_with_logits "
    "softmax_cross_entropy softmax_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits": "bce_with_logits bce_with_logits_loss "
    "sigmoid_cross_entropy sigmoid_cross_entropy_with_logits "
    "binary_cross_entropy_with_logits_loss",
}
_LOGITS = "It takes a model's outputs as they are, without {} at the end"
_NEAR = {
    "bce bce_loss binary_cross_entropy log_loss logistic logistic_loss": (
        "'binary_cross_entropy_with_logits'",
        _LOGITS.format("a sigmoid"),
    ),
    "nll nll_loss negative_log_likelihood categorical_cross_entropy "
    "sparse_categorical_cross_entropy": (
        "'cross_entropy'",
        _LOGITS.format("softmax or log_softmax"),
    ),
    "kl_div kl_div_loss kullback_leibler_divergence": (
        "'cross_entropy'",
        "It takes rows of probabilities too, and differs by their entropy",
    ),
    "rmse root_mean_squared_error": ("'mse_loss'", "It is the square, without a root"),
    "squared_hinge": ("'hinge_loss'", "It is not squared"),
    "log_cosh": ("'huber_loss'", "It has much the same curve"),
}


def find_loss(loss: str | Loss) -> Loss:
    """The loss of a name, ``_loss`` left out or not; a callable as it is.

    Other usual names are known too; see ``names``.

    >>> find_loss("mean_squared_error").__name__, find_loss("CrossEntropyLoss").__name__
    ('mse_loss', 'cross_entropy')
    """
    others = "any function (outputs, targets) -> Value; _loss may be left out"
    return lookup("loss", loss, LOSSES, others, _ALSO, _NEAR)
