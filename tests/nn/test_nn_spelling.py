"""Names from elsewhere: taken where they mean the same, else answered by the remedy."""

import numpy as np
import pytest

import nn
from autograd import (
    Value,
    grad,
    gradient,
    hessian,
    jacobian,
    jit,
    value_and_grad,
    vmap,
)

W = Value(2.0)
X, Y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]


def fit(**more):
    settings = {"epochs": 2, "progress": False} | more
    return nn.fit(nn.MLP(1, [1], seed=0), X, Y, **settings)


def sgd(**more):
    return nn.SGD(nn.MLP(1, [1], seed=0).parameters(), **more)


def mlp(**more):
    return nn.MLP(1, **more)


def cube(x):
    return x * x * x


def plus(x, y):
    return x + 10.0 * y


TAKEN = [
    (lambda: grad(plus, argnum=1)(1.0, 2.0), lambda: grad(plus, argnums=1)(1.0, 2.0)),
    (
        lambda: jacobian(plus, argnum=1)(1.0, 2.0),
        lambda: jacobian(plus, argnums=1)(1.0, 2.0),
    ),
    (
        lambda: vmap(plus, in_dims=(0, None))(np.ones(2), 2.0).tolist(),
        lambda: vmap(plus, in_axes=(0, None))(np.ones(2), 2.0).tolist(),
    ),
    (
        lambda: gradient(inputs=W, outputs=W * 3.0),
        lambda: gradient(y=W * 3.0, wrt=W),
    ),
    (
        lambda: jit(lambda x, n: x * n, static_argnames="n")(2.0, n=3),
        lambda: jit(lambda x, n: x * n, static="n")(2.0, n=3),
    ),
    (
        lambda: fit(optimizer="sgd", learning_rate=0.1),
        lambda: fit(optimiser="sgd", lr=0.1),
    ),
    (lambda: mlp(nouts=[2], random_state=3), lambda: mlp(nouts=[2], seed=3)),
    (lambda: sgd(learning_rate=0.5).lr, lambda: sgd(lr=0.5).lr),
    (
        lambda: jit(lambda x, n: x * n, static_argnums=1)(2.0, 3),
        lambda: jit(lambda x, n: x * n, static=1)(2.0, 3),
    ),
]


def plain(x):
    return x.state_dict() if isinstance(x, nn.Module) else x


@pytest.mark.parametrize(("other", "own"), TAKEN)
def test_spellings_that_mean_the_same(other, own):
    assert plain(other()) == plain(own())


def of(transform):
    return lambda **more: transform(cube, **more)


ANSWERED = [  # call, keyword, what is said
    (fit, "validation_data", r"use validation=\(X, y\)"),
    (fit, "validation_split", "use validation=0.2"),
    (fit, "test_size", "use validation=0.2"),
    (fit, "verbose", "use progress=True"),
    (fit, "random_state", "use seed="),
    (fit, "early_stopping", "use patience="),
    (fit, "momentum", r"nn.SGD\(model.parameters\(\), momentum"),
    (fit, "criterion", "use loss="),
    (fit, "epoch", "did you mean epochs="),
    (fit, "metric", "did you mean metrics="),
    (fit, "batchsize", "did you mean batch_size="),
    (fit, "zzz", "it has model, X, y"),
    (mlp, "hidden_layer_sizes", "use nouts, the width of each layer"),
    (mlp, "activations", "did you mean activation="),
    (sgd, "beta1", r"use betas="),
    (sgd, "momentun", "did you mean momentum="),
    (of(vmap), "static_argnums", "use in_axes=, with None for an argument"),
    (of(vmap), "static_argnames", "use in_axes=, with None"),
    (of(vmap), "out_axes", "first axis of the results"),
    (of(vmap), "out_dims", "first axis of the results"),
    (of(vmap), "in_axis", "did you mean in_axes="),
    (of(jit), "donate_argnums", "use nothing: give arrays .* out="),
    (of(jit), "donate_argnames", "out="),
    (of(jit), "in_axes", r"use jit\(vmap\(f, in_axes"),
    (of(jit), "argnums", r"use jit\(grad\(f, argnums"),
    (of(grad), "has_aux", "use a function that returns its number alone"),
    (of(value_and_grad), "has_aux", "use a function that returns its number alone"),
    (of(grad), "holomorphic", "numbers are real"),
    (of(grad), "create_graph", "differentiated again"),
    (of(grad), "argnmus", "did you mean argnums="),
    (of(jacobian), "has_aux", "its number alone"),
    (of(hessian), "sparze", "did you mean sparse="),
    (lambda **more: gradient(W * W, W, **more), "retain_graph", "the graph stays"),
    (lambda **more: gradient(W * W, W, **more), "allow_unused", "the gradient 0"),
    (lambda **more: gradient(W * W, W, **more), "creat_graph", "mean create_graph="),
    (lambda **more: (W * W).backward(**more), "retain_graph", "the graph stays"),
    (lambda **more: (W * W).backward(**more), "create_graph", "use gradient.*create"),
    (lambda **more: (W * W).backward(**more), "zzz", "no argument 'zzz'; it has none"),
    (lambda **more: Value(1.0, **more), "requires_grad", "every Value takes part"),
    (lambda **more: Value(1.0, **more), "dtype", "float of 64 bits"),
    (lambda **more: Value(1.0, **more), "lable", "did you mean label="),
    (lambda **more: jit(lambda x: x, **more), "nopython", "what cannot be compiled"),
    (lambda **more: jit(lambda x: x, **more), "statics", "did you mean static="),
    (
        lambda **more: nn.predict(nn.MLP(1, [1]), X, **more),
        "verbose",
        "use progress=True",
    ),
]


@pytest.mark.parametrize(("call", "keyword", "said"), ANSWERED)
def test_what_means_something_else_is_answered(call, keyword, said):
    with pytest.raises(TypeError, match=said):
        call(**{keyword: 1})


def test_a_name_given_twice():
    with pytest.raises(TypeError, match="lr= twice"):
        fit(optimiser="sgd", lr=0.1, learning_rate=0.2)


def test_names_of_functions_survive():
    assert nn.fit.__name__ == "fit"
    assert np.isfinite(fit().losses).all()
