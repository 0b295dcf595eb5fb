"""Formulas as mathematicians write them: operations, derivatives, whole graphs.

``notation`` says how each operation is written, ``trees`` what its partial derivatives
are (for pages too, which write by themselves). ``written`` puts formulas together as
LaTeX or MathML; ``derivation`` does it for a graph: its value, its derivatives, and all
their numbers.
"""
