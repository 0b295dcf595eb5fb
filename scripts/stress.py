"""Threads, interrupts and processes against compiled functions: no wrong number.

    python scripts/stress.py --threads 8 --seconds 60
    python scripts/stress.py --interrupts 1000
    python scripts/stress.py --fork 50
    python scripts/stress.py --spawn 4

A *job* is a call whose right answer was worked out alone, by one thread, before. Each
campaign repeats the jobs under its own kind of trouble, counts, and ends with status 1
if any answer was wrong, an interrupt was lost, or a child did not come back.
``--guard`` puts a page without access behind every float array; ``-X dev`` and
``PYTHONMALLOC=debug`` go well with it. ``--only NAME`` takes some jobs.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import pickle
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

import autograd as ag
from autograd import Primitive, Value, jit, no_grad, value_and_grad, vmap

Job = Callable[[int], None]  # does call number k, and raises WrongError


class WrongError(Exception):
    """An answer that is not the one of the same call alone."""


class Interrupted(BaseException):
    """What the alarm of a campaign raises."""


# -- Jobs ----------------------------------------------------------------------------


def same(a: Any, b: Any) -> bool:
    """Whether two answers have the same bits."""
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(np.array_equal(a, b, equal_nan=True))


def repeated(call: Callable[..., Any], arguments: Sequence[Any]) -> Job:
    """A job that goes round some arguments of a function."""
    expected = [call(*args) for args in arguments]

    def job(k: int) -> None:
        k %= len(arguments)
        found = call(*arguments[k])
        if not same(found, expected[k]):
            raise WrongError(f"call {k}: {found} is not {expected[k]}")

    return job


IN_MEMORY, IN_PLACE = "straight-line code over rows", "over rows where they are"
IN_BLOCKS = "over blocks of rows"
POINTS = [0.1 + 0.2 * k for k in range(4)]
cube = Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)


def long_row(w: Any, x: Any) -> Any:
    """Too long for registers."""
    total, y = 0.0, x
    for k in range(40):
        y = 0.5 * ag.sin(y * w) + ag.exp(-y * y) * (0.2 + 0.001 * k)
        total = total + y * ag.tanh(y)
    return total


def short_row(w: Any, x: Any) -> Any:
    """Short enough for registers."""
    return ag.tanh(w * x) + x


def batch_of(
    row: Callable[..., Any], rows: int, form: str, primitive: bool = False
) -> Job:
    """A loss over a batch, with shared numbers before and after the rows."""
    X = np.sin(np.arange(float(rows)))

    def loss(w: Any, X: Any) -> Any:
        v = ag.mean([ag.exp(ag.sin(w * k)) for k in range(500)])
        if primitive:
            v = cube(v)
        mean = ag.mean(vmap(row, in_axes=(None, 0))(v, X))
        return mean + (cube(w) if primitive else v)

    compiled = jit(value_and_grad(loss))
    job = repeated(compiled, [(w, X) for w in POINTS])
    if form not in compiled.report() and "backend llvm" in compiled.report():
        raise AssertionError(f"another machine is meant: {compiled.report()}")
    return job


def entry() -> Job:
    """A native entry whose arguments are lists."""
    f = jit(value_and_grad(lambda xs: ag.logsumexp([ag.tanh(x) * x for x in xs])))
    return repeated(f, [([w + 0.1 * i for i in range(9)],) for w in POINTS])


def written() -> Job:
    """A native entry with arrays that stay where they are, and out=."""
    f = jit(value_and_grad(lambda x: ag.sum(ag.sin(x * x))))
    xs = [np.sin(w * np.arange(1000.0)) for w in POINTS]

    def call(x: Any) -> Any:
        out = np.empty(()), np.empty(1000)
        f(x, out=out)
        return out

    return repeated(call, [(x,) for x in xs])


def gamma() -> Job:
    """Gradients of lgamma through a native entry."""
    f = jit(value_and_grad(lambda xs: ag.sum([ag.lgamma(x) * x for x in xs])))
    return repeated(f, [([w + i for i in range(9)],) for w in POINTS])


def primitive() -> Job:
    """A user's row between functions of machine code."""
    f = jit(value_and_grad(lambda xs: ag.sum([cube(ag.exp(x)) * x for x in xs])))
    return repeated(f, [([w + 0.01 * i for i in range(9)],) for w in POINTS])


def irregular() -> Job:
    """Descriptors of irregular operations."""

    def f(xs: Any) -> Any:
        total = 0.0
        for i in range(60):
            for j in range(1 + i * i % 4):
                x = xs[(i * 7 + j * 3) % 5]
                total = total + (ag.sin(x) if i % 3 else ag.erf(x)) * x
        return total

    points = [([w + 0.1 * i for i in range(5)],) for w in POINTS]
    return repeated(jit(value_and_grad(f)), points)


def recurrence() -> Job:
    """A loop over time."""

    def f(w: Any, xs: Any) -> Any:
        h = 0.0
        for x in xs:
            h = ag.tanh(w * h + x)
        return h

    xs = [0.01 * i for i in range(100)]
    return repeated(jit(value_and_grad(f)), [(w, xs) for w in POINTS])


def on_numpy() -> Job:
    """The numpy backend."""
    f = jit(value_and_grad(lambda x: ag.sum(ag.lgamma(x * x + 1.0))), backend="numpy")
    return repeated(f, [(np.sin(w * np.arange(50.0)),) for w in POINTS])


def compilation() -> Job:
    """A function that is traced and compiled in each call."""

    def call(w: float) -> Any:
        return jit(value_and_grad(lambda x: ag.sum([ag.sin(x) * w, x * x])))(w)

    return repeated(call, [(w,) for w in POINTS])


def nodes() -> Job:
    """Results that are nodes, with a compiled backward."""
    f = jit(lambda x, y: ag.tanh(x * y) + x)

    def call(w: float) -> Any:
        x, y = Value(w), Value(2.0 * w)
        z = f(x, y) * x
        z.backward()
        return z.data, x.grad, y.grad

    return repeated(call, [(w,) for w in POINTS])


def eager() -> Job:
    """Graphs in Python, some of them under no_grad."""

    def call(w: float) -> Any:
        x = Value(w)
        with no_grad():
            constant = ag.exp(x)
        y = ag.tanh(x * 3.0) * constant.data
        y.backward()
        return y.data, x.grad, len(constant.operands), len(y.operands)

    return repeated(call, [(w,) for w in POINTS])


def pickles() -> Job:
    """Copies of graphs whose nodes other threads pickle as well."""
    leaves = [Value(0.01 * k, label=f"x{k}") for k in range(50)]
    shared = [ag.tanh(x * leaves[1]) for x in leaves]
    roots = [
        ag.sum([y * (1.0 + i + k) for k, y in enumerate(shared)]) for i in range(4)
    ]

    def call(i: int) -> Any:
        root, first = pickle.loads(pickle.dumps((roots[i], leaves[1])))
        return root.data, ag.gradient(root, first)

    return repeated(call, [(i,) for i in range(4)])


JOBS: dict[str, Callable[[], Job]] = {
    "entry": entry,
    "written": written,
    "gamma": gamma,
    "primitive": primitive,
    "irregular": irregular,
    "recurrence": recurrence,
    "numpy": on_numpy,
    "compilation": compilation,
    "nodes": nodes,
    "eager": eager,
    "pickles": pickles,
    "resident": lambda: batch_of(short_row, 300, IN_MEMORY),
    "registers": lambda: batch_of(short_row, 150_000, IN_PLACE),
    "blocks": lambda: batch_of(long_row, 12_000, IN_BLOCKS),
    "primitive beside rows": lambda: batch_of(short_row, 300, IN_MEMORY, True),
    "primitive beside registers": lambda: batch_of(short_row, 9_001, IN_PLACE, True),
    "primitive beside blocks": lambda: batch_of(long_row, 12_000, IN_BLOCKS, True),
}


# -- Campaigns -----------------------------------------------------------------------

SLOT = 0.05  # seconds that all threads spend on one job


def threads(
    jobs: dict[str, Job], count: int, seconds: float, seed: int = 0
) -> Counter[str]:
    """Threads that take turns often, all at one job at a time; calls, and "wrong"."""
    totals: Counter[str] = Counter()
    before, start = sys.getswitchinterval(), time.monotonic()
    names = random.Random(seed).choices(list(jobs), k=1 + int(seconds / SLOT))

    def work(number: int) -> None:
        own = Counter[str]()
        for k in itertools.count(number):
            slot = int((time.monotonic() - start) / SLOT)
            if slot >= len(names):
                break
            try:
                jobs[names[slot]](k)
                own[names[slot]] += 1
            except Exception as error:
                own["wrong"] += 1
                print(f"{names[slot]}: {error!r:.200}", file=sys.stderr)
        for name, calls in own.items():
            totals[name] += calls

    workers = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    sys.setswitchinterval(1e-5)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(before)
    return totals


def number_of(error: BaseException | None) -> int:
    """How many interrupts: one may come while the call ends because of another."""
    count = 0
    while error is not None:
        count += isinstance(error, Interrupted)
        error = error.__context__
    return count


def interrupts(jobs: dict[str, Job], count: int, seed: int = 0) -> Counter[str]:
    """Alarms at random moments of calls, two within a millisecond each time.

    Between them and afterwards calls go on, and must be right. Counts the interrupts
    that "arrived", "lost" ones, and "wrong" answers.
    """
    rng, totals, left = random.Random(seed), Counter[str](), 0

    def alarm(*_: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            raise Interrupted

    def calls_while(name: str, shots: int) -> None:
        """Calls until an alarm raises; one that went off and did not was lost."""
        k = 0
        while left == shots:
            jobs[name](k)
            k += 1
        totals["lost"] += 1

    def burst(name: str) -> None:
        nonlocal left
        left = 2
        signal.setitimer(signal.ITIMER_REAL, 10 ** rng.uniform(-4.5, -1.7), 0.0007)
        try:
            calls_while(name, 2)
        except Interrupted as first:
            arrived = number_of(first)
            totals["arrived"] += arrived
            if arrived == 1:
                calls_while(name, 1)

    before = signal.signal(signal.SIGALRM, alarm)
    names = itertools.cycle(jobs)
    try:
        while totals["arrived"] + totals["lost"] + totals["wrong"] < count:
            name = next(names)
            try:
                burst(name)
            except Interrupted:
                totals["arrived"] += 1
            except Exception as error:
                totals["wrong"] += 1
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
            finally:
                left = 0
                signal.setitimer(signal.ITIMER_REAL, 0.0)
            for k in range(4):
                try:
                    jobs[name](k)
                    totals["calls after"] += 1
                except Exception as error:
                    totals["wrong"] += 1
                    print(f"{name}, after: {error}", file=sys.stderr)
    finally:
        signal.signal(signal.SIGALRM, before)
    return totals


def came_back(child: int, seconds: float = 120.0) -> bool:
    """Whether a child process ends well, in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def forks(jobs: dict[str, Job], count: int) -> Counter[str]:
    """Children forked while threads compile, call and pickle; each does every job."""
    totals, stop = Counter[str](), threading.Event()

    def work() -> None:
        names = itertools.cycle(jobs)
        while not stop.is_set():
            jobs[next(names)](0)
            with no_grad():
                ag.exp(Value(1.0))

    def compiling() -> None:
        for k in itertools.count():
            if stop.is_set():
                return
            jit(value_and_grad(lambda x, k=k: ag.sin(x) * float(k)))(1.0)

    workers = [threading.Thread(target=f) for f in (work, work, compiling)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(count):
            child = os.fork()
            if not child:
                status = 1
                try:
                    for job in jobs.values():
                        job(1)
                    status = 0
                finally:
                    os._exit(status)
            totals["children" if came_back(child) else "wrong"] += 1
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    return totals


def _all_jobs(names: list[str]) -> int:
    jobs = {name: JOBS[name]() for name in names}
    for job in jobs.values():
        for k in range(4):
            job(k)
    return len(jobs)


def spawns(names: list[str], count: int) -> Counter[str]:
    """Fresh processes that do every job at once, with one cache of machine code."""
    with multiprocessing.get_context("spawn").Pool(count) as pool:
        done = pool.map(_all_jobs, [names] * count, 1)
    return Counter(children=sum(n == len(names) for n in done))


def main() -> int:
    """Run the campaigns that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--interrupts", type=int, default=0)
    parser.add_argument("--fork", type=int, default=0)
    parser.add_argument("--spawn", type=int, default=0)
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(JOBS))
    chosen = parser.parse_args()
    if chosen.guard:
        here = Path(__file__).parent.parent / "tests/autograd/compiler"
        sys.path.insert(0, str(here))
        import guarded

        guarded.guard_numpy()
    failed = False
    jobs = {name: JOBS[name]() for name in chosen.only}
    campaigns: list[tuple[bool, str, Callable[[], Counter[str]]]] = [
        (
            chosen.threads > 0,
            f"{chosen.threads} threads for {chosen.seconds:g} s",
            lambda: threads(jobs, chosen.threads, chosen.seconds, chosen.seed),
        ),
        (
            chosen.interrupts > 0,
            f"{chosen.interrupts} interrupts",
            lambda: interrupts(jobs, chosen.interrupts, chosen.seed),
        ),
        (chosen.fork > 0, f"{chosen.fork} forks", lambda: forks(jobs, chosen.fork)),
        (
            chosen.spawn > 0,
            f"{chosen.spawn} processes",
            lambda: spawns(chosen.only, chosen.spawn),
        ),
    ]
    for wanted, title, run in campaigns:
        if wanted:
            start, totals = time.monotonic(), run()
            calls = ", ".join(f"{n} {name}" for name, n in sorted(totals.items()))
            print(f"{title}, {time.monotonic() - start:.1f} s: {calls}", flush=True)
            failed |= bool(totals["wrong"] or totals["lost"])
    print("wrong" if failed else "no wrong number")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
