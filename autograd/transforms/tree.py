"""Trees: numbers in lists, tuples, dicts, arrays and modules, flattened and rebuilt.

A module takes part by a protocol: ``__tree_flatten__()`` returns its numbers and a
function that puts new ones in their place; ``__tree_key__()``, where there is one, what
is equal as long as its structure is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from autograd.errors import ShapeError
from autograd.table.reals import short

Tree = Any
Rebuild = Callable[[Iterable[Any]], Tree]


def flatten(tree: Tree, as_floats: bool = False) -> tuple[list[Any], Rebuild]:
    """The numbers of a tree in order, and the function that builds one like it.

    Dicts keep their own order; arrays come back as arrays of the same shape.
    ``rebuild`` raises ShapeError when it is given another number of leaves. A module's
    numbers are its parameters; with ``as_floats`` their data.

    >>> leaves, rebuild = flatten({"w": [1.0, 2.0], "b": 3.0})
    >>> leaves
    [1.0, 2.0, 3.0]
    >>> rebuild([4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': 6.0}
    """
    leaves: list[Any] = []
    build = _walk(tree, leaves, as_floats)
    count = len(leaves)

    def rebuild(new: Iterable[Any]) -> Tree:
        new = list(new)
        if len(new) != count:
            raise ShapeError(
                f"the tree has {count} leaves, got {len(new)}: give one for each leaf"
            )
        return build(iter(new))

    return leaves, rebuild


def _walk(
    tree: Tree, leaves: list[Any], as_floats: bool = False
) -> Callable[[Any], Tree]:
    if type(tree) is float or type(tree) is int:  # most are
        leaves.append(tree)
        return next
    if hasattr(tree, "__tree_flatten__"):
        own, build = tree.__tree_flatten__()
        leaves.extend([_float_of(p) for p in own] if as_floats else own)
        count = len(own)
        return lambda new: build([next(new) for _ in range(count)])
    if isinstance(tree, Mapping):
        parts = {key: _walk(part, leaves, as_floats) for key, part in tree.items()}
        return lambda new: {key: part(new) for key, part in parts.items()}
    if _is_flat(tree):
        leaves.extend(tree)
        length, kind_of = len(tree), type(tree)
        return lambda new: kind_of(islice(new, length))
    if isinstance(tree, list | tuple):
        items = [_walk(part, leaves, as_floats) for part in tree]
        if hasattr(tree, "_fields"):
            kind: Any = type(tree)
            return lambda new: kind(*[item(new) for item in items])
        make: Any = list if isinstance(tree, list) else tuple
        return lambda new: make([item(new) for item in items])
    shape = getattr(tree, "shape", None)
    if shape:
        return _walk_array(tree, leaves)
    boxed = shape == () and getattr(tree.dtype, "hasobject", False)
    leaves.append(tree.item() if boxed else tree)
    return next


def _is_flat(tree: Tree) -> bool:
    """Whether a list or tuple holds numbers and nothing else: most do."""
    return type(tree) in (list, tuple) and {*map(type, tree)} <= {float, int}


def _float_of(parameter: Any) -> Any:
    """The data of a Value; a number of a higher level (a tracer) as it is."""
    return parameter if getattr(parameter, "level", 0) > 0 else parameter.data


def _walk_array(array: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    import numpy as np

    from autograd.numbers.grids import refuse_masked

    refuse_masked([array])
    wanted, kind = tuple(array.shape), type(array).__name__
    array = np.asarray(array)  # a pandas Series, a tensor, a traced array
    if array.shape != wanted:
        raise TypeError(f"a {kind} is no array of numbers: pass its .toarray()")
    shape, count = array.shape, array.size
    leaves.extend(array.ravel().tolist())

    def build(new: Any) -> Any:
        values = [next(new) for _ in range(count)]
        if values and all(isinstance(x, np.ndarray) for x in values):
            return np.stack(values).reshape(shape + values[0].shape)
        if all(isinstance(x, float | int) for x in values):
            return np.array(values, float).reshape(shape)
        from autograd.numbers.grids import grid

        return grid(values, shape)

    return build


def named(tree: Tree) -> Tree:
    """The tree with every module as the dict of its named parameters."""
    if hasattr(tree, "named_parameters"):
        return dict(tree.named_parameters())
    if isinstance(tree, Mapping):
        return {key: named(part) for key, part in tree.items()}
    if _is_flat(tree):
        return tree
    if isinstance(tree, list | tuple) and not hasattr(tree, "_fields"):
        return type(tree)([named(part) for part in tree])
    return tree


def structure(tree: Tree) -> Any:
    """A comparable description of a tree's shape: equal for trees that fit together."""
    if type(tree) is float or type(tree) is int:
        return "leaf"
    if isinstance(tree, Mapping):
        return ("dict", tuple([(key, structure(part)) for key, part in tree.items()]))
    if isinstance(tree, list | tuple):
        return (type(tree).__name__, tuple([structure(part) for part in tree]))
    shape = getattr(tree, "shape", ())
    return ("array", tuple(shape)) if shape != () else "leaf"


def matched(tree: Tree, like: Tree, what: str = "the tree") -> list[Any]:
    """The numbers of a tree in the order of another one, by place and by key.

    Lists, tuples and arrays stand for each other; dicts need the same keys, in any
    order; a module is matched by its like, or by a dict of its parameters' names.
    Raises ShapeError that says where the two differ.

    >>> matched({"b": 1.0, "a": [2.0]}, {"a": [0.0], "b": 0.0})
    [2.0, 1.0]
    """
    if hasattr(like, "named_parameters") and isinstance(tree, Mapping):
        like = dict(like.named_parameters())
    if hasattr(like, "__tree_flatten__"):
        return _of_length(flatten(tree)[0], len(flatten(like)[0]), what)
    if isinstance(like, Mapping):
        if hasattr(tree, "named_parameters"):
            tree = dict(tree.named_parameters())
        if not isinstance(tree, Mapping) or tree.keys() != like.keys():
            found = sorted(map(str, tree)) if isinstance(tree, Mapping) else tree
            wanted = ", ".join(map(str, like))
            raise ShapeError(f"{what} needs the keys {wanted}, got {short(found)}")
        parts = [matched(tree[k], like[k], f"{what}[{k!r}]") for k in like]
        return [leaf for part in parts for leaf in part]
    shape, own = getattr(like, "shape", ()), getattr(tree, "shape", ())
    if shape != () and own != ():
        if shape != own:
            raise ShapeError(f"{what} needs the shape {shape}, got {own}")
        return flatten(tree)[0]
    if shape != () or isinstance(like, list | tuple):
        if not isinstance(tree, list | tuple) and own == ():
            raise ShapeError(f"{what} needs {len(like)} items, got {short(tree)}")
        items = _of_length(list(tree), len(like), what)
        pairs = enumerate(zip(items, like, strict=True))
        parts = [matched(x, y, f"{what}[{k}]") for k, (x, y) in pairs]
        return [leaf for part in parts for leaf in part]
    if isinstance(tree, list | tuple | Mapping) or own != ():
        raise ShapeError(f"{what} needs one number, got {short(tree)}")
    return flatten(tree)[0]


def _of_length(items: list[Any], count: int, what: str) -> list[Any]:
    if len(items) != count:
        raise ShapeError(f"{what} needs {count} items, got {len(items)}")
    return items


def tree_map(f: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Apply f to the leaves of one tree, or to those of several of one shape."""
    leaves, rebuild = flatten(tree)
    columns = [leaves, *[matched(other, tree, "another tree") for other in others]]
    return rebuild([f(*row) for row in zip(*columns, strict=True)])
