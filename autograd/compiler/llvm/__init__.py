"""The fast machines: a bulk program as machine code.

In: a ``Bulk`` program. Out: a machine that runs on memories, or on arrays of a batch.

The folders come first: ``functions`` (vector mathematics), ``kernels`` (contractions),
``loops`` (fused loops). ``backend`` puts them together, ``engine`` compiles the text,
``cache`` keeps it on disk. ``machines`` says which kind of machine runs a program;
programs of special form have kinds of their own: ``tables`` irregular ones; those over
a batch run in ``stages``, small ones ``straight`` in registers, large ones ``blocked``.
"""
