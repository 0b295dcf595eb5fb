"""A user's Primitive inside compiled programs: Python's turn between machine code."""

import threading

import numpy as np
import pytest
from tiers import BACKENDS

import autograd as ag
from autograd import Primitive, jit, value_and_grad, vmap

LARGE = 9001  # rows: more than a block of rows has
HUGE = 2_000_000 // 40  # of a program that is cut into blocks of rows
cube = Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)


def refuse(x):
    raise ZeroDivisionError(f"refused {x}")


refused = Primitive("refused", refuse, lambda x, y: 1.0)


def row(w, x):
    return ag.tanh(w * x)


def long_row(w, x):
    """Too long for registers: blocks of rows."""
    total, y = 0.0, x
    for k in range(40):
        y = 0.5 * ag.sin(y * w) + ag.exp(-y * y) * (0.2 + 0.001 * k)
        total = total + y * ag.tanh(y)
    return total


def after(w, X):
    return ag.mean(vmap(row, in_axes=(None, 0))(w, X)) + cube(w)


def of_the_mean(w, X):
    return cube(ag.mean(vmap(row, in_axes=(None, 0))(w, X)))


def before(w, X):
    return ag.mean(vmap(row, in_axes=(None, 0))(cube(w), X))


def before_and_after(w, X):
    return cube(before(cube(w), X) + cube(w)) * w


def in_rows(w, X):
    return ag.mean(vmap(lambda w, x: cube(row(w, x)), in_axes=(None, 0))(w, X))


def before_blocks(w, X):
    return cube(ag.mean(vmap(long_row, in_axes=(None, 0))(cube(w), X)))


def in_blocks(w, X):
    return ag.mean(vmap(lambda w, x: cube(long_row(w, x)), in_axes=(None, 0))(w, X))


SMALL = [after, of_the_mean, before, before_and_after, in_rows]
PROGRAMS = [
    *[(f, rows) for f in SMALL for rows in (5, 8192, LARGE)],
    (before_blocks, HUGE),
    (in_blocks, HUGE),
]


def by_numpy(f, w, X):
    """Value and slope of a program, the primitive written with numpy's own numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "cube", lambda x: x * x * x)
        return jit(value_and_grad(f), backend="numpy")(w, X)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("f", "rows"), PROGRAMS)
def test_a_primitive_anywhere_in_a_batch(f, rows, backend):
    rows = rows if backend == "llvm" or rows < HUGE else 500  # numpy knows no blocks
    X = np.sin(np.arange(float(rows)))
    compiled = jit(value_and_grad(f), backend=backend)
    expected = {w: by_numpy(f, w, X) for w in (0.7, 0.3)}
    for w in (0.7, 0.3, 0.7)[: 2 if rows == HUGE else 3]:
        assert compiled(w, X) == pytest.approx(expected[w], rel=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rows", [5, LARGE])
def test_a_primitive_of_a_mapped_argument(rows, backend):
    X = np.sin(np.arange(float(rows)))

    def f(w, X):
        return ag.mean(vmap(lambda w, x: row(w, x), in_axes=(None, 0))(cube(w), X)) * w

    got = jit(value_and_grad(f), backend=backend)(0.7, X)
    want = ag.value_and_grad(lambda w: np.tanh(0.0) + w * _mean(cube(w), X))(0.7)
    assert got == pytest.approx(want, rel=1e-9)


def _mean(w, X):
    return ag.mean([ag.tanh(w * x) for x in X.tolist()])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", [after, of_the_mean, before, in_rows, in_blocks])
def test_its_error_arrives_and_the_next_call_is_right(f, backend):
    """Whatever machine the call ran on, the error is raised there and then."""
    state = {"fails": True}

    def evaluate(x):
        return refuse(x) if state["fails"] else x * x * x

    moody = Primitive("moody", evaluate, lambda x, y: 3.0 * x * x)
    huge = f is in_blocks and backend == "llvm"
    X = np.sin(np.arange(float(HUGE if huge else LARGE)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "cube", moody)
        compiled = jit(value_and_grad(f), backend=backend)
        for _ in range(2):
            state["fails"] = True
            with pytest.raises(ZeroDivisionError, match="refused"):
                compiled(0.7, X)
            state["fails"] = False
            assert compiled(0.7, X) == pytest.approx(by_numpy(f, 0.7, X), rel=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_belong_to_the_thread_that_called(backend):
    """One thread's calls fail, another's do not: neither sees the other's."""

    def evaluate(x):
        return refuse(x) if x < 0.0 else x * x * x

    picky = Primitive("picky", evaluate, lambda x, y: 3.0 * x * x)
    f = jit(lambda x, y: picky(x) + ag.exp(y), backend=backend)
    f(1.0, 0.0)
    wrong = []

    def work(x):
        for _ in range(300):
            try:
                good = f(x, 0.0) == x * x * x + 1.0 and x > 0.0
            except ZeroDivisionError:
                good = x < 0.0
            if not good:
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(x,)) for x in (-2.0, 2.0, -3.0, 3.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_primitive_may_call_the_function_that_calls_it(backend):
    def evaluate(x):
        return f(x - 1.0) if x > 1.0 else 1.0

    again = Primitive("again", evaluate, lambda x, y: 1.0)
    f = jit(lambda x: again(x) * x, backend=backend)
    assert f(5.0) == 120.0
    assert f(5.0) == 120.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_primitives_in_a_row_and_first_and_last(backend):
    double = Primitive("double", lambda x: 2.0 * x, lambda x, y: 2.0)

    def f(xs):
        ys = [double(cube(x)) for x in xs]
        return [cube(y + ag.sum(ys)) for y in ys]

    xs = [0.1, 0.2, 0.3]
    assert jit(f, backend=backend)(xs) == pytest.approx(f(xs), rel=1e-12)


def test_machine_code_never_calls_python():
    """No function of Python's is handed to machine code: nothing could be lost there."""
    pytest.importorskip("llvmlite")
    from autograd.compiler.llvm.backend import LLVMProgram

    for f, rows in PROGRAMS[:3]:
        X = np.sin(np.arange(float(rows)))
        compiled = jit(value_and_grad(f), backend="llvm")
        compiled(0.7, X)
        for plan in compiled.plans.values():
            for machine in plan.executor.machines:
                program = machine.program
                parts = [program, getattr(program, "before", None)]
                parts.append(getattr(program, "after", None))
                for part in parts:
                    if isinstance(part, LLVMProgram):
                        assert "foreign" not in part.text
