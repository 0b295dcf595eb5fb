"""Bulk programs to bulk programs, by the rules of the table.

In: a ``Bulk`` program. Out: the same with its gradient behind, or in simpler terms.

Read ``writer`` (numbers that stand for blocks: a rule run on them writes operations),
then ``adjoint`` (reverse mode on whole operations) with ``contributions`` (what a
cotangent is the sum of). ``lower`` takes apart what no machine knows by itself.
"""
