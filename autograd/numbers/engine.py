"""The engine of eager nodes that is in use: the accelerator in C, or the one in Python.

Both offer a base class ``Node`` that holds what a node holds and computes with it, and
``complete``, which gives ``Value``, derived from it, the class of interior nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd.native import EXTENSION

if TYPE_CHECKING or EXTENSION is None:
    from autograd.numbers.eager import Node, complete
    from autograd.numbers.layers import affine_nodes
else:
    from autograd.numbers.accelerated import Node, affine_nodes, complete

__all__ = ["Node", "affine_nodes", "complete"]
