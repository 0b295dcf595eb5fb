"""The computation graph as a picture: Values in, PNG, SVG, PDF or Graphviz source out.

Read ``diagram`` first (a graph as plain boxes and edges, its arrows named by
``marks``), then ``owners`` and ``collapse`` (many boxes become a readable few), ``dot``
(boxes become Graphviz's language; ``order`` keeps operands in theirs, ``caption``
stands below) and ``render``, the door. ``frames`` is a graph in motion and ``animate``
the door to it. Beside them ``labels`` makes any text safe,
``finite`` has the slopes by differences; ``picture`` draws with or without the ``dot``
program, with ``fonts`` of its own where there are none.
"""
