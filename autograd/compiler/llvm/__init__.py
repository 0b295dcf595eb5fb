"""The fast machines: a bulk program as machine code.

In: a ``Bulk`` program. Out: a machine that runs on memories, or on arrays of a batch.

The folders come first: ``functions`` (vector mathematics), ``kernels``
(contractions), ``loops`` (fused loops). ``backend`` puts them together, ``engine``
compiles the text and ``cache`` keeps it on disk. Programs of special form have
machines of their own: ``tables`` irregular ones, ``straight`` (with ``rows``) small
ones over a batch, ``blocked`` large ones.
"""
