"""How LLVM evaluates the rows of the table, 1, 2, 4 or 8 doubles at a time.

In: a row's name. Out: lines of IR over vectors.

Read ``lanes`` (a builder of lines), ``value`` (its names with operators) and then any
family: ``elementary``, ``exponential`` (with logarithms and powers),
``trigonometry``, ``special``; their ``coefficients`` are minimax polynomials.
``table`` is the list of all.
"""
