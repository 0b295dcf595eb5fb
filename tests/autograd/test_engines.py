"""Two engines, one behaviour: what is peculiar to having two."""

import contextlib
import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import engine_programs
import pytest

import autograd as ag
from autograd import Value
from autograd.native import EXTENSION

ROOT = Path(__file__).parent.parent.parent
native = pytest.mark.skipif(EXTENSION is None, reason=ag.engine())


def built():
    """Whether this Python can load the extension, whatever was asked for."""
    return _run("native", "import autograd").returncode == 0


def _run(engine, code):
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"AUTOGRAD_ENGINE": engine, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def test_the_generated_header_is_up_to_date():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import native
    finally:
        sys.path.pop(0)
    written = (ROOT / "autograd" / "native" / "rows.h").read_text(encoding="utf-8")
    assert written == native.header(), "run scripts/native.py"


def test_random_programs_give_the_same_bits():
    if not built():
        pytest.skip("the extension is not built")
    python, native = (
        engine_programs.printed(engine, 0, 1000) for engine in ("python", "native")
    )
    assert len(python) == 1000
    for one, other in zip(python, native, strict=True):
        assert one == other


def test_python_on_request():
    run = _run("python", "import autograd; print(autograd.engine())")
    assert run.stdout.strip() == "python: asked for by AUTOGRAD_ENGINE"


def test_an_engine_that_does_not_exist():
    run = _run("fast", "import autograd")
    assert "AUTOGRAD_ENGINE is 'native' or 'python', got 'fast'" in run.stderr


MISSING = "import sys; sys.modules['autograd.native._engine'] = None; import autograd; "


def test_where_the_extension_is_not_there_python_serves_and_says_so():
    run = _run("", MISSING + "print(autograd.engine(), autograd.Value(2.0) * 3.0)")
    assert run.stdout.startswith("python: the extension is not there (")
    assert run.stdout.rstrip().endswith("Value(data=6.0, grad=0.0)")


def test_asking_for_what_is_not_there_is_an_error():
    run = _run("native", MISSING)
    assert "ImportError: AUTOGRAD_ENGINE=native, but the extension is" in run.stderr


@pytest.mark.skipif(os.name == "nt", reason="the compiler is not called cc")
def test_a_compiler_that_fails_stops_no_installation(tmp_path):
    pytest.importorskip("setuptools", minversion="77")  # what pyproject.toml asks for
    places = ["--build-lib", tmp_path / "lib", "--build-temp", tmp_path / "temp"]
    run = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", *places],
        env=os.environ | {"CC": "/bin/false"},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    assert not [*tmp_path.rglob("*.so")]


LOAD = """
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_loader
loader = ExtensionFileLoader("autograd.native._engine", PATH)
try:
    module_from_spec(spec_from_loader(loader.name, loader))
except ImportError as error:
    print(error)
"""


@native
def test_a_second_interpreter_is_refused():
    """Clearly: numpy serves one interpreter of a process, too."""
    code = LOAD.replace("PATH", repr(EXTENSION.__file__))
    run = _run(
        "", f"import _xxsubinterpreters as s; s.run_string(s.create(), {code!r})"
    )
    if "No module named" in run.stderr:
        pytest.skip("no second interpreters here")
    assert run.stdout.strip() == "it serves the main interpreter only"


@pytest.mark.parametrize(
    "grow",
    [
        lambda y: y * 1.0,
        lambda y: ag.sum([y, 1.0]),
        lambda y: ag.hypot(y, 1.0),
        lambda y: Value(y.data, (y,), (1.0,)),
    ],
    ids=["inline", "many", "called", "handmade"],
)
def test_deep_graphs_of_every_kind_are_freed(grow):
    x = y = Value(1.0)
    for _ in range(100_000):
        y = grow(y)
    y.backward()
    assert x.grad != 0.0
    gone = weakref.ref(y)
    del y
    assert gone() is None


def test_weak_references_to_results_die_with_them():
    x = Value(2.0)
    y, called = x * 3.0, []
    watch = weakref.ref(y, called.append)
    z = y + 1.0
    del y
    assert watch() is not None
    del z
    assert watch() is None and called == [watch]


def test_cycles_through_a_leaf_are_collected():
    x = Value(2.0)
    x.me = [x]
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


def test_cycles_through_a_closure_are_collected():
    x = Value(2.0)
    out = Value(4.0, (x,), "twice")

    def backward(node=out):
        x.grad += 2.0 * node.grad

    out._backward = backward
    out.backward()
    assert x.grad == 2.0
    gone = weakref.ref(out)
    del out, backward
    gc.collect()
    assert gone() is None


def test_attributes_shadow_methods_and_not_data():
    for v in (Value(2.0), Value(2.0) * 1.0):
        v.relu = "mine"
        v.__dict__["data"] = 7.0
        assert (v.relu, v.data) == ("mine", 2.0)
        del v.relu
        assert v.relu().data == 2.0
        with pytest.raises(AttributeError, match="relu"):
            del v.relu
        with pytest.raises(AttributeError, match="nothing"):
            _ = v.nothing
        v.__dict__ = {"other": 1}
        assert v.other == 1 and vars(v) == {"other": 1}


def test_the_class_of_results_makes_none():
    y = Value(2.0) * 3.0
    assert isinstance(y, Value) and type(y).__name__ == "Value"
    with pytest.raises(TypeError, match="takes no arguments"):
        type(y)(3.0)


def test_what_is_deleted_is_missed():
    x = Value(2.0)
    y = x * x
    del x.grad
    with pytest.raises(AttributeError, match="grad"):
        y.backward()
    with pytest.raises(AttributeError):
        _ = x.grad
    x.grad = 1.0
    y.backward()
    assert x.grad == 5.0
    with pytest.raises(AttributeError, match="deleter"):
        del x.data


def test_subclasses_keep_their_attributes_and_operators():
    class Mine(Value):
        def __init__(self, data):
            super().__init__(data)
            self.calls = 0

        def __radd__(self, other):
            self.calls += 1
            return super().__radd__(other)

    class Slotted(Value):
        __slots__ = ("own",)

    m, s = Mine(2.0), Slotted(3.0)
    s.own, s.free = 1, 2
    assert (1.0 + m).data == 3.0 and m.calls == 1
    assert (Value(1.0) + m).data == 3.0 and m.calls == 2
    y = m * s
    y.backward()
    assert (m.grad, s.grad, s.own, s.free) == (3.0, 2.0, 1, 2)


def test_threads_that_mutate_a_graph_under_a_pass_crash_nothing():
    x = Value(1.0)
    slow = ag.Primitive("slow", lambda v: v, lambda v, z: float(sum(range(50)) > 0))
    y = x
    for k in range(200):
        y = slow(y) + x if k % 3 else y * x
    nodes = [x, y, *y.operands]
    over = threading.Event()

    def disturb():
        while not over.is_set():
            for node in nodes:
                node.grad = None
                node.grad = 0.5
                node.note = [node.data]
                if node.op:
                    node._operands, node._numbers = node._operands, node._numbers

    threads = [threading.Thread(target=disturb) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            with contextlib.suppress(TypeError):
                y.backward()
    finally:
        over.set()
        for thread in threads:
            thread.join()


NO_MEMORY = """
import gc, sys, _testcapi
import autograd as ag
from autograd import Value

def program():
    x, y = Value(2.0), Value(3.0)
    z = ag.dot([x, y, 1.0], [y, x, x], 0.5) + ag.sum([x * y, ag.tanh(x)])
    z.note = 1
    layer = ag.affine([[x, y], [y, x]], [x, y])([z, 1.0])
    ag.sum(layer).backward()
    return x.grad, y.grad

expected = program()
failed = 0
for start in range(0, 400):
    gc.disable()
    _testcapi.set_nomemory(start, start + 1)
    try:
        found = program()
    except MemoryError:
        failed += 1
    else:
        assert found == expected
    finally:
        _testcapi.remove_mem_hooks()
assert program() == expected
print(failed)
"""


@native
def test_a_failing_allocator_gives_memory_errors_and_nothing_else():
    run = _run("native", NO_MEMORY)
    if "No module named '_testcapi'" in run.stderr:
        pytest.skip("this Python has no failing allocator")
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout) > 20


LEAK = """
import gc, resource
import autograd as ag
from autograd import Value

cube = ag.Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)

def step():
    x = Value(2.0, label="x")
    y = ag.dot([x, 1.0], [x, x], 0.5) * 2 + ag.sum([x, cube(x), x / 3]) ** 2
    y.label = "y"
    z = Value(1.0, (y,), (2.0,))
    z.backward()
    z.grad = None
    try:
        z + "text"
    except TypeError:
        pass

def used():
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

for _ in range(STEPS): step()
before = used()
for _ in range(4 * STEPS): step()
print(used() - before)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no module resource")
def test_nothing_leaks():
    run = _run("", LEAK.replace("STEPS", "5000"))
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 1500, "kilobytes after 20,000 steps"


def test_modules_that_are_made_anew_have_nodes_of_their_own():
    """What was kept of the class before does not come back."""
    code = """
import gc, sys
def made():
    from autograd import Value
    y = [Value(2.0) * 3.0 for _ in range(100)]
    assert all(type(x) is type(y[0]) and isinstance(x, Value) for x in y)
    return y[0] + 1.0, Value
first, old = made()
for name in [name for name in sys.modules if name.split(".")[0] == "autograd"]:
    del sys.modules[name]
second, new = made()
assert isinstance(second, new) and isinstance(first, old) and old is not new
print(second.data)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "7.0\n", run.stderr
