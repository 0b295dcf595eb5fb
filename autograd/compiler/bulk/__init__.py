"""A scalar program becomes a handful of operations on index arrays.

In: a ``Program``. Out: a ``Bulk`` program, verified, and addresses for its numbers.

Read ``bulk`` (the three operations), then the way there: ``reassociate`` (chains of
sums become one), ``isomorphism`` (what is computed alike; steps of a recurrence),
``reroll`` (one operation for each class). ``nests`` finds loops in index arrays,
``layout`` gives numbers their addresses and says what a machine is.
"""
