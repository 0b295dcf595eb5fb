"""Every message: is it provoked by a test, and does it say what to do?

What is judged is what the tests of this run provoked (``provoked``), and what the table
below provokes beside. Whether every place is provoked can be asked only of a run of the
whole suite; this file comes last in it.
"""

import ast
import functools
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import provoked
import pytest

import autograd as ag
import nn
import viz
from autograd import Primitive, Value, errors, jit, value_and_grad, vmap
from autograd.checks.expression import Formula
from autograd.cli.numbers import numbers_of
from autograd.table.primitives import TABLE
from nn.estimators.missing import stand_in

ROOT = provoked.ROOT

# -- What no other test provokes by pytest.raises -------------------------------------

chooses = Primitive("chooses", lambda x: x, lambda x, y: 1.0 if x > 0 else 0.0)
X, V = np.arange(6.0).reshape(3, 2), np.arange(3.0)


def _overflowing_sum():
    with ag.detect_anomaly():
        v = Value(1e-10) * 1.0
        (v * 1.5e308 + v * 1.5e308).backward()


def _by_hand(x):
    square = x[0] * x[0]
    out = Value(square.data, (square,), "own")
    out._backward = lambda: None
    return out


def _double(x):
    return x * 2


def _numbers(text, *pairs):
    return lambda folder: numbers_of(Formula(text), pairs, None)


def _file(content):
    def read(folder):
        path = folder / "numbers"
        path.write_bytes(content)
        numbers_of(Formula("w*x"), [], str(path))

    return read


def _loaded(**more):
    def load(folder):
        model = nn.Neuron(2)
        path = folder / "model.json"
        model.save(path)
        found = json.loads(path.read_text())
        found["architecture"] = json.dumps(json.loads(found["architecture"]) | more)
        path.write_text(json.dumps(found))
        nn.load(path)

    return load


def _without(package, call):
    def provoke(folder):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, package, None)
            call()

    return provoke


def _broken_ffmpeg(folder):
    program = folder / "ffmpeg"
    program.write_bytes(b"\0no program")
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        viz.animate(Value(1.0) * 2.0, folder / "film.mp4")


def _explained():
    x = Value(2.0, label="x")
    return str(ag.explain(chooses(x), wrt=x))


PROVOCATIONS = {
    "a sum that overflows": lambda _: _overflowing_sum(),
    "no path to list": lambda _: ag.explain(Value(1.0) * 2.0, Value(1.0), largest=0),
    "a long formula": lambda _: Formula("x" * 20_000),
    "an empty formula": lambda _: Formula(" "),
    "a keyword in a formula": lambda _: Formula("exp(x=1)"),
    "a deep formula": lambda _: Formula("-" * 9000 + "x"),
    "a NUL in a formula": lambda _: Formula("x\0"),
    "too many operands": lambda _: Formula("exp(x, x)")(x=1.0),
    "no number for a name": _numbers("x"),
    "a function without brackets": _numbers("tanh", "x=3"),
    "no such file": lambda folder: numbers_of(Formula("x"), [], str(folder / "none")),
    "a number too many": _numbers("x", "x=1", "y=2"),
    "a decimal comma": _numbers("x", "x=3,5"),
    "no number": _numbers("x", "x=one"),
    "no equals sign": _numbers("x", "x"),
    "a constant": _numbers("x", "e=1"),
    "a name twice": _numbers("x", "x=1", "x=2"),
    "a file that is no text": _file(b"\xff\xfe\x00"),
    "a file that is no JSON": _file(b"{"),
    "a file of other JSON": _file(b"[1]"),
    "a name twice in a file": _file(b"w=1\nw=2"),
    "a list": lambda _: _cli("[x]", "x=1"),
    "another ending": lambda _: _cli("x", "x=1", "--png", "a.svg"),
    "a condition in a partial": lambda _: jit(
        value_and_grad(lambda x: ag.sum([chooses(t) for t in x])), backend="numpy"
    )([1.0, 2.0, 3.0]),
    "a condition on symbols": lambda _: _explained(),
    "the gradient of a batch": lambda _: jit(
        value_and_grad(lambda x: vmap(lambda row: row[0] * row[1])(x))
    )(X),
    "a Value beside a batch": lambda _: jit(
        lambda w, x: vmap(lambda row: row[0] * w)(x)
    )(Value(2.0), X),
    "traced sequences of several lengths": lambda _: ag.trace(
        lambda a, b: TABLE["dot"]([a, b], [a], [0.0]), 1.0, 2.0
    ),
    "a condition on a batch": lambda _: jit(lambda x: bool(vmap(_double)(x)))(V),
    "a batch with another array": lambda _: jit(
        lambda x: vmap(_double)(x) + np.arange(4.0)
    )(V),
    "a product over a batch": lambda _: jit(lambda x: ag.prod(vmap(_double)(x)))(V),
    "rows of several widths": lambda _: ag.affine([[1.0, 2.0], [1.0]], [0.0, 0.0]),
    "partials given twice": lambda _: Primitive(
        "odd", lambda x: x, lambda x, y: 1.0, joint=lambda xs, y: (1.0,)
    ),
    "a sparse Hessian of an operation made by hand": lambda _: ag.hessian(
        _by_hand, sparse=True
    )([1.0, 2.0]),
    "no SciPy": _without(
        "scipy", lambda: ag.hessian(lambda x: x[0] * x[1], sparse=True)([1.0, 2.0])
    ),
    "no matplotlib": _without(
        "matplotlib", lambda: viz.network(nn.MLP(2, [1], seed=0))
    ),
    "no scikit-learn": lambda _: stand_in("Any", ImportError())(),
    "a model whose names are none": _loaded(inputs=3),
    "a model of an unknown kind": _loaded(kind="Cell"),
    "a sparse matrix": lambda _: nn.accuracy(_sparse(), [1.0]),
    "an ffmpeg that does not run": _broken_ffmpeg,
}


def _sparse():
    return pytest.importorskip("scipy.sparse").csr_matrix(X)


def _cli(*words):
    from autograd.cli import arguments
    from autograd.cli.output import show

    args = arguments.read(words, "")
    formula = Formula(args.formula)
    show(formula, numbers_of(formula, args.numbers, args.file), args)


@pytest.mark.parametrize("name", PROVOCATIONS)
def test_a_mistake_is_refused(name, tmp_path):
    if name == "an ffmpeg that does not run" and os.name != "posix":
        pytest.skip("needs modes of POSIX")
    ours = (errors.AutogradError, TypeError, ValueError)
    with pytest.raises(ours):
        PROVOCATIONS[name](tmp_path)


# -- The rules ------------------------------------------------------------------------

FACTS = (errors.AnomalyError,)  # reports: what to do depends on the user's program
PARSER = "self._error(error.msg"  # the words of Python's parser, with the place below
EXPECTS = r"must|expected|one of|at least|known are|needs?|did you mean|has no argument"
DO = (
    "add|allow|animate|assign|begin|build|call|change|check|choose|compute|create|draw|"
    "explore|fill|fit|flatten|format|give|go|hold|install|keep|leave|load|look|make|map|"
    "measure|move|name|open|pass|put|raise|reduce|remove|report|rename|restore|return|run|save|"
    "scale|see|set|show|start|subtract|take|train|try|turn|use|write"
)
REMEDY = re.compile(
    rf"\b({EXPECTS})\b|[:;,.(] (or |and |either |please )*({DO})\b|^({DO})\b", re.I
)


def _judged():
    """What was raised on purpose: errors of other libraries pass as they are."""
    for (name, line), (kind, text) in provoked.PROVOKED.items():
        for file, first, last, code in _sites():
            here = file == name and first <= line <= last
            if here and not code.startswith(PARSER):
                yield f"{name}:{line}", kind, text


def test_a_message_says_what_to_do():
    silent = {
        place: text
        for place, kind, text in _judged()
        if not issubclass(kind, FACTS) and not REMEDY.search(text)
    }
    assert not silent


def test_a_message_can_be_read():
    """A clause or more, no address of an object, no wall of text."""
    for place, _, text in _judged():
        assert len(text.split()) >= 4, place
        assert not re.search(r" at 0x[0-9a-f]+", text), place
        assert len(text) < 1500, place
        assert not re.search(r"  +\S", text.partition("\n")[0]), place


# -- Every place ----------------------------------------------------------------------

BY_OTHERS = "another part refuses it before, with a message of its own"
ENGINE = "the engine in Python or the one in C comes here, not both"
INTERNAL = "a check of the compiler's own work"
UNREACHABLE = {  # the start of the code that is raised -> why no provocation is asked
    "cycle_through(node)": ENGINE,
    "TypeError('data is a plain number, got a Value": ENGINE,
    "ValueError(f\"AUTOGRAD_ENGINE is 'native'": "at import, in a process of its own",
    "ShapeError(f'{self.layout.inputs} numbers are needed": INTERNAL,
    "ShapeError(f'{n} numbers and a direction of": BY_OTHERS,
    "TraceError('a batch cannot be replayed on nodes": BY_OTHERS,
    "ShapeError(f'batches of {self.samples} and of": BY_OTHERS,
    "GraphError('an operation made by hand cannot be evaluated": BY_OTHERS,
    'TypeError(f"{primitive.name} of such numbers takes no': BY_OTHERS,
    "DataError('sample_weight is 0 for every sample": "newer scikit-learn refuses it",
    "ExpressionError(f'the formula cannot be read": "before CPython 3.12: a NUL",
}


SEEN = {*errors.__all__, "TypeError", "ValueError"}


@functools.cache
def _sites():
    """(file, first line, last line, what is raised) of errors that users see."""
    return [
        (path.relative_to(ROOT).as_posix(), at.lineno, at.end_lineno, code)
        for package in provoked.PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for at, code in _raised(path)
    ]


def _raised(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            kind = ast.unparse(node.exc.func).rpartition(".")[2]
            if kind in SEEN or kind.lstrip("_")[:1].islower():  # made by a function
                yield node, ast.unparse(node.exc)


def _whole(config):
    """Whether all tests are run: no file, no part and no name was asked for."""
    chosen = config.getoption("keyword") or config.getoption("markexpr")
    given = {(config.invocation_params.dir / path).resolve() for path in config.args}
    return not chosen and bool(given & {ROOT, ROOT / "tests"})


def test_every_message_is_provoked(request):
    if sys.platform != "linux" or not _whole(request.config):
        pytest.skip("asks what all tests provoked, on Linux")
    lines = {}
    for file, line in [*provoked.PROVOKED, *filter(None, provoked.PARTS)]:
        lines.setdefault(file, set()).add(line)
    missed = [
        f"{file}:{first}: {code}"
        for file, first, last, code in _sites()
        if not lines.get(file, set()) & {*range(first, last + 1)}
        and not code.startswith(tuple(UNREACHABLE))
    ]
    assert not missed


def test_what_is_excused_is_there():
    codes = [code for *_, code in _sites()]
    assert len(codes) > 300
    for start in UNREACHABLE:
        assert any(code.startswith(start) for code in codes), start


def test_the_rule_can_fail():
    for silent in ("x is wrong", "the use of it", "2 weights, 3 inputs", "a fit"):
        assert not REMEDY.search(silent)
    for helpful in ("no: use y", "x must be 1, got 2", "write [x] for one"):
        assert REMEDY.search(helpful)


def test_provocations_are_recorded():
    before = dict(provoked.PROVOKED)
    provoked.PROVOKED.clear()
    with suppress(AttributeError), pytest.raises(errors.ShapeError):
        ag.dot([1.0], [1.0, 2.0])
    ((place, (_, text)),) = provoked.PROVOKED.items()
    provoked.PROVOKED.update(before)
    assert place[0] == "autograd/numbers/functions.py"
    assert "dot of 1 weights with 2 inputs" in text
    line = (ROOT / place[0]).read_text().splitlines()[place[1] - 1]
    assert "raise ShapeError(" in line


def test_this_file_comes_last(request):
    names = [Path(item.path).name for item in request.session.items]
    assert names[-1] == "test_messages.py"
    first = names.index("test_messages.py")
    assert set(names[first:]) == {"test_messages.py"}
