"""Estimators of scikit-learn: networks that pipelines, searches and scores can use.

Tables and labels enter as scikit-learn takes them; predictions leave as arrays. Inside
stands an ``MLP`` that ``fit`` trains, on columns of mean 0 and deviation 1.

Read ``network`` first (what both estimators share: settings, training), then
``classifier`` (labels, classes, probabilities) and ``regressor`` (targets in their own
units). ``missing`` stands in for both where scikit-learn is not installed, and says so
when one is made.
"""

try:
    from nn.estimators.classifier import Classifier
    from nn.estimators.regressor import Regressor
except ImportError as _cause:
    from nn.estimators.missing import stand_in

    Classifier = stand_in("Classifier", _cause)  # type: ignore[misc, assignment]
    Regressor = stand_in("Regressor", _cause)  # type: ignore[misc, assignment]

__all__ = ["Classifier", "Regressor"]
