"""Compiled functions as objects: copies, pickles, reports, backends, decorators."""

import copy
import importlib
import importlib.util
import math
import pickle
import threading
from functools import partial

import compiled_functions as functions
import numpy as np
import pytest
from compiled_functions import energy
from jit_cases import POINT, nodes, table
from tiers import BACKENDS, NO_LLVM, bits

import autograd as ag
import nn
from autograd import (
    MissingDependencyError,
    grad,
    hessian,
    jit,
    value_and_grad,
)


@pytest.mark.parametrize("name", ["plain", "slope", "both", "on_numpy", "exact"])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, None])
def test_copies_and_pickles(clone, warm, name):
    f = getattr(functions, name)
    if warm:
        f(POINT)
    twin = clone(f) if clone else pickle.loads(pickle.dumps(f))
    assert bits(twin(POINT)) == bits(f(POINT))
    assert bits(twin(POINT, 2.0)) == bits(f(POINT, 2.0))
    assert twin.__name__ == "energy"


@pytest.mark.parametrize(
    ("made", "args"),
    [
        (jit(grad(grad(functions.cube))), (2.0,)),
        (jit(value_and_grad(energy, (0, 1))), (POINT, 2.0)),
        (jit(hessian(energy)), (POINT,)),
        (jit(ag.jacobian(energy)), (POINT,)),
        (jit(ag.hvp(energy)), (POINT, POINT)),
        (jit(ag.vmap(energy)), (table(),)),
        (jit(energy, static="scale"), (POINT, 2.0)),
        (jit(jit(energy)), (POINT,)),
    ],
)
@pytest.mark.parametrize("clone", [copy.deepcopy, None])
def test_pickles_of_transforms(clone, made, args):
    twin = clone(made) if clone else pickle.loads(pickle.dumps(made))
    assert bits(twin(*args)) == bits(made(*args))


def test_functions_without_a_name_do_not_travel():
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(jit(lambda x: x))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("warm", [False, True])
def test_threads_calling_one_function(warm, backend):
    f = jit(value_and_grad(energy), backend=backend)
    points = [[math.sin(7 * k + i) for i in range(40)] for k in range(40)]
    expected = [jit(value_and_grad(energy), backend=backend)(p) for p in points]
    arrays = [np.array(p) for p in points]
    if warm:
        f(points[0]), f(arrays[0])
    wrong = []

    def work(start):
        for k in range(start, start + 200):
            value, slopes = f(points[k % 40] if k % 3 else arrays[k % 40])
            if (value, list(slopes)) != expected[k % 40]:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(7 * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(f.plans) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_leave_the_function_usable(backend):
    calls = []

    def f(x):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")
        return x * 2.0

    compiled = jit(f, backend=backend)
    with pytest.raises(RuntimeError, match="once"):
        compiled(1.0)
    assert compiled(1.0) == 2.0
    assert compiled(2.0) == 4.0
    assert len(calls) == 2


def test_a_function_is_traced_once():
    calls = []

    def f(xs):
        calls.append(1)
        return ag.sum(xs)

    compiled = jit(f)
    for k in range(5):
        assert compiled([1.0, float(k)]) == 1.0 + k
    assert len(calls) == 1
    compiled([1.0])
    assert len(calls) == 2


def test_a_function_that_calls_itself_compiled():
    """Recursion with another structure at each level."""

    @jit
    def total(xs):
        return xs[0] + total(xs[1:]) if len(xs) > 1 else xs[0]

    assert total([1.0, 2.0, 3.0, 4.0]) == 10.0
    assert grad(total)([1.0, 2.0]) == [1.0, 1.0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_reports(backend):
    f = jit(value_and_grad(energy), backend=backend)
    assert "not called yet" in f.report()
    assert "energy" in f.report()
    f(POINT)
    text = f.report()
    for part in (
        "energy",
        "5 inputs",
        "bulk operations",
        "instructions",
        "backend",
        backend,
    ):
        assert part in text
    assert "baked in" not in jit(lambda x: x * x).report()
    g = jit(lambda x: x * 2.5 + 7.25)
    g(1.0)
    assert "2 numbers baked in: 2.5, 7.25" in g.report()
    f([1.0, 2.0])
    assert len(f.report()) > len(text)
    assert f.report().count("re-rolled") == 2
    assert "2 plans" in repr(f)


def test_reports_say_why():
    f = jit(energy, strict=True)
    f(POINT)
    assert "strict" in f.report()


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_functions_look_like_the_original(backend):
    f = jit(energy, backend=backend)
    assert f.__name__ == "energy"
    assert f.__doc__ == energy.__doc__
    assert f.__wrapped__ is energy
    f(POINT)
    assert f.__name__ == "energy"
    assert callable(f)


@pytest.mark.parametrize("wrong", [3.0, None, "text", [energy]])
def test_only_functions_are_compiled(wrong):
    with pytest.raises(TypeError):
        jit(wrong)


def test_unknown_backends_are_refused():
    with pytest.raises(ValueError, match="cuda"):
        jit(energy, backend="cuda")
    with pytest.raises(ValueError, match="strict"):
        jit(energy, backend="llvm", strict=True)


def test_methods_and_partials():
    from functools import partial

    class Line:
        def __init__(self):
            self.slope = 3.0

        def at(self, x):
            return self.slope * x

    assert jit(Line().at)(2.0) == 6.0
    assert jit(partial(energy, scale=2.0))(POINT) == pytest.approx(energy(POINT, 2.0))
    assert jit(ag.tanh)(0.5) == pytest.approx(math.tanh(0.5))
    assert jit(grad(ag.tanh))(0.0) == 1.0


@pytest.fixture
def without_llvmlite(monkeypatch):
    """As if llvmlite were not installed."""
    from autograd.compiler.llvm import engine

    right_import, right_find = importlib.import_module, importlib.util.find_spec

    def no_import(name, *more):
        if name.split(".")[0] == "llvmlite":
            raise ImportError(name)
        return right_import(name, *more)

    def no_find(name, *more):
        return None if name.split(".")[0] == "llvmlite" else right_find(name, *more)

    monkeypatch.setattr(importlib, "import_module", no_import)
    monkeypatch.setattr(importlib.util, "find_spec", no_find)
    import sys

    for name, module in list(sys.modules.items()):
        if name.startswith("autograd.compiler") and hasattr(module, "find_spec"):
            monkeypatch.setattr(module, "find_spec", no_find)
    monkeypatch.setattr(engine, "_engine", [])


def test_numpy_is_chosen_without_llvmlite(without_llvmlite):
    f = jit(value_and_grad(energy))
    value, slopes = f(POINT)
    assert value == pytest.approx(energy(POINT))
    assert slopes == pytest.approx(grad(energy)(POINT))
    assert "numpy" in f.report()
    assert "llvmlite is not installed" in f.report()
    assert f(np.array(POINT))[0] == pytest.approx(value)
    xs = nodes(POINT)
    jit(energy)(xs).backward()
    assert [x.grad for x in xs] == pytest.approx(slopes)


def test_llvm_is_an_error_without_llvmlite(without_llvmlite):
    with pytest.raises(MissingDependencyError, match="llvmlite"):
        jit(energy, backend="llvm")(POINT)
    with pytest.raises(MissingDependencyError, match="pip install llvmlite"):
        jit(energy, backend="llvm")(POINT)


@NO_LLVM
def test_llvm_is_the_default_where_it_is_installed():
    f = jit(energy)
    f(POINT)
    assert "llvmlite is installed" in f.report()


@jit
def decorated(x):
    return ag.sin(x) * x


class Line:
    def __init__(self, slope):
        self.slope = slope

    @partial(jit, static="self")
    def at(self, x):
        return self.slope * x


def test_decorated_functions_are_pickled_by_name():
    assert decorated(2.0) == pytest.approx(2.0 * math.sin(2.0), rel=1e-15)
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert copy.deepcopy(decorated) is decorated
    twin = pickle.loads(pickle.dumps(jit(energy)))
    assert type(twin) is type(jit(energy))
    model = nn.MLP(1, [1], seed=0)  # a callable without a name
    twin = pickle.loads(pickle.dumps(jit(model)))
    assert twin([2.0]).data == pytest.approx(model([2.0]).data, rel=1e-14)


def test_methods():
    assert Line(2.0).at(3.0) == 6.0
    assert Line(-1.0).at(3.0) == -3.0
