"""Bulk operations as loops of machine code.

In: bulk operations. Out: IR in one function, and calls of kernels.

Read ``fusion`` (which operations share a loop), ``context`` (what the writers share)
and ``loops``; ``elementwise`` is the body of any loop, ``steps`` a loop over time,
``calls`` matches sums of many terms to the kernels.
"""
