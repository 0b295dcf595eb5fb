"""What a transform cannot do is said in words that name the remedy."""

import numpy as np
import pytest

import autograd as ag
from autograd import grad, hessian, hvp, jacobian, jit, jvp, value_and_grad, vjp, vmap


def square(x):
    return x * x


def nothing(x):
    x * x


def pair(x, y):
    return x * y * y


MISTAKES = {
    "by name": (lambda: grad(square)(x=3.0), IndexError, "x=: pass by place"),
    "by name, compiled": (
        lambda: jit(grad(square))(x=3.0),
        IndexError,
        "pass by place",
    ),
    "by name, a matrix": (lambda: jacobian(square)(x=3.0), IndexError, "pass by place"),
    "two matrices": (
        lambda: hessian(pair, argnums=(0, 1))(1.0, 2.0),
        TypeError,
        "one list, tuple or dict",
    ),
    "two Jacobians": (
        lambda: jacobian(pair, argnums=[0, 1])(1.0, 2.0),
        TypeError,
        "one argument",
    ),
    "a place too far": (
        lambda: jacobian(square, argnums=5)(1.0),
        IndexError,
        "argnums=5",
    ),
    "no place": (lambda: grad(square, argnums="x")(1.0), TypeError, "by their places"),
    "half a place": (
        lambda: grad(square, argnums=1.0)(1.0),
        TypeError,
        "by their places",
    ),
    "sparse, compiled": (
        lambda: jit(hessian(lambda x: x[0] ** 2, sparse=True))([1.0]),
        TypeError,
        r"jit\(hessian\(f\)\)",
    ),
    "sparse, by name": (
        lambda: hessian(square, sparse=True)(x=[1.0]),
        IndexError,
        "pass by place",
    ),
    "nothing returned": (lambda: grad(nothing)(1.0), TypeError, "return missing"),
    "nothing, compiled": (lambda: jit(nothing)(1.0), TypeError, "return missing"),
    "nothing, forwards": (
        lambda: jvp(nothing, (1.0,), (1.0,)),
        TypeError,
        "return missing",
    ),
    "nothing, pulled": (lambda: vjp(nothing, 1.0), TypeError, "return missing"),
    "nothing, both": (
        lambda: value_and_grad(nothing)(1.0),
        TypeError,
        "return missing",
    ),
    "masked": (
        lambda: grad(ag.sum)(np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        "compressed",
    ),
    "masked, compiled": (
        lambda: jit(ag.sum)(np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        "compressed",
    ),
    "axes in a dict": (
        lambda: vmap(lambda d: d["a"], in_axes={"a": 0})({"a": np.ones(3)}),
        TypeError,
        "in_axes has an axis",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_name_the_remedy(name):
    call, error, words = MISTAKES[name]
    if name.startswith("sparse"):
        pytest.importorskip("scipy")
    with pytest.raises(error, match=words):
        call()


def test_sparse_matrices_are_no_arrays_of_numbers():
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csr_matrix(np.eye(2))
    for call in (grad(lambda x: x[0][0]), jit(lambda x: x[0][0])):
        with pytest.raises(TypeError, match="toarray"):
            call(matrix)


class Series:
    """What tables and tensors of other libraries have in common."""

    def __init__(self, data):
        self.data = np.array(data, float)
        self.shape = self.data.shape

    def __array__(self, dtype=None, copy=None):
        return self.data


def test_arrays_of_other_libraries_are_taken():
    x = Series([1.0, 2.0])
    assert grad(lambda xs: ag.sum([t * t for t in xs]))(x).tolist() == [2.0, 4.0]
    assert jit(lambda xs: ag.sum([t * t for t in xs]))(x) == 5.0
    assert hvp(lambda xs: ag.sum([t**3 for t in xs]))(x, x).tolist() == [6.0, 24.0]


def test_numpys_integers_name_places():
    assert grad(pair, argnums=np.int64(1))(2.0, 3.0) == 12.0
    assert grad(pair, argnums=[np.int64(0), 1])(2.0, 3.0) == (9.0, 12.0)


@pytest.mark.parametrize(
    "name", ["grad", "value_and_grad", "jacobian", "hessian", "hvp"]
)
def test_what_is_no_function_is_refused_at_once(name):
    with pytest.raises(
        TypeError, match=rf"^{name} differentiates a function, got 3\.0"
    ):
        getattr(ag, name)(3.0)
    for call in (lambda: ag.jvp(3.0, (1.0,), (1.0,)), lambda: ag.vjp(3.0, 1.0)):
        with pytest.raises(TypeError, match="differentiates a function, got 3"):
            call()


def test_primals_and_tangents_are_tuples():
    with pytest.raises(
        TypeError, match=r"primals is a tuple, .* write \(1\.0,\) for one"
    ):
        ag.jvp(ag.sin, 1.0, (1.0,))
    with pytest.raises(TypeError, match="tangents is a tuple"):
        ag.jvp(ag.sin, (1.0,), 1.0)


def test_a_graph_that_data_has_cut_is_suspected():
    with pytest.raises(
        ag.GradcheckError, match=r"whether \.data, float\(\) or math has"
    ):
        ag.gradcheck(lambda x: x.data * 2.0 if hasattr(x, "data") else x * 2.0, 1.0)
