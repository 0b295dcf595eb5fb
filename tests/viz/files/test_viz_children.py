"""A process that draws ends with the call, with whatever it has started."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograd import Value
from viz import draw_dot

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs scripts and signals")
ROOT = Path(__file__).parents[2]
HANGS = 60.0  # seconds after which something is taken never to happen

SLOW_DOT = """#!/bin/sh
sleep 1000 &
echo $$ $! > "$WHERE.part"
mv "$WHERE.part" "$WHERE"
wait
"""
DRAW = """
import signal, sys
from autograd import Value
from viz import draw_dot
{before}
try:
    draw_dot(Value(1.0) * 2.0).pipe("svg")
finally:
    print("unwound")
"""


def until(condition):
    end = time.monotonic() + HANGS
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")  # a zombie that nobody has waited for yet
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """A dot that never ends, first on the path; temporary files have a place."""
    for name in ("bin", "temporary"):
        (tmp_path / name).mkdir()
    script = tmp_path / "bin/dot"
    script.write_text(SLOW_DOT)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("WHERE", str(tmp_path / "children"))
    return tmp_path


def ended(slow, number, before=""):
    """Draw, and send a signal when the child runs; status, output, pids of children."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRAW.format(before=before)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    where = slow / "children"
    assert until(where.exists)
    if number is not None:
        process.send_signal(number)
    out, _ = process.communicate(timeout=HANGS)
    return process.returncode, out, [int(pid) for pid in where.read_text().split()]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_ends_the_process_ends_the_child(slow, name):
    number = getattr(signal, name)
    status, out, children = ended(slow, number)
    assert (status, out) == (-number, "")  # as if nobody had looked at the signal
    assert all(until(lambda pid=pid: is_gone(pid)) for pid in children)
    assert not list((slow / "temporary").iterdir())


def test_a_signal_that_comes_while_the_child_is_started(slow):
    """Between the fork and the name that the child gets, at the latest moment."""
    early = """
import os, subprocess
right = subprocess.Popen.__init__
def init(self, *args, **options):
    right(self, *args, **options)
    while not os.path.exists(os.environ["WHERE"]):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
subprocess.Popen.__init__ = init
"""
    status, out, children = ended(slow, None, early)
    assert (status, out) == (-signal.SIGTERM, "")
    assert all(until(lambda pid=pid: is_gone(pid)) for pid in children)
    assert not list((slow / "temporary").iterdir())


def test_ctrl_c_ends_the_child(slow):
    status, out, children = ended(slow, signal.SIGINT, "sys.stderr = None")
    assert status == -signal.SIGINT and out == "unwound\n"
    assert all(until(lambda pid=pid: is_gone(pid)) for pid in children)
    assert not list((slow / "temporary").iterdir())


def test_a_handler_of_the_programs_own_is_called(slow):
    handler = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"
    status, out, children = ended(slow, signal.SIGTERM, handler)
    assert (status, out) == (7, "unwound\n")
    assert all(until(lambda pid=pid: is_gone(pid)) for pid in children)
    assert not list((slow / "temporary").iterdir())


def test_signals_do_afterwards_what_they_did_before(without_dot):
    numbers = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
    before = [signal.getsignal(number) for number in numbers]
    assert draw_dot(Value(1.0) * 2.0).pipe("svg")
    assert [signal.getsignal(number) for number in numbers] == before


def test_other_threads_draw_without_touching_signals(without_dot):
    drawn = []
    thread = threading.Thread(
        target=lambda: drawn.append(draw_dot(Value(1.0) * 2.0).pipe("svg"))
    )
    thread.start()
    thread.join()
    assert drawn
