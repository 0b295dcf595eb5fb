"""Whichever number flows through a row decides what is computed.

In: rows of the table. Out: numbers with operators, and functions of them.

Read ``value`` first (a node of the graph, level 0), with ``operators`` (Python's and
NumPy's names, read off the table), ``eager`` (how operations make nodes) and ``layers``
(neurons that share inputs); ``engine`` chooses them or ``accelerated``, the same in C.
``lifted`` and ``dual`` are the nodes and duals of transforms, ``symbolic`` formulas,
``arrays`` and ``grids`` batches and object arrays. ``functions``, ``affine`` and
``gather`` are composed of rows; ``persistence`` copies and pickles graphs.
"""
