"""Compiled functions under threads, interrupts, forks and reloaded modules."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tiers import BACKENDS

import autograd as ag
from autograd import jit, value_and_grad, vmap
from autograd.compiler.llvm.engine import engine
from autograd.threads import spread

ROOT = Path(__file__).parents[3]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
posix = pytest.mark.skipif(
    not (hasattr(os, "fork") and hasattr(signal, "setitimer")),
    reason="this system has no fork or no interval timers",
)
HANGS = 600  # seconds after which a process is taken to hang for ever


def gamma_loss(xs):
    return ag.sum([ag.lgamma(x) * x for x in xs])


def long_row(w, x):
    """Too long for registers: blocks of rows."""
    total, y = 0.0, x
    for k in range(40):
        y = 0.5 * ag.sin(y * w) + ag.exp(-y * y) * (0.2 + 0.001 * k)
        total = total + y * ag.tanh(y)
    return total


def in_blocks(w, X):
    """Many shared numbers before the rows and after them."""
    v = ag.mean([ag.exp(ag.sin(w * k)) for k in range(3000)])
    return ag.mean(vmap(long_row, in_axes=(None, 0))(v, X)) + v


def in_registers(w, X):
    v = ag.mean([ag.exp(ag.sin(w * k)) for k in range(3000)])
    row = vmap(lambda w, x: ag.tanh(w * x) + x, in_axes=(None, 0))
    return ag.mean(row(v, X)) + v


ROWS = {in_blocks: 12_000, in_registers: 100_000}
FORMS = {in_blocks: "over blocks of rows", in_registers: "rows where they are"}


def in_threads(work, count=4):
    """Run work(k) in threads that take turns often."""
    before, failures = sys.getswitchinterval(), []

    def guarded(k):
        try:
            work(k)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(k,)) for k in range(count)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not failures, failures[:3]


# -- Threads -------------------------------------------------------------------------


@pytest.mark.parametrize("f", ROWS)
def test_large_batches_from_several_threads(f):
    """What is shared before and after the rows belongs to the call."""
    X = np.sin(np.arange(float(ROWS[f])))
    compiled = jit(value_and_grad(f))
    points = [0.1 + 0.2 * k for k in range(4)]
    expected = [compiled(w, X) for w in points]
    if "backend llvm" in compiled.report():
        assert FORMS[f] in compiled.report()

    def work(k):
        for i in range(12):
            place = (k + i) % 4
            assert compiled(points[place], X) == expected[place]

    in_threads(work)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_lgamma_from_several_threads(backend):
    compiled = jit(value_and_grad(gamma_loss), backend=backend)
    points = [[0.3 + 0.17 * k + i for i in range(9)] for k in range(4)]
    expected = [compiled(xs) for xs in points]

    def work(k):
        for i in range(400):
            place = (k + i) % 4
            assert compiled(points[place]) == expected[place]

    in_threads(work)


def test_threads_that_compile_at_once():
    """One plan, one kernel, whoever was first; code that is run is not freed."""
    xs = [[0.1 * k + i for i in range(5)] for k in range(4)]

    def irregular(xs):
        """Table code: many operations, hardly regular."""
        total = 0.0
        for i in range(60):
            for j in range(1 + i * i % 4):
                x = xs[(i * 7 + j * 3) % 5]
                total = total + (ag.sin(x) if i % 3 else ag.erf(x)) * x
        return total

    expected = [value_and_grad(irregular)(x) for x in xs]
    for _ in range(3):
        compiled = jit(value_and_grad(irregular))

        def work(k, compiled=compiled):
            for i in range(10):
                place = (k + i) % 4
                value, slopes = compiled(xs[place])
                assert value == pytest.approx(expected[place][0], rel=1e-12)
                assert slopes == pytest.approx(expected[place][1], rel=1e-12)

        in_threads(work)


def test_an_entry_is_made_while_another_thread_has_the_machine():
    pytest.importorskip("llvmlite")
    from autograd.compiler.entry.native import entry_of

    f = jit(value_and_grad(gamma_loss))
    f([0.5, 1.5])
    (plan,) = f.plans.values()
    plan.executor.machines.clear()
    entry = entry_of(plan, [[0.5, 1.5]], lambda *args: None)
    assert entry is not None and entry([0.5, 1.5]) == f([0.5, 1.5])


# -- Work on several threads ---------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_every_piece_is_done_once(count, threads):
    done = [0] * count

    def work(k):
        done[k] += 1

    spread(work, count, threads)
    assert done == [1] * count


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_an_error_of_a_piece_arrives_and_no_piece_is_under_way(threads):
    under_way = set()

    def work(k):
        under_way.add(k)
        time.sleep(0.001)
        if k == 5:
            under_way.discard(k)
            raise ZeroDivisionError("piece 5")
        under_way.discard(k)

    for _ in range(20):
        with pytest.raises(ZeroDivisionError, match="piece 5"):
            spread(work, 40, threads)
        assert not under_way


def test_without_threads_the_caller_does_the_work(monkeypatch):
    from autograd import threads as workers

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(workers, "start_new_thread", refuse)
    done = []
    spread(done.append, 5, 4)
    assert done == [0, 1, 2, 3, 4]


class Interrupted(BaseException):
    """What the alarm raises."""


def interrupted(call, count, seconds):
    """Call again and again under alarms; how many arrived. Alarms come in bursts."""
    arrived = 0

    def alarm(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, alarm)
    try:
        while arrived < count:
            try:
                signal.setitimer(signal.ITIMER_REAL, seconds, 0.0011)
                while True:
                    call()
            except Interrupted:
                arrived += 1
                signal.setitimer(signal.ITIMER_REAL, 0.0)
    except Interrupted:  # the last one of a burst
        return interrupted_rest(arrived, count)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    return arrived


def interrupted_rest(arrived, count):
    """A burst may reach the handler of its first alarm: it counts as one."""
    return min(arrived, count)


# -- Whole processes -----------------------------------------------------------------


def run(*arguments, **environment):
    """A Python process with the package in reach; what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    return done.stdout


@posix
@pytest.mark.parametrize(
    "campaign",
    [
        ["--threads", "6", "--seconds", "1"],
        ["--interrupts", "160"],
        ["--fork", "6", "--only", "compilation", "entry", "gamma", "eager", "pickles"],
        ["--spawn", "2", "--only", "compilation", "entry", "gamma", "registers"],
    ],
    ids=lambda campaign: campaign[0][2:],
)
def test_no_wrong_number_under(campaign):
    assert run("scripts/stress.py", *campaign).endswith("no wrong number\n")


HANDLER = """
import signal
import autograd as ag
from autograd import jit, no_grad, value_and_grad

made = []

def handler(*_):
    k = float(len(made))
    with no_grad():
        ag.exp(ag.Value(k))
    made.append(jit(value_and_grad(lambda x: ag.sin(x) * k + x))(0.0) == (0.0, k + 1.0))

signal.signal(signal.SIGALRM, handler)
k = 0
while len(made) < 40:
    k += 1
    signal.setitimer(signal.ITIMER_REAL, 0.0001 * 1.17 ** (k % 40))
    with no_grad():
        ag.exp(ag.Value(1.0))
    f = jit(value_and_grad(lambda x: ag.cos(x) * float(k)))
    assert f(0.0) == (k, 0.0), f(0.0)
print(all(made))
"""


@posix
def test_a_signal_handler_that_compiles_while_the_program_does():
    assert run("-c", HANDLER) == "True\n"


REMOVED = """
import gc, sys
import numpy as np

def functions():
    # names of functions only: a module would keep all that it has imported
    from autograd import dot, erf, jit, lgamma, mean, sin, tanh, value_and_grad, vmap
    from autograd import sum as total_of

    def irregular(xs):
        total = 0.0
        for i in range(60):
            for j in range(1 + i * i % 4):
                x = xs[(i * 7 + j * 3) % 5]
                total = total + (sin(x) if i % 3 else erf(x)) * x
        return total

    def matrix(W, x):
        return total_of([tanh(dot(w, x)) for w in W])

    def rows(w, X):
        return mean(vmap(lambda w, x: tanh(w * x), in_axes=(None, 0))(w, X))

    rng = np.random.default_rng(0)
    arguments = [
        (irregular, ([0.1, 0.2, 0.3, 0.4, 0.5],)),
        (matrix, (rng.normal(size=(30, 40)), rng.normal(size=40))),
        (rows, (0.5, np.sin(np.arange(100_000.0)))),
        (lambda x: lgamma(x) * x, (0.7,)),
    ]
    return [(jit(value_and_grad(f)), args) for f, args in arguments]

def answers(made):
    return [repr(f(*args)) for f, args in made]

made = [functions()]
expected = answers(made[0])
for _ in range(3):
    for name in [name for name in sys.modules if name.split(".")[0] == "autograd"]:
        del sys.modules[name]
    gc.collect()
    made.append(functions())
    for one in made:
        assert answers(one) == expected
    del made[1:-1]
    gc.collect()
    junk = [np.full(1000, 7.0) for _ in range(500)]
    for one in made:
        assert answers(one) == expected
        assert answers(functions()) == expected
print("alive")
"""


def test_compiled_functions_outlive_the_modules_that_made_them():
    """Machine code is owned by who runs it, not by a module."""
    assert run("-c", REMOVED) == "alive\n"


@forks
def test_a_forked_child_forgets_the_modes_of_other_threads():
    code = """
import gc, os, threading, warnings
warnings.simplefilter("ignore")
from autograd import no_grad
from autograd.compiler.trace.trace import collector_off
from autograd.graph.modes import MODES

inside, leave = threading.Event(), threading.Event()

def other():
    with no_grad(), collector_off():
        inside.set()
        leave.wait()

thread = threading.Thread(target=other)
thread.start()
inside.wait()
with no_grad():
    child = os.fork()
    if not child:
        os._exit(0 if len(MODES.active) == 1 and gc.isenabled() else 3)
leave.set()
thread.join()
print(os.waitpid(child, 0)[1], MODES.thread.recording, gc.isenabled())
"""
    assert run("-c", code) == "0 True True\n"


def test_background_compilation_takes_over_and_its_failure_is_reported(monkeypatch):
    pytest.importorskip("llvmlite")
    from autograd.compiler.llvm.engine import Engine

    f = jit(value_and_grad(lambda x: ag.sin(x) * x), background=True)
    first = f(0.5)
    (plan,) = f.plans.values()
    plan.executor.waiting.join()
    assert f(0.5) == pytest.approx(first)
    assert "compiled in the background" in f.report()
    assert "calls through machine code" in f.report()

    def refuse(*_, **__):
        raise MemoryError("no room for code")

    monkeypatch.setattr(Engine, "compiled", refuse)
    g = jit(value_and_grad(lambda x: ag.cos(x) * x), background=True)
    first = g(0.5)
    (plan,) = g.plans.values()
    plan.executor.waiting.join()
    assert g(0.5) == first
    assert "no room for code" in g.report() and "backend numpy" in g.report()


def test_nothing_of_llvm_is_left_to_the_collector(tmp_path, monkeypatch):
    """It would run anywhere, and take llvmlite's lock just when another thread forks."""
    ffi = pytest.importorskip("llvmlite.binding.ffi")
    monkeypatch.setenv("SCALAR_AUTOGRAD_CACHE", str(tmp_path))  # generated, then saved
    before = {
        id(thing) for thing in gc.get_objects() if isinstance(thing, ffi.ObjectRef)
    }
    gc.disable()
    try:
        engine().compiled("define void @nothing() {\n  ret void\n}\n")
        left = {
            type(thing).__name__
            for thing in gc.get_objects()
            if isinstance(thing, ffi.ObjectRef)
            and id(thing) not in before
            and not (thing.closed or thing._owned)
        }
    finally:
        gc.enable()
    # The context is the process's; machine code has its owner in `_linked`.
    assert left <= {"GlobalContextRef", "ExecutionEngine"}
