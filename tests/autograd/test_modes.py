"""no_grad, detect_anomaly, and a backward pass that is interrupted."""

import contextlib
import math
import sys
import threading

import pytest
from cases import nodes_below

import autograd as ag
from autograd import (
    AnomalyError,
    GraphError,
    Value,
    detect_anomaly,
    grad,
    gradient,
    jvp,
    no_grad,
)
from autograd.graph.modes import MODES


def test_no_grad_records_nothing_and_nests():
    x = Value(2.0)
    with no_grad():
        with no_grad():
            y = x * x
        z = ag.sum([x, y])
        w = ag.affine([[x]], [x])([x])[0]
    assert (y.operands, z.operands, w.operands) == ((), (), ())
    assert (y.data, z.data, w.data) == (4.0, 6.0, 6.0)
    assert (x * x).operands == (x, x)
    assert MODES.thread.recording and not MODES.active


def test_no_grad_as_a_decorator():
    @no_grad()
    def f(x):
        return x * x

    assert f(Value(2.0)).operands == ()


def test_no_grad_does_not_reach_other_threads():
    seen = []
    with no_grad():
        thread = threading.Thread(
            target=lambda: seen.append((Value(2.0) * Value(3.0)).operands)
        )
        thread.start()
        thread.join()
    assert len(seen[0]) == 2


def test_no_grad_is_left_by_an_exception():
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert (Value(1.0) * 2.0).operands


def test_the_first_nan_of_the_forward_pass():
    x = Value(-1.0, label="x")
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        (x * 1.0).log()
    message = str(caught.value)
    assert "log gave nan" in message
    assert "-1.0" in message
    assert "test_modes.py" in message
    assert "(x * 1.0).log()" in message


def test_the_first_infinity_of_the_backward_pass():
    x = Value(0.0, label="x")
    with detect_anomaly():
        y = ag.sqrt(x)
        y.label = "root"
        with pytest.raises(AnomalyError) as caught:
            (y * 3.0).backward()
    message = str(caught.value)
    for part in ("sqrt 'root'", "inf", "x = 0.0", "y = ag.sqrt(x)", "test_modes.py"):
        assert part in message
    assert x.grad == 0.0


def test_a_healthy_program_passes():
    x = Value(2.0)
    with detect_anomaly():
        y = ag.where(x > 0, ag.log(x), 0.0) + ag.sum([x, x, x])
        y.backward()
    assert x.grad == 3.5
    (Value(0.0).log() + 1.0).backward()  # outside nothing is checked
    assert MODES.thread.recording and not MODES.active


def interrupt_at(line, call):
    """Run call, raising KeyboardInterrupt at the given traced line of the engine."""
    count = 0

    def tracer(frame, event, arg):
        nonlocal count
        if "autograd" not in frame.f_code.co_filename:
            return None
        if event == "line":
            count += 1
            if count == line:
                sys.settrace(None)
                raise KeyboardInterrupt
        return tracer

    before = sys.gettrace()  # a coverage tool's, perhaps
    sys.settrace(tracer)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_an_interrupted_pass_changes_all_leaves_or_none():
    """At any line of the engine in Python, or of a rule that the one in C calls."""
    line, outcomes = 0, set()
    while True:
        line += 1
        a, b = Value(2.0), Value(3.0)
        a.grad, b.grad = 10.0, 20.0
        y = ag.dot([a, b], [b, a], a) * ag.tanh(ag.hypot(a, b) - ag.prod([a, b]))
        interrupted = interrupt_at(line, y.backward)
        outcomes.add((a.grad, b.grad))
        if not interrupted:
            break
    assert line > 10  # of rows that have no C, even there
    assert len(outcomes) == 2
    assert (10.0, 20.0) in outcomes


def test_a_primitive_that_raises_leaves_the_leaves_alone():
    def explode(x, y):
        raise RuntimeError("boom")

    bad = ag.Primitive("bad", lambda x: x, explode)
    a = Value(1.0)
    y = bad(a * 2.0) + a
    with pytest.raises(RuntimeError, match="boom"):
        y.backward()
    assert a.grad == 0.0


def test_a_backward_inside_a_backward():
    inner_leaf = Value(3.0)

    def slope(x, y):
        inner = inner_leaf * inner_leaf
        inner.backward()
        return 1.0

    f = ag.Primitive("f", lambda x: x, slope)
    a = Value(1.0)
    (f(a) * 2.0).backward()
    assert (a.grad, inner_leaf.grad) == (2.0, 6.0)


def test_cycles_are_refused():
    a = Value(1.0)
    b = a * 2.0
    c = b + 1.0
    b._operands = (c, *b._operands[1:])  # by force: nothing public can do it
    for walk in (c.backward, lambda: ag.gradient(c, a), lambda: nodes_below(c)):
        with pytest.raises(GraphError, match="cycle"):
            walk()
    assert math.isfinite(a.grad)


@pytest.mark.parametrize("mode", [no_grad, detect_anomaly])
def test_every_way_into_a_mode_and_out_of_it(mode):
    """A with statement, an exit stack, the methods by hand; and the same one again."""
    one = mode()
    before = MODES.thread
    for _ in range(2):
        with one:
            assert MODES.thread != before
        assert MODES.thread == before
        with contextlib.ExitStack() as stack:
            stack.enter_context(one)
            assert MODES.thread != before
        assert MODES.thread == before
        one.__enter__()
        assert MODES.thread != before
        one.__exit__(None, None, None)
        assert MODES.thread == before
    assert not MODES.active
    with one, pytest.raises(RuntimeError, match="make another one"), one:
        pass
    assert MODES.thread == before


def test_a_decorated_function_may_call_itself():
    @no_grad()
    def f(n):
        assert not MODES.thread.recording
        return f(n - 1) if n else Value(2.0) * 3.0

    assert f(3).operands == ()
    assert MODES.thread.recording


def test_a_mode_that_a_suspended_generator_left_behind():
    def numbers():
        with no_grad():
            yield 1

    for _ in numbers():
        break
    suspended = numbers()
    next(suspended)
    assert not MODES.thread.recording
    suspended.close()
    assert MODES.thread.recording
    assert not MODES.active


def test_a_result_without_a_graph_has_no_gradient():
    a = Value(3.0)
    with no_grad():
        q = a * a
    for use in (q.backward, lambda: ag.gradient(q, a)):
        with pytest.raises(GraphError, match="no_grad"):
            use()
    (q * a).backward()  # in another graph it is a number
    assert a.grad == 9.0
    leaf = Value(2.0)
    leaf.backward()
    assert leaf.grad == 1.0


def test_no_grad_and_anomalies_see_nodes_made_by_hand():
    x = Value(2.0)
    with no_grad():
        assert Value(4.0, (x,), (4.0,)).operands == ()
    with pytest.raises(AnomalyError), detect_anomaly():
        Value(math.nan, (x,), (4.0,))
    with pytest.raises(AnomalyError), detect_anomaly():
        (Value(1.0, (x,), (math.inf,)) * 1.0).backward()


def test_anomalies_of_every_mode():
    x = Value(0.0)
    for call in (
        lambda: grad(ag.log)(0.0),
        lambda: jvp(ag.log, (0.0,), (1.0,)),
        lambda: gradient(x.sqrt(), x),
        lambda: gradient(x.sqrt(), x, create_graph=True),
    ):
        with pytest.raises(AnomalyError), detect_anomaly():
            call()


def test_the_way_from_the_anomaly_to_the_result():
    x = Value(0.0, label="x")
    with detect_anomaly():
        z = (x.sqrt() + 1.0) * 2.0
        z.label = "loss"
        with pytest.raises(AnomalyError) as caught:
            z.backward()
    assert "from there to the result: add -> multiply 'loss'" in str(caught.value)


def test_the_way_from_the_first_nan_to_the_result():
    x = Value(-1.0, label="x")
    with detect_anomaly(at_once=False):
        y = (x * 2.0).log()
        y.label = "root"
        z = ag.sum([y, x]) * 3.0
        with pytest.raises(AnomalyError) as caught:
            z.backward()
    message = str(caught.value)
    assert "log 'root' gave nan from operands -2.0" in message
    assert "y = (x * 2.0).log()" in message
    assert "from there to the result: sum -> multiply" in message
    assert x.grad == 0.0


def test_a_signal_handler_asks_for_the_mode_while_it_is_asked_for():
    """In the middle of forgetting a mode that is over, a handler forgets it as well."""

    class Asked:
        def __init__(self, lock):
            self.lock, self.times = lock, 0

        def locked(self):
            self.times += 1
            if self.times == 1:
                assert not MODES.thread.recording  # the handler
            return self.lock.locked()

    outer = no_grad()
    outer.__enter__()
    with no_grad():
        inner = MODES._own.entries[-1]
    inner.lock = asked = Asked(inner.lock)
    outer_entry = MODES._own.entries[-2]
    assert not MODES.thread.recording  # the outer one is on still
    assert asked.times > 1
    assert MODES._own.entries == [outer_entry]
    outer.__exit__(None, None, None)
    assert MODES.thread.recording
    assert not MODES.active
