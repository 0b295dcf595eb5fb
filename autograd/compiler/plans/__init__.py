"""A plan: how to compute a function for one structure of its arguments.

In: a function, arguments and settings. Out: numbers in, sections of results out.

Read ``plan`` (trace, bulk, adjoint, machine), then ``inputs`` (where a program's
inputs come from) and ``derivatives`` (what is traced for a gradient or a Hessian, and
how its results are put together). ``executor`` chooses a machine, with a memory for
each running thread; ``signature`` says which arguments select a plan; ``nodes`` are
results that stay in the graph; ``buffers`` is ``out=``.
"""
