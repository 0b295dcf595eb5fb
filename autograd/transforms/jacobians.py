"""Jacobians, Hessians, and products with them.

The Jacobian takes one backward pass for each output, or one forward pass for each
input, whichever are fewer. A Hessian is the Jacobian of a gradient; a Hessian-vector
product is one forward pass over the gradient and costs a small multiple of the
function, whatever the dimension (Pearlmutter 1994). Sparse ones are in ``sparse``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from autograd.transforms.costs import announce
from autograd.transforms.gradients import (
    check_argnums,
    check_function,
    grad,
    jvp,
    of_functions,
    places_of,
    tagged,
    vjp,
)
from autograd.transforms.sparse import sparse_hessian, sparse_jacobian
from autograd.transforms.tree import flatten, named

Tree = Any


@of_functions
def jacobian(
    f: Callable[..., Tree], argnums: int = 0, sparse: bool = False
) -> Callable[..., Tree]:
    """A function that returns df/dx: f's output, with x's shape for each number.

    Parameters
    ----------
    f : a function that returns a tree of numbers.
    argnums : the argument to differentiate with respect to.
    sparse : find the pattern in the graph, colour it, and return a SciPy sparse matrix
        (outputs by inputs); the cost grows with the number of colours.

    More than a million derivatives are announced by a RuntimeWarning before the work.

    >>> from autograd import jacobian
    >>> jacobian(lambda x: [x[0] * x[1], x[0]])([3.0, 4.0])
    [[4.0, 3.0], [1.0, 0.0]]
    """
    check_function(f, "jacobian")
    (argnums,) = places_of(argnums, "jacobian")
    if sparse:
        return sparse_jacobian(f, argnums)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Tree:
        check_argnums(argnums, len(args), kwargs)

        def along(x: Tree) -> Tree:
            given = list(args)
            given[argnums] = x
            return f(*given, **kwargs)

        value, pull = vjp(along, args[argnums])
        outputs, rebuild_output = flatten(value)
        inputs, _ = flatten(args[argnums])
        announce(
            len(inputs) * len(outputs),
            min(len(inputs), len(outputs)),
            f"a dense matrix of {len(outputs):,} x {len(inputs):,}:",
            "use hvp, jvp or vjp for products with it, sparse=True where most are 0, "
            "or jit(hessian(f))",
        )
        if len(inputs) < len(outputs):
            return _by_columns(along, args[argnums], rebuild_output)
        n = len(outputs)
        units = ([float(i == j) for j in range(n)] for i in range(n))
        return rebuild_output([pull(rebuild_output(row))[0] for row in units])

    made: Callable[..., Tree] = tagged(derivative, jacobian, f, argnums)
    return made


def _by_columns(
    along: Callable[[Tree], Tree], x: Tree, rebuild_output: Callable[[Any], Tree]
) -> Tree:
    """The same by one forward pass for each input."""
    inputs, rebuild = flatten(x, as_floats=True)
    rebuild_named = flatten(named(x))[1]
    columns = []
    for i in range(len(inputs)):
        direction = [float(i == j) for j in range(len(inputs))]
        tangent = jvp(along, (rebuild(inputs),), (rebuild(direction),))[1]
        columns.append(flatten(tangent)[0])
    return rebuild_output([rebuild_named(row) for row in zip(*columns, strict=True)])


@of_functions
def hessian(
    f: Callable[..., Any], argnums: int = 0, sparse: bool = False
) -> Callable[..., Tree]:
    """A function that returns the second derivatives of f, which returns one number.

    The shape is x's, with x's shape in place of each number. With ``sparse`` it is a
    SciPy sparse matrix over the flattened x, whose cost grows with the number of
    colours of its pattern, not with the dimension. More than a million derivatives are
    announced by a RuntimeWarning before the work.

    >>> from autograd import hessian
    >>> hessian(lambda x: x[0] * x[0] * x[1])([3.0, 4.0])
    [[8.0, 6.0], [6.0, 0.0]]
    """
    check_function(f, "hessian")
    (argnums,) = places_of(argnums, "hessian")
    if sparse:
        return sparse_hessian(f, argnums)
    derivative = jacobian(grad(f, argnums), argnums)
    made: Callable[..., Tree] = tagged(derivative, hessian, f, argnums)
    return made


def hvp(f: Callable[..., Any]) -> Callable[..., Tree]:
    """A function (x, v, *others) that returns Hessian(x) v, in x's shape.

    x is f's first argument; the others are passed along.

    >>> from autograd import hvp
    >>> hvp(lambda x: x[0] * x[0] * x[1])([3.0, 4.0], [1.0, 0.0])
    [8.0, 6.0]
    """
    check_function(f, "hvp")

    @wraps(f)
    def product(x: Tree, v: Tree, *others: Any) -> Tree:
        def slope(t: Tree) -> Tree:
            return grad(f)(t, *others)

        return jvp(slope, (x,), (v,))[1]

    made: Callable[..., Tree] = tagged(product, hvp, f, None)
    return made
