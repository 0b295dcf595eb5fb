"""Programs for type checkers: every operator and method of Value, README, examples.

``EXPRESSIONS`` says of each expression what comes; the same list is run, so that what
type checkers are told is true.
"""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from autograd.numbers.operators import BINARY, COMPARISONS, METHODS, UNARY

ROOT = Path(__file__).parent.parent
PRELUDE = """\
from fractions import Fraction
from typing import Any, assert_type
import math
import numpy as np
import autograd as ag
from autograd import Value

v, w, f, i, flag = Value(0.5, label="v"), Value(0.25), 0.5, 2, True
half, single, double, long = Fraction(1, 2), np.float32(0.5), np.float64(0.5), np.int64(2)
array = np.array([0.5, 0.25])
"""
PLAIN = ("f", "i", "flag", "half", "single", "double", "long")
SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//"}
SIGNS |= {"mod": "%", "pow": "**", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
FUNCTIONS = {  # of Python, for the operators that have no sign
    "neg": "-{}",
    "abs": "abs({})",
    "floor": "math.floor({})",
    "ceil": "math.ceil({})",
    "trunc": "math.trunc({})",
}


def _expressions():
    """(expression, type of its result), for all rows."""
    for name in BINARY:
        sign = SIGNS[name]
        for other in ("w", *PLAIN):
            yield f"v {sign} {other}", "Value"
        for other in PLAIN:
            yield f"{other} {sign} v", "Value"
        yield f"v {sign} array", "np.ndarray[Any, Any]"
    for name in COMPARISONS:
        for other in ("w", *PLAIN):
            yield f"v {SIGNS[name]} {other}", "bool"
    for other in ("w", *PLAIN):
        yield f"v == {other}", "bool"
        yield f"{other} != v" if other in ("w", "f", "i") else f"v != {other}", "bool"
    for name in UNARY:
        yield FUNCTIONS[name].format("v"), "Value"
    for name, row in METHODS.items():
        more = "" if row.arity == 1 else "w"
        yield f"v.{name}({more})", "Value"
        if row.arity == 2:
            yield f"v.{name}(f)", "Value"
    for name in ("exp", "tanh", "relu", "square", "silu", "digamma", "leaky_relu"):
        yield f"ag.{name}(v)", "Value"
        yield f"ag.{name}(f)", "float"
    for name in ("arctan2", "hypot", "power", "logaddexp"):
        yield f"ag.{name}(v, w)", "Value"
        yield f"ag.{name}(f, f)", "float"
    for name in ("sum", "prod", "mean", "logsumexp", "maximum", "minimum"):
        yield f"ag.{name}([v, w])", "Value"
        yield f"ag.{name}([f, f])", "float"
    yield from {
        "+v": "Value",
        "divmod(v, f)": "tuple[Value, Value]",
        "divmod(f, v)": "tuple[Value, Value]",
        "v.clip(0.0, 1.0)": "Value",
        "v.detach()": "Value",
        "v.item()": "float",
        "v.data": "float",
        "v.grad": "float",
        "v.label": "str",
        "v.op": "str",
        "bool(v)": "bool",
        "ag.less(v, f)": "float",
        "ag.where(v > 0, v, 0.0)": "Value",
        "ag.where(f > 0, f, 0.0)": "float",
        "ag.clip(v, 0, 1)": "Value",
        "ag.clip(f, 0, 1)": "float",
        "ag.maximum(v, 0.0)": "Value",
        "ag.maximum(0.0, v)": "Value",
        "ag.dot([v, w], [w, v], v)": "Value",
        "ag.dot([v, w], [f, f])": "Value",
        "ag.dot([f], [f], 1.0)": "float",
        "ag.softmax([v, w])": "list[Value]",
        "ag.softmax([f, f])": "list[float]",
    }.items()


EXPRESSIONS = list(_expressions())
REFUSED = """\
Value("2")  # type: ignore[arg-type]
v * "2"  # type: ignore[operator]
v.no_such_method()  # type: ignore[attr-defined]
assert_type(v * w, float)  # type: ignore[assert-type]
"""  # mypy complains of an ignored error that is none


def write(folder):
    """The programs as files: operators and README strictly typed, and the examples."""
    lines = [
        f"{text}  # {kind}" if "ndarray" in kind else f"assert_type({text}, {kind})"
        for text, kind in EXPRESSIONS
    ]
    strict = folder / "strict"
    strict.mkdir(parents=True)
    (strict / "operators.py").write_text("\n".join([PRELUDE, *lines, REFUSED]), "utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for k, block in enumerate(re.findall(r"```python\n(.*?)```", readme, re.DOTALL)):
        (strict / f"readme_{k}.py").write_text(block, "utf-8")
    shutil.copytree(ROOT / "examples", folder / "examples")


def complaints(folder, python, examples=True):
    """What mypy, and pyright where it is installed, say of the programs; "" if nothing.

    ``python`` is the one whose packages the programs import.
    """
    strict = sorted((folder / "strict").glob("*.py"))
    more = sorted((folder / "examples").glob("*.py")) if examples else []
    mypy = [sys.executable, "-m", "mypy", "--python-executable", python, "--strict"]
    mypy += ["--cache-dir", folder / "cache", "--no-error-summary"]
    commands = [[*mypy, *strict]]
    if examples:  # whose own functions have no types, nor have some libraries
        own = ["untyped-defs", "incomplete-defs", "untyped-calls"]
        allowed = [f"--allow-{name}" for name in own]
        commands.append([*mypy, *allowed, "--ignore-missing-imports", *more])
    if find_spec("pyright"):
        pyright = [sys.executable, "-m", "pyright", "--pythonpath", python]
        commands.append([*pyright, *strict, *more])
    said = []
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            said.append(done.stdout + done.stderr)
    return "\n".join(said)
