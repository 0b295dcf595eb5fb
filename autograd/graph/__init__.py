"""The computation graph: nodes, walks over them, and the chain rule backwards.

In: nodes, known here by their attributes. Out: an order of visits, and cotangents.

Read ``nodes`` (how a node holds its operands) and ``reverse`` (the chain rule, in any
kind of number) first. ``sweep`` is the same for floats, in place, fast, with the
``partials`` of each row on floats; ``strong``
the product in which an exact 0 wins; ``modes`` switches what new nodes do;
``handmade`` takes nodes that a program has built by itself, as in lectures.
"""
