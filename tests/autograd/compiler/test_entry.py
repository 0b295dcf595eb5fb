"""Native entries on fake programs: what is fast, what goes to Python, who owns what."""

import gc
import pickle
import random
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.entry import entry, machine_code
from autograd.compiler.entry.entry import Leaf, native_entry
from autograd.compiler.entry.shortcuts import attach
from autograd.compiler.llvm.engine import engine
from autograd.errors import MissingDependencyError
from autograd.graph.modes import MODES, no_grad

if not entry._machine():
    pytest.skip("no native entries on this interpreter", allow_module_level=True)

# m[3] = m[0] * 2, m[4] = m[1] * 2, m[5] = m[2] * 2, m[6] = m[0] + m[1] + m[2]
DOUBLED = """
define void @run(ptr %m, ptr %t) {
  %p1 = getelementptr double, ptr %m, i64 1
  %p2 = getelementptr double, ptr %m, i64 2
  %q0 = getelementptr double, ptr %m, i64 3
  %q1 = getelementptr double, ptr %m, i64 4
  %q2 = getelementptr double, ptr %m, i64 5
  %q3 = getelementptr double, ptr %m, i64 6
  %x0 = load double, ptr %m
  %x1 = load double, ptr %p1
  %x2 = load double, ptr %p2
  %y0 = fmul double %x0, 2.0
  %y1 = fmul double %x1, 2.0
  %y2 = fmul double %x2, 2.0
  %z0 = fadd double %x0, %x1
  %z1 = fadd double %z0, %x2
  store double %y0, ptr %q0
  store double %y1, ptr %q1
  store double %y2, ptr %q2
  store double %z1, ptr %q3
  ret void
}
"""
NOTHING = "define void @run(ptr %m, ptr %t) { ret void }"
# m[0] = t[1]
TABLE = """
define void @run(ptr %m, ptr %t) {
  %p = getelementptr i32, ptr %t, i64 1
  %i = load i32, ptr %p
  %x = sitofp i32 %i to double
  store double %x, ptr %m
  ret void
}
"""
TRIPLE, SUM = Leaf(3, (3,)), Leaf(6)
LINKED = {text: engine().compiled(text) for text in (DOUBLED, NOTHING, TABLE)}
RUN = {text: linked("run") for text, linked in LINKED.items()}


class Slow:
    """A fallback that says what it was given."""

    def __call__(self, *args, **kwargs):
        return self, args, kwargs


def made(arguments, result, text=DOUBLED, fallback=None, size=64):
    memory, tables = np.zeros(size), np.array([5, 7], np.int32)
    keep = memory, tables
    where = memory.ctypes.data, tables.ctypes.data
    fallback = fallback or Slow()
    return native_entry(RUN[text], *where, arguments, result, fallback, keep)


def is_slow(result):
    return isinstance(result, tuple) and result and isinstance(result[0], Slow)


def three():
    return np.array([1.0, 2.0, 4.0])


# -- The fast path ---------------------------------------------------------------------


def test_numbers():
    f = made([Leaf(0), Leaf(1), Leaf(2)], SUM)
    assert f(1.0, 2.0, 4.0) == 7.0 and type(f(1.0, 2.0, 4.0)) is float
    assert f(-0.5, 0.0, 1e300) == 1e300


def test_arrays():
    f = made([Leaf(0, (3,))], TRIPLE)
    x = three()
    y = f(x)
    assert type(y) is np.ndarray and y.dtype is np.dtype(float)
    assert y.tolist() == [2.0, 4.0, 8.0] and x.tolist() == [1.0, 2.0, 4.0]
    assert y.flags.owndata and y.flags.writeable and y.flags.c_contiguous
    again = f(y)
    assert again.tolist() == [4.0, 8.0, 16.0] and y.tolist() == [2.0, 4.0, 8.0]


def test_shapes_of_results():
    f = made([Leaf(0, (3, 1))], (Leaf(3, (1, 3, 1)), Leaf(6, ()), Leaf(0, (0, 2)), ()))
    whole, point, empty, nothing = f(three().reshape(3, 1))
    assert whole.tolist() == [[[2.0], [4.0], [8.0]]]
    assert point.shape == () and point == 7.0 and type(point) is np.ndarray
    assert empty.shape == (0, 2) and nothing == ()


def test_no_arguments_and_tables():
    assert made([], Leaf(0), TABLE)() == 7.0


def test_nested_results_and_arguments():
    f = made([(Leaf(0), [Leaf(1)]), Leaf(2)], (SUM, [Leaf(3), (Leaf(4), Leaf(5))]))
    assert f((1.0, [2.0]), 4.0) == (7.0, [2.0, (4.0, 8.0)])
    assert is_slow(f([1.0, [2.0]], 4.0))
    assert is_slow(f((1.0, [2.0, 3.0]), 4.0))
    assert is_slow(f((1.0, [True]), 4.0))
    assert f((1, [2.0]), 4) == (7.0, [2.0, (4.0, 8.0)])


def random_tree(rng, depth, places):
    kind = rng.choice("fffaatl" if depth else "fa")
    if kind == "f":
        return Leaf(places()), rng.uniform(-1, 1)
    if kind == "a":
        shape = tuple(rng.choice([0, 1, 1, 2, 3]) for _ in range(rng.randrange(4)))
        values = np.array(np.random.default_rng(rng.randrange(99)).random(shape))
        return Leaf(places(values.size), shape), values
    parts = [random_tree(rng, depth - 1, places) for _ in range(rng.randrange(4))]
    make = tuple if kind == "t" else list
    return make(p for p, _ in parts), make(x for _, x in parts)


def alike(a, b):
    if isinstance(a, np.ndarray):
        return type(b) is np.ndarray and a.shape == b.shape and np.array_equal(a, b)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    return type(a) is type(b) and a == b


def emptied(tree):
    if isinstance(tree, Leaf):
        return np.full(tree.shape or (), np.nan)
    return type(tree)(map(emptied, tree))


def as_arrays(x):
    return type(x)(map(as_arrays, x)) if isinstance(x, tuple | list) else np.array(x)


@pytest.mark.parametrize("seed", range(40))
def test_any_tree_comes_back(seed):
    rng, used = random.Random(seed), [0]

    def places(count=1):
        used[0] += count
        return used[0] - count

    trees = [random_tree(rng, 3, places) for _ in range(rng.randrange(1, 5))]
    shape, values = tuple(t for t, _ in trees), tuple(x for _, x in trees)
    f = made(shape, shape, NOTHING, size=used[0] + 1)
    for _ in range(3):
        assert alike(f(*values), values)
        out = emptied(shape)
        assert f(*values, out=out) is out and alike(out, as_arrays(values))
    assert is_slow(f(*values, 1.0)) and is_slow(f(*values[1:]))


# -- out= ------------------------------------------------------------------------------


def test_out():
    f = made([Leaf(0, (3,))], (SUM, [TRIPLE]))
    out = np.zeros(()), [np.zeros(3)]
    assert f(three(), out=out) is out
    assert out[0] == 7.0 and out[1][0].tolist() == [2.0, 4.0, 8.0]
    single = made([Leaf(0, (3,))], SUM)
    point = np.zeros(())
    assert single(three(), out=point) is point and point == 7.0


def test_out_may_be_an_argument():
    f = made([Leaf(0, (3,))], TRIPLE)
    x = three()
    assert f(x, out=x) is x and x.tolist() == [2.0, 4.0, 8.0]
    whole = np.arange(5.0)
    f(whole[:3], out=whole[1:4])
    assert whole.tolist() == [0.0, 0.0, 2.0, 4.0, 4.0]


def test_out_that_shares_memory_goes_to_python():
    """Whichever arrays meet; neighbours do not."""
    f = made([Leaf(0, (3,))], (SUM, [TRIPLE, SUM]))
    whole = np.zeros(8)
    point, other = whole[7:].reshape(()), whole[3:4].reshape(())
    assert not is_slow(f(three(), out=(point, [whole[:3], other])))
    assert whole.tolist() == [2.0, 4.0, 8.0, 7.0, 0.0, 0.0, 0.0, 7.0]
    assert is_slow(f(three(), out=(point, [whole[:3], point])))
    assert is_slow(f(three(), out=(other, [whole[1:4], point])))
    assert is_slow(f(three(), out=(point, [whole[2:5], other])))
    assert not is_slow(f(three(), out=(point, [whole[:3], other])))


class Own(np.ndarray):
    pass


class OwnFloat(float):
    pass


def locked():
    x = three()
    x.flags.writeable = False
    return x


def other_dtype():
    """Equal to the native one, and another object."""
    return np.zeros(3, np.dtype(float, metadata={"unit": "m"}))


NOT_ARRAYS = {
    "list": [1.0, 2.0, 4.0],
    "float": 1.0,
    "none": None,
    "single": three().astype("f4"),
    "integer": three().astype("i4"),
    "unsigned": three().astype("u8"),
    "time": three().astype("m8[s]"),
    "foreign": three().astype(np.dtype("i8").newbyteorder()),
    "complex": three().astype(complex),
    "long": np.zeros(4),
    "short": np.zeros(2),
    "empty": np.zeros(0),
    "point": np.array(1.0),
    "matrix": np.zeros((3, 1)),
    "strided": np.zeros(6)[::2],
    "backwards": np.zeros(3)[::-1],
    "swapped": three().astype(three().dtype.newbyteorder()),
    "unaligned": np.zeros(25, "i1")[1:].view(float),
    "subclass": three().view(Own),
    "masked": np.ma.array(three()),
    "metadata": other_dtype(),
}
if NOT_ARRAYS["unaligned"].flags.aligned:
    NOT_ARRAYS["unaligned"] = np.zeros(26, "i1")[2:].view(float)


@pytest.mark.parametrize("name", NOT_ARRAYS)
def test_other_arguments_go_to_python(name):
    x, slow = NOT_ARRAYS[name], Slow()
    f = made([Leaf(0, (3,)), Leaf(0)], TRIPLE, fallback=slow)
    for _ in range(3):
        found, args, kwargs = f(x, 1.0)
        assert found is slow and args[0] is x and args[1] == 1.0 and kwargs == {}


@pytest.mark.parametrize("name", [*NOT_ARRAYS, "locked", "int64"])
def test_other_outputs_go_to_python(name):
    more = {"locked": locked(), "int64": np.zeros(3, np.int64)}
    out, x, slow = {**NOT_ARRAYS, **more}[name], three(), Slow()
    f = made([Leaf(0, (3,))], TRIPLE, fallback=slow)
    found, args, kwargs = f(x, out=out)
    assert found is slow and args[0] is x and kwargs.keys() == {"out"}
    assert kwargs["out"] is out


def test_integers_become_floats():
    f = made([Leaf(0, (3,)), Leaf(3)], Leaf(0, (4,)), NOTHING)
    whole = np.array([1, -(2**53) - 1, 2**62 + 1])
    for number in (0, -1, 7, 2**53 + 1, -(2**70) - 1, 10**300):
        assert f(whole, number).tolist() == [*map(float, whole.tolist()), float(number)]
    assert f(np.zeros((3, 1))[:, 0], 1)[-1] == 1.0 and not is_slow(f(whole, 1.0))
    assert is_slow(f(whole[::-1], 1)) and is_slow(f(whole.reshape(3, 1), 1))
    empty = made([Leaf(0, (0,)), Leaf(0)], Leaf(0), NOTHING)
    assert empty(np.zeros(0, int), 3) == 3.0


def test_read_only_arguments_are_fine():
    assert made([Leaf(0, (3,))], SUM)(locked()) == 7.0


def test_orders_of_matrices():
    f = made([Leaf(0, (2, 2))], Leaf(0, (2, 2)), NOTHING)
    x = np.arange(4.0).reshape(2, 2)
    assert f(x).tolist() == x.tolist()
    assert is_slow(f(x.T)) and is_slow(f(np.asfortranarray(x)))
    assert is_slow(f(x, out=np.zeros((2, 2), order="F")))


@pytest.mark.parametrize(
    "x",
    [10**400, True, np.int64(1), np.float32(1.0), OwnFloat(1), "1", np.array(1.0)],
)
def test_other_numbers_go_to_python(x):
    f = made([Leaf(0), Leaf(1), Leaf(2)], SUM)
    _, args, _ = f(1.0, x, 2.0)
    assert args[1] is x and len(args) == 3


@pytest.mark.parametrize(
    "out",
    [
        [np.zeros(()), np.zeros(3)],
        (np.zeros(()),),
        (np.zeros(()), np.zeros(3), np.zeros(3)),
        (np.zeros(1), np.zeros(3)),
        (0.0, np.zeros(3)),
        type("Pair", (tuple,), {})((np.zeros(()), np.zeros(3))),
        np.zeros(4),
        None,
    ],
)
def test_other_trees_of_outputs_go_to_python(out):
    assert is_slow(made([Leaf(0, (3,))], (SUM, TRIPLE))(three(), out=out))


def test_counts_and_keywords():
    f = made([Leaf(0), Leaf(1)], SUM)
    for args in [(), (1.0,), (1.0, 2.0, 3.0)]:
        assert f(*args)[1:] == (args, {})
    assert f(1.0, 2.0, other=3)[1:] == ((1.0, 2.0), {"other": 3})
    assert f(1.0, y=2.0)[1:] == ((1.0,), {"y": 2.0})
    point = np.zeros(())
    assert f(1.0, 2.0, out=point, z=1)[2] == {"out": point, "z": 1}
    found = f(1.0, 2.0, **{"".join(["o", "ut"]): point})  # not the interned name
    assert found is point or found[1:] == ((1.0, 2.0), {"out": point})


def test_errors_of_the_fallback():
    def refuse(*args, **kwargs):
        raise KeyError(args)

    f = made([Leaf(0)], SUM, fallback=refuse)
    for _ in range(3):
        with pytest.raises(KeyError):
            f("1")
    assert f(1.0) == 1.0 and f.__name__ == "refuse"


def test_modes_go_to_python():
    f = made([Leaf(0)], SUM)
    with no_grad():
        assert is_slow(f(1.0))
    assert MODES.thread.recording  # who asks forgets modes that are over
    assert f(1.0) == 1.0


# -- Ownership -------------------------------------------------------------------------


def test_reference_counts():
    f = made([Leaf(0, (3,)), Leaf(7)], (SUM, [TRIPLE]))
    x, number, out = three(), 0.25, (np.zeros(()), [np.zeros(3)])
    watched = [x, number, out, out[0], out[1], out[1][0], np.dtype(float), f, "out"]
    before = [sys.getrefcount(thing) for thing in watched]
    for _ in range(1000):
        f(x, number)
        f(x, number, out=out)
        f(x, 1)
        f(x, 10**400)
        f(x, number, out=1)
    assert [sys.getrefcount(thing) for thing in watched] == before
    total, (listed,) = f(x, number)
    result = f(x, number)
    fresh = float("7.5")
    assert sys.getrefcount(total) == sys.getrefcount(fresh)
    assert sys.getrefcount(listed) == sys.getrefcount(fresh)
    assert sys.getrefcount(result) == sys.getrefcount(fresh)
    assert gc.is_tracked(result)


def test_a_million_calls_leave_nothing():
    f, x = made([Leaf(0, (3,))], (SUM, [TRIPLE])), three()
    out = np.zeros(()), [np.zeros(3)]
    f(x)
    before = sys.getallocatedblocks()
    for _ in range(500_000):
        f(x)
        f(x, out=out)
    assert abs(sys.getallocatedblocks() - before) < 500


def test_memory_of_arrays_is_returned():
    f, x = made([Leaf(0, (500,))], (Leaf(0), Leaf(0, (500,))), NOTHING, size=500), None
    tracemalloc.start()
    x = np.zeros(500)
    f(x)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(2000):
        f(x)
        f(1)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 8000


@pytest.mark.parametrize("nested", [False, True])
def test_allocations_that_fail(nested):
    huge = Leaf(0, (1 << 50,))
    f = made([Leaf(0)], ([SUM], Leaf(3, (2,)), (huge, SUM)) if nested else huge)
    counts = []
    for _ in range(2):
        for _ in range(1000):
            with pytest.raises(MemoryError):
                f(1.0)
        gc.collect()
        counts += [sys.getrefcount(np.dtype(float)), sys.getallocatedblocks()]
    assert abs(counts[2] - counts[0]) < 20 and abs(counts[3] - counts[1]) < 500
    assert gc.isenabled()


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_left_as_it_was(on):
    f = made([Leaf(0)], (SUM, SUM))
    try:
        gc.enable() if on else gc.disable()
        assert f(1.0) == (1.0, 1.0) and gc.isenabled() == on
    finally:
        gc.enable()


def test_finalizers_may_call_the_entry():
    f = made([Leaf(0)], ((SUM, (SUM,)), [Leaf(3)]))

    class Cycle:
        def __init__(self):
            self.me = self

        def __del__(self):
            f(100.0)

    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for _ in range(300):
            Cycle()
            kept = [f(1.0) for _ in range(3)]
            assert kept == [((1.0, (1.0,)), [2.0])] * 3
    finally:
        gc.set_threshold(*before)


def test_the_entry_owns_what_it_needs_and_no_more():
    slow = Slow()
    slow.entry = made([Leaf(0)], SUM, fallback=slow)
    gone = weakref.ref(slow)
    f = slow.entry
    del slow
    gc.collect()
    assert f(2.0) == 2.0 and gone() is not None and f("1")[0] is gone()
    del f
    gc.collect()
    assert gone() is None


def test_an_entry_may_be_dropped_by_its_fallback():
    holder = {}

    def fallback(*args):
        holder.clear()
        gc.collect()
        return args

    holder["f"] = made([Leaf(0)], SUM, fallback=fallback)
    del fallback
    assert holder["f"](True) == (True,)
    assert holder == {}


# -- Instances -------------------------------------------------------------------------


class Function:
    """Something with a slow call."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *args, **kwargs):
        return self, args, kwargs

    def __reduce__(self):
        return Function, (self.name,)


def test_attach():
    f, g = Function("f"), Function("g")
    slow = Function.__call__.__get__(f)
    attach(f, made([Leaf(0)], SUM, fallback=slow))
    assert f(2.0) == 2.0 and f("2")[0] is f and f(2.0, x=1) == (f, (2.0,), {"x": 1})
    assert f(2.0, out=np.zeros(())) == 2.0
    assert g(2.0)[0] is g
    assert isinstance(f, Function) and f.name == "f" and f.__doc__ == Function.__doc__
    assert type(f).__name__ == "Function" and repr(f).split(" at ")[0] in repr(g)
    assert type(pickle.loads(pickle.dumps(f))) is Function


def test_attach_again():
    f = Function("f")
    attach(f, made([Leaf(0)], SUM, fallback=Function.__call__.__get__(f)))
    kind, before = type(f), type(f).__call__
    attach(f, made([Leaf(0), Leaf(1)], SUM, fallback=before))
    assert type(f) is kind and kind.__base__ is Function
    assert f(1.0) == 1.0 and f(1.0, 2.0) == 3.0 and f("1")[0] is f


def test_attached_instances_are_collected():
    f = Function("f")
    attach(f, made([Leaf(0)], SUM, fallback=Function.__call__.__get__(f)))
    gone = weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None


# -- Where there are no entries --------------------------------------------------------


@pytest.fixture(autouse=True)
def no_mode_is_over():
    """Who asks forgets modes that are over; the fallbacks of these tests do not ask."""
    assert MODES.thread.recording


@pytest.fixture
def afresh():
    entry._machine.cache_clear()
    yield
    entry._machine.cache_clear()


@pytest.mark.parametrize("name", ["is_as_assumed", "new_array_address"])
def test_unknown_layouts(monkeypatch, afresh, name):
    monkeypatch.setattr(entry, name, lambda: 0)
    assert made([Leaf(0)], SUM) is None


def test_free_threaded_builds(monkeypatch, afresh):
    monkeypatch.setattr(machine_code.sysconfig, "get_config_var", lambda name: 1)
    assert made([Leaf(0)], SUM) is None


def test_without_llvmlite(monkeypatch, afresh):
    def missing():
        raise MissingDependencyError("no llvmlite")

    monkeypatch.setattr(entry, "engine", missing)
    assert made([Leaf(0)], SUM) is None


@pytest.mark.parametrize("field", [1, 2, 3, 7, 8])
def test_layouts_that_differ_are_seen(monkeypatch, field):
    assert machine_code._as_assumed()
    real = machine_code._words

    def off_by_one(address, count):
        words = real(address, count)
        if count == 9:  # an array
            words[field] += 1
        return words

    monkeypatch.setattr(machine_code, "_words", off_by_one)
    assert not machine_code._as_assumed()


@pytest.mark.parametrize("count", [2, 3, 4])
def test_numbers_and_containers_that_differ_are_seen(monkeypatch, count):
    real = machine_code._words

    def off_by_one(address, number):
        words = real(address, number)
        return [word + 8 for word in words] if number == count else words

    monkeypatch.setattr(machine_code, "_words", off_by_one)
    assert not machine_code._as_assumed()
