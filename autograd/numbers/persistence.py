"""Copies and pickles of graphs of any depth, in O(n), without recursion.

Pickle recurses through what an object refers to. So a node is not pickled with its
operands: it refers to a *block*, one flat list of all nodes below it, operands first.
In a block a node is named by its *reference*, which unpickles to the empty node itself.
References live as long as the pickler that wrote them, so nodes shared by several
objects in one pickle stay shared, and each is written once. Each thread knows its own.

A leaf with nothing but plain attributes needs none of this: it is pickled by itself, as
any object is, which is what makes large models cheap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import ref

from autograd.errors import GraphError
from autograd.graph.nodes import topological_order
from autograd.numbers.engine import Node as Base

Node = Any
_FIELDS = ("_number", "grad", "_primitive", "_numbers")
_SEEN = "autograd: nodes copied already"


def new_node(kind: type) -> Node:
    """An empty node, to be filled in."""
    return Base.__new__(kind)


def _clone(node: Node) -> Node:
    """A node with the same fields and operands, attributes aside."""
    copy = Base.__new__(type(node))
    for field in (*_FIELDS, "_operands"):
        setattr(copy, field, getattr(node, field, None))
    return copy


def shallow_copy(node: Node) -> Node:
    """A node with the same operands, data, gradient and attributes."""
    copy = _clone(node)
    if node.__dict__:
        copy.__dict__.update(node.__dict__)
    return copy


def deep_copy(root: Node, memo: dict[Any, Any]) -> Node:
    """The whole graph below root, copied; sharing is kept through ``memo``."""
    from copy import deepcopy

    seen = memo.setdefault(_SEEN, set())
    nodes = _reachable(root, seen)
    for node in nodes:
        memo[id(node)] = copy = _clone(node)
        if node._primitive is None:
            continue
        _refuse_closure(node)
        copy._operands = _renamed(node._operands, memo)
    for node in nodes:
        if node.__dict__:
            memo[id(node)].__dict__.update(deepcopy(node.__dict__, memo))
    return memo[id(root)]


def _renamed(operands: Any, memo: dict[Any, Any]) -> Any:
    """The copies of operands, in the same groups."""
    if type(operands) is tuple:
        return tuple([_renamed(p, memo) for p in operands])
    return memo.get(id(operands), operands)


def _reachable(root: Node, seen: set[Any]) -> list[Node]:
    """All unseen nodes below root, and below the Values in their attributes."""
    nodes: list[Node] = []
    roots = [root]
    while roots:
        interior, leaves = topological_order(*roots, known=seen)
        new = leaves + interior
        seen.update(new)
        nodes += new
        roots = [
            thing
            for node in new
            if node.__dict__
            for thing in node.__dict__.values()
            if getattr(type(thing), "level", None) == 0
        ]
    return nodes


def _refuse_closure(node: Node) -> None:
    if node._primitive.push:
        raise GraphError(
            f"operation {node._primitive.name!r} was made by hand, and its closure "
            f"belongs to this graph: it cannot be copied or pickled. Write it as a "
            f"Primitive."
        )


_PLAIN = {str, int, float, bool, type(None)}


def _is_simple(node: Node) -> bool:
    """Whether a node is a leaf from which nothing leads on."""
    if not node._is_leaf or type(node.grad) is not float:
        return False
    attributes = node._attributes
    return not attributes or {*map(type, attributes.values())} <= _PLAIN


def leaf(kind: type, number: float, grad: float, attributes: Any) -> Node:
    """Unpickling: a leaf with plain attributes; the label alone, if that is all."""
    node: Node = Base.__new__(kind)
    Base.__init__(node, number)
    node.grad = grad
    if type(attributes) is str:
        node.__dict__["label"] = attributes
    elif attributes:
        node.__dict__.update(attributes)
    return node


class _Reference:
    """Stands for a node in a pickle; loads as the empty node itself."""

    __slots__ = ("__weakref__", "block", "node")

    def __init__(self, node: Node, block: _Block) -> None:
        self.node, self.block = node, block

    def __reduce__(self) -> Any:
        kind = type(self.node)
        return new_node, (getattr(kind, "written_as", kind),)


class _Session:
    """The references of the picklers under way, by the identity of their nodes.

    Blocks own it, so that it lives as long as some reference does.
    """

    def __init__(self) -> None:
        self.references: dict[int, ref[_Reference]] = {}


class _Thread(threading.local):
    """The session of this thread, if there is one."""

    session: Callable[[], _Session | None] = staticmethod(lambda: None)


_THREAD = _Thread()


def _reference_of(node: Any) -> _Reference | None:
    session = _THREAD.session()
    weak = session.references.get(id(node)) if session else None
    reference = weak() if weak else None
    return reference if reference is not None and reference.node is node else None


class _Visited(set[Any]):
    """Nodes not to visit: marks, nodes met, those with a reference, simple leaves."""

    def __contains__(self, node: object) -> bool:
        if super().__contains__(node) or _reference_of(node) is not None:
            return True
        return isinstance(node, Base) and _is_simple(node)


class _Block:
    """The nodes below a root that no other block holds, written as columns."""

    def __init__(self, session: _Session) -> None:
        self.session = session
        self.references: list[_Reference] = []

    def __getstate__(self) -> Any:
        nodes = [reference.node for reference in self.references]
        others: dict[
            _Block, None
        ] = {}  # of all references that are named, when they are
        columns = [[getattr(node, field, None) for node in nodes] for field in _FIELDS]
        operands = [_reference(node._operands, others) for node in nodes]
        attributes = [
            {key: _reference(thing, others) for key, thing in node.__dict__.items()}
            or None
            for node in nodes
        ]
        others.pop(self, None)
        return list(others), self.references, columns, operands, attributes

    def __setstate__(self, state: Any) -> None:
        _, nodes, columns, operands, attributes = state
        for field, column in zip(
            (*_FIELDS, "_operands"), (*columns, operands), strict=True
        ):
            for node, entry in zip(nodes, column, strict=True):
                setattr(node, field, entry)
        for node, own in zip(nodes, attributes, strict=True):
            if own:
                node.__dict__.update(own)


def _reference(operand: Any, blocks: dict[_Block, None]) -> Any:
    """The reference of an operand (or of each in a tuple); marks stay themselves.

    A reference may be gone at the next look, or there, when the collector has run.
    """
    if type(operand) is tuple:
        return tuple([_reference(p, blocks) for p in operand])
    reference = _reference_of(operand)
    if reference is None:
        return operand
    blocks[reference.block] = None
    return reference


def _load(node: Node, block: Any) -> Node:
    """Unpickling: the node, whose block has been or is being filled."""
    return node


def reduce(root: Node) -> Any:
    """Pickle: the root by its reference, and the block with everything below it."""
    if _is_simple(root):
        kind = type(root)
        kind = getattr(kind, "written_as", kind)
        attributes = root._attributes
        if attributes:
            alone = len(attributes) == 1 and attributes.get("label")
            attributes = alone or dict(attributes)
        return leaf, (kind, root._number, root.grad, attributes)
    reference = _reference_of(root)
    if reference is None:
        session = _THREAD.session() or _Session()
        _THREAD.session = ref(session)
        block = _Block(session)
        nodes = _reachable(root, _Visited())
        for node in nodes:
            if node._primitive is not None:
                _refuse_closure(node)
        block.references = [_Reference(node, block) for node in nodes]
        session.references.update({id(one.node): ref(one) for one in block.references})
        reference = _reference_of(root)
        assert reference is not None
    return _load, (reference, reference.block)
