"""Losses, with PyTorch's names and meanings; and metrics.

Predictions and targets are sequences of numbers, or of rows; ``reduction`` is "mean",
"sum" or "none" (a list with the loss of each element). All raise ShapeError when
predictions and targets differ in length (naming both), DataError when there are none or
a target is NaN (naming its index), ValueError for another reduction. Predictions may be
floats too: the loss is then a float.

``amounts`` are regressed upon, ``classes`` told apart; ``reductions`` is what both end
in, ``named`` what a name stands for. ``metrics`` say how good predictions are.
"""
