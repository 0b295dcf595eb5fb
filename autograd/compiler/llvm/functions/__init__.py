"""How LLVM evaluates primitives, 1, 2, 4 or 8 doubles at a time.

In: a primitive's name. Out: lines of IR over vectors.

Read ``lanes`` (a builder of lines, and its values with operators) and then any family:
``exponential`` (with logarithms and powers), ``trigonometry``, ``special``; their
``coefficients`` are minimax polynomials. ``table`` lists them all, and has those of a
few instructions.
"""
