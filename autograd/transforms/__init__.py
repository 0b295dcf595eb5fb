"""Functions in, derivative functions out; any nesting, any order.

Read ``tree`` (numbers in containers) and ``gradients`` (grad, jvp, vjp) first, then
``jacobians`` (whole matrices, products with them), ``sparse`` (which entries are not
0, and how few passes find them), ``costs`` (said beforehand) and ``checkpoint``.
"""
