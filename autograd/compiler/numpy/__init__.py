"""The embedded machine: a bulk program as calls of numpy.

In: a ``Bulk`` program and its layout. Out: a machine that runs on one memory.

Read ``machine``; ``memory`` says how numpy sees streams of numbers (views or gathers)
and makes one function of all steps, ``sums`` finds matrix products in sums,
``primitives`` knows folds, steps, choices and scans.
"""
