"""The embedded machine: a bulk program as calls of numpy.

In: a ``Bulk`` program and its layout. Out: a machine that runs on one memory.

Read ``machine``; ``memory`` says how numpy sees streams of numbers (views or
gathers), ``products`` finds matrix products in sums, ``rows`` knows folds, choices
and steps of loops over time.
"""
