"""Formulas as mathematicians write them: operations, derivatives, whole graphs.

``notation`` says how each operation is written; ``trees`` hands the table's partial
derivatives over to pages, which write MathML themselves.
"""
