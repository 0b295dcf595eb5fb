"""What type checkers are told: generated, complete, and true."""

import importlib
import math
import sys
import warnings
from pathlib import Path

import pytest
import typed_programs

from autograd import Value

ROOT = Path(__file__).parent.parent


def test_the_signatures_are_up_to_date():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        module = importlib.import_module("signatures").module()
    finally:
        sys.path.pop(0)
    assert (ROOT / "autograd/signatures.pyi").read_text(encoding="utf-8") == module


def test_every_operator_and_method_has_a_signature():
    """Whatever Value got from the table stands in the file that checkers read."""
    text = (ROOT / "autograd/signatures.pyi").read_text(encoding="utf-8")
    source = (ROOT / "autograd/numbers/value.py").read_text(encoding="utf-8")
    for name, made in vars(Value).items():
        if callable(made) and f"def {name}(" not in source and name != "__hash__":
            assert f"def {name}(" in text, name


@pytest.fixture(scope="module")
def names():
    namespace = {}
    exec(typed_programs.PRELUDE, namespace)
    return namespace


@pytest.mark.parametrize(("text", "kind"), typed_programs.EXPRESSIONS)
def test_what_is_told_is_what_comes(text, kind, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = eval(text, names)
    outer = kind.split("[")[0]
    assert isinstance(result, eval(outer, names))
    if outer in ("list", "tuple"):
        inner = kind[:-1].split("[")[1].split(", ")[0]
        assert {isinstance(x, eval(inner, names)) for x in result} == {True}


def test_wrong_kinds_of_numbers_are_still_errors():
    for wrong in ("2", None, 1j, [1.0]):
        with pytest.raises(TypeError):
            Value(wrong)
        with pytest.raises(TypeError):
            Value(1.0) * wrong
    assert math.isfinite(Value(1.0).data)
