"""A function runs once, on tracers; what they write down is a program.

In: a function and its arguments. Out: a ``Program``, instructions on scalars.

Read ``program``, then ``tracer`` (numbers that write down what is done with them, in
the lists of a ``tape``) and ``trace`` (the run). ``arguments`` takes a call's arguments
apart and selects what is compiled; ``vmap`` lets a dimension of a batch stream through;
``optimise`` folds, shares and prunes.
"""
