"""Compiled functions under threads, interrupts, forks and reloaded modules."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from tiers import BACKENDS

import autograd as ag
from autograd import jit, value_and_grad, vmap
from autograd.compiler.workers import spread

ROOT = Path(__file__).parents[3]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
timers = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no interval timers"
)


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
    """Shared numbers before the rows and after them."""
    v = ag.exp(ag.sin(w))
    return ag.tanh(ag.mean(vmap(long_row, in_axes=(None, 0))(v, X)) * v) + v


def in_registers(w, X):
    v = ag.exp(ag.sin(w))
    row = vmap(lambda w, x: ag.tanh(w * x) + x, in_axes=(None, 0))
    return ag.tanh(ag.mean(row(v, X)) * v) + v


ROWS = {in_blocks: 40_000, in_registers: 200_000}


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


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("f", ROWS)
def test_large_batches_from_several_threads(f, backend):
    """What is shared before and after the rows belongs to the call."""
    X = np.sin(np.arange(float(ROWS[f])))
    compiled = jit(value_and_grad(f), backend=backend)
    points = [0.1 + 0.2 * k for k in range(4)]
    expected = [compiled(w, X) for w in points]

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
    from autograd.compiler import workers

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
