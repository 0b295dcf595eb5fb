"""Classifier: labels in, labels and probabilities out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from autograd import DataError
from autograd.table.reals import short
from nn.datasets.scaling import Floats
from nn.estimators.network import Network, answering, checked_weights
from nn.losses.classes import binary_cross_entropy_with_logits, cross_entropy
from nn.losses.named import Loss


@answering
@dataclass(eq=False, repr=False)
class Classifier(ClassifierMixin, Network):
    """A network that tells classes apart, as an estimator of scikit-learn.

    Parameters
    ----------
    hidden : the widths of the hidden layers; () for a linear model.
    activation, init : of the network, see ``nn.MLP``.
    loss : None for the cross-entropy. Else a name in ``nn.LOSSES``, or a function
        ``(outputs, targets) -> Value``: of one logit and 0 or 1 for two classes, of a
        row of logits and the class's number for more.
    optimiser : a name in ``nn.OPTIMISERS``, or what makes an optimiser of parameters.
    lr, weight_decay : the optimiser's; None for its own default.
    schedule : time in epochs -> factor on the learning rate, see ``nn.schedules``.
    epochs, batch_size : as in ``nn.fit``; a ``batch_size`` of None takes all samples.
    validation : the share of the samples of each class to hold out.
    patience : stop after so many epochs without a lower validation loss, and go back to
        the best epoch.
    standardise : give the network columns of mean 0 and deviation 1.
    warm_start : ``fit`` goes on from where the last one ended; what standardises the
        inputs stays.
    random_state : an int for the same result every time; or None, or a RandomState.
    compile, progress : as in ``nn.fit``.
    class_weight : {label: weight}, or "balanced" for the same total of every class.

    Attributes
    ----------
    classes_ : the labels, sorted, (classes,).
    model_ : the ``nn.MLP``; one output for two classes, else one for each.
    history_ : the ``nn.History`` of the last call of ``fit`` or ``partial_fit``.
    loss_ : the training loss of its last epoch, or of the one gone back to.
    n_iter_ : the number of epochs since the weights were drawn.
    n_features_in_, feature_names_in_ : of the table; names if its columns have some.

    >>> from nn import Classifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> model = Classifier((4,), epochs=100, lr=0.1, random_state=0).fit(X, y)
    >>> model.predict([[-1.0], [4.0]]).tolist(), model.score(X, y)
    (['low', 'high'], 1.0)
    """

    class_weight: Mapping[Any, float] | str | None = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Classifier:
        """Learn from X (samples, features) and labels y (samples,): the estimator.

        A sample of weight 2 counts as two. Raises ValueError for what is empty or not
        finite, for lengths that do not fit, targets that are no classes, fewer than two
        of them, and settings that make no sense; TypeError for a sparse matrix.
        """
        again = self._goes_on()
        X, y = self._checked(X, y, reset=not again)
        check_classification_targets(y)
        classes: NDArray[Any] = np.unique(y)
        if len(classes) < 2:
            raise DataError(
                f"y has 1 class, {short(classes.tolist()[0])}: a classifier needs two "
                f"or more"
            )
        if again and not np.array_equal(classes, self.classes_):
            raise DataError(
                f"warm_start goes on with the classes {_named(self.classes_)}, and y "
                f"has {_named(classes)}: give the same classes, or set "
                "warm_start=False to begin anew"
            )
        balanced = self._balanced(X, y, sample_weight)
        X, y, weights = self._weighed(X, y, balanced, total=True)
        if not again:
            self._begin(X, weights, _width(classes))
            self.classes_: NDArray[Any] = classes
        self._learn_all(X, self._numbers(y), weights, self._loss)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Classifier:
        """Go once through more samples; the first call names all ``classes``.

        What standardises the inputs is taken from the first call's. Nothing is held
        out, and no schedule asked. Weights count as they are. Raises ValueError
        as ``fit`` does, and for labels that are not among the classes, other classes
        than before, and ``class_weight="balanced"``, which needs all samples at once.
        """
        first = not hasattr(self, "model_")
        X, y = self._checked(X, y, reset=first)
        check_classification_targets(y)
        known = self._known_classes(classes)
        unknown = np.setdiff1d(y, known)
        if len(unknown):
            raise DataError(
                f"y has labels that are not among the classes: {_named(unknown)}; the "
                f"classes are {_named(known)}: give all of them in classes= at the "
                "first call"
            )
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all samples at once: give "
                f"{{label: weight}} for partial_fit"
            )
        balanced = self._balanced(X, y, sample_weight)
        X, y, weights = self._weighed(X, y, balanced, total=False)
        if first:
            self._begin(X, weights, _width(known))
            self.classes_ = known
        self._learn_once(X, self._numbers(y), weights, self._loss)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest label of each row of X (samples, features): (samples,).

        Raises NotFittedError before ``fit``, ValueError for another number of features
        or numbers that are not finite.
        """
        scores = self.decision_function(X)
        most = scores.argmax(axis=1) if scores.ndim == 2 else (scores > 0.0).astype(int)
        return np.asarray(self.classes_[most])

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, in the order of ``classes_``.

        X (samples, features) gives (samples, classes). Raises as ``predict`` does.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros(len(scores)), scores])
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        found: Floats = powers / powers.sum(axis=1, keepdims=True)
        return found

    def decision_function(self, X: Any) -> Floats:
        """The logits: (samples, classes); of two classes the second's, (samples,).

        Raises as ``predict`` does.
        """
        return self._outputs(X)

    @property
    def _loss(self) -> str | Loss:
        if self.loss is not None:
            return self.loss
        two = _width(self.classes_) == 1
        return binary_cross_entropy_with_logits if two else cross_entropy

    def _balanced(self, X: Floats, y: NDArray[Any], sample_weight: Any) -> Any:
        """The samples' weights times those of their classes."""
        if self.class_weight is None:
            return sample_weight
        balance = compute_sample_weight(self.class_weight, y)
        if sample_weight is None:
            return balance
        return checked_weights(sample_weight, X) * balance

    def _numbers(self, y: NDArray[Any]) -> NDArray[Any]:
        """Each label's place among the classes."""
        return np.searchsorted(self.classes_, y)

    def _known_classes(self, classes: Any) -> NDArray[Any]:
        """All classes, as the first call of ``partial_fit`` gives them."""
        given = None if classes is None else np.unique(classes)
        if hasattr(self, "model_"):
            if given is not None and not np.array_equal(given, self.classes_):
                raise ValueError(
                    f"classes={_named(given)} is not the same as before: "
                    f"{_named(self.classes_)}: leave classes= out of later calls"
                )
            return np.asarray(self.classes_)
        if given is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all labels "
                "that later calls may have"
            )
        if len(given) < 2:
            raise DataError("classes has 1 class: a classifier needs two or more")
        return given


def _width(classes: NDArray[Any]) -> int:
    """The number of outputs: one logit is enough for two classes."""
    return 1 if len(classes) == 2 else len(classes)


def _named(classes: NDArray[Any]) -> str:
    shown = ", ".join([short(label) for label in classes.tolist()[:5]])
    return f"{shown}, ..." if len(classes) > 5 else shown
