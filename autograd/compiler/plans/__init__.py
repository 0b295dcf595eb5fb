"""A plan: how to compute a function for one structure of its arguments.

In: a function, arguments and settings. Out: numbers in, sections of results out.

Read ``plan`` (trace, bulk, adjoint, machine, and back to the caller's containers),
then ``executor`` (which machine, and a memory for each running thread),
``derivatives`` (what a gradient, a Hessian or their product adds), ``signature``
(which arguments move).
"""
