"""Losses of classes: how far scores are from telling them apart."""

from __future__ import annotations

from collections.abc import Callable
from math import fsum
from typing import Any

import autograd
from autograd import DataError, ShapeError, relu, softplus, where
from autograd.table.reals import short
from nn import validation
from nn.losses.reductions import reduced
from nn.validation import elements, is_sequence, pairs

Number = Any
_ROUNDING = 1e-5  # of probabilities in single precision


def _allowed(
    pairs: list[tuple[Number, Number]], allowed: Callable[[float], bool], rule: str
) -> list[tuple[Number, Number]]:
    for i, (_, target) in enumerate(pairs):
        if not (_unknown(target) or allowed(target)):
            raise DataError(f"target {i} is {short(target)}: {rule}")
    return pairs


def hinge_loss(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """The max-margin loss: relu(1 - t * score), for targets -1 and 1.

    Raises DataError for another target.

    >>> hinge_loss([0.5, 3.0], [1, 1], reduction="none")
    [0.5, 0.0]
    """
    signs, rule = (-1.0, 1.0), "hinge_loss needs targets -1 and 1"
    found = _allowed(pairs(scores, targets), lambda t: t in signs, rule)
    return reduced([relu(1.0 - t * s) for s, t in found], reduction)


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
    return reduced(losses, reduction)


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
    return reduced(losses, reduction)


def _negative_log_likelihood(logits: list[Number], target: Any, i: int) -> Number:
    if len(logits) == 1:
        raise _one_logit(f"row {i} has one logit")
    total = autograd.logsumexp(logits)
    whole = type(target) is int  # the usual target
    if not whole and _unknown(target):
        return total - autograd.take(logits, target)
    if whole or not is_sequence(target):
        return total - logits[validation.class_index(target, len(logits), i)]
    probabilities = elements("targets", target)
    if len(probabilities) != len(logits):
        raise ShapeError(
            f"target {i} has {len(probabilities)} probabilities, and the row "
            f"{len(logits)} logits: give one for each logit"
        )
    if any(map(_unknown, probabilities)):
        chosen = zip(logits, probabilities, strict=True)
        return autograd.sum([where(p == 0.0, 0.0, p * (total - x)) for x, p in chosen])
    ps = [float(p) for p in probabilities]
    if min(ps) < 0.0 or abs(fsum(ps) - 1.0) > _ROUNDING:
        raise DataError(f"target {i} is {ps}: probabilities must be >= 0 and sum to 1")
    chosen = zip(logits, ps, strict=True)
    return autograd.sum([p * (total - x) for x, p in chosen if p != 0.0])


def _unknown(target: Any) -> bool:
    """Whether a target has no value yet, as in code that is being compiled."""
    return getattr(target, "level", 0) > 0


def _one_logit(what: str) -> ShapeError:
    return ShapeError(
        f"{what}, and cross_entropy compares two or more of each sample: use "
        f"binary_cross_entropy_with_logits for one"
    )
