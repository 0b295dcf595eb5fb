"""python -m autograd: values, gradients and pictures; mistakes in one line."""

import ast
import math

import pytest

import autograd
from autograd import ExpressionError, Value
from autograd.__main__ import main
from autograd.checks.expression import FUNCTIONS, Formula


def test_prints_value_gradients_and_differences(capsys):
    assert main(["tanh(w*x + b)", "w=-3", "x=2", "b=6.88"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tanh(w*x + b) = 0.7064193203972353"
    assert [line.split()[0] for line in lines[2:]] == ["w", "x", "b"]
    assert all(line.endswith("ok") for line in lines[2:])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_draws(capsys, tmp_path, suffix):
    target = tmp_path / f"neuron.{suffix}"
    assert main(["w*x", "w=2", "x=3", "--png", str(target)]) == 0
    assert target.stat().st_size > 500
    assert str(target) in capsys.readouterr().out


def test_a_formula_may_begin_with_a_minus(capsys):
    assert main(["-x", "x=2"]) == 0
    assert "-x = -2.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--", "-x", "x=2"],
        ["-x", "--", "x=2"],
        ["-x", "x=2", "--"],
        ["--png", "-.svg", "-x", "x=2"],
        ["--png=-.svg", "-x", "x=2"],
        ["-x", "--png", "-.svg", "x=2"],
    ],
)
def test_options_stand_anywhere(capsys, tmp_path, monkeypatch, arguments):
    """Before, between or behind formula and numbers; none stands behind ``--``."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    assert "-x = -2.0" in capsys.readouterr().out
    drawn = any("-.svg" in text for text in arguments)
    assert [p.name for p in tmp_path.iterdir()] == ["-.svg"] * drawn


@pytest.mark.parametrize("arguments", [[], ["--"], ["x", "x=1", "--png"]])
def test_what_is_missing_is_said_with_the_usage(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m autograd" in capsys.readouterr().err


def test_every_node_of_a_formula_has_a_meaning():
    """Whatever Python can parse is evaluated, or refused as an error of its own."""
    names = [k for k in vars(ast).values() if isinstance(k, type)]
    kinds = [k for k in names if issubclass(k, ast.operator | ast.cmpop | ast.unaryop)]
    x, y = ast.Name("x", ast.Load()), ast.Constant(2)
    for kind in {*kinds} - {ast.operator, ast.cmpop, ast.unaryop}:
        if issubclass(kind, ast.operator):
            node = ast.BinOp(x, kind(), y)
        elif issubclass(kind, ast.cmpop):
            node = ast.Compare(x, [kind()], [y])
        else:
            node = ast.UnaryOp(kind(), x)
        try:
            result = Formula(ast.unparse(node))(x=3.0)
        except ExpressionError as error:
            result = error
        assert type(result) is float or "\n" in str(result)  # it points at the place


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x +", "x=1"], "syntax"),
        (["x.__class__", "x=1"], "not part of a formula"),
        (["().__class__"], "not part of a formula"),
        (["__import__('os')"], "unknown function"),
        (["(lambda: 1)()"], "unknown function"),
        (["'text'"], "not part of a formula"),
        (["x if x else x", "x=1"], "not part of a formula"),
        (["foo(x)", "x=1"], "unknown function"),
        (["exp(x, x)", "x=1"], "1 operand"),
        (["clip(x)", "x=1"], "clip"),
        (["w*x", "w=1"], "no number for x"),
        (["x", "x=1", "y=2"], "does not occur"),
        (["x", "x=one"], "not a number"),
        (["x", "x"], "no '='"),
        (["[x]", "x=1"], "one number"),
        (["x" * 20_000], "characters"),
        (["(" * 5000 + "x" + ")" * 5000, "x=1"], "formula"),
        (["-" * 9000 + "x", "x=1"], "nested too deeply"),
        (["x", "x=1", "x=2"], "x is given twice: 1 and 2"),
        (["x", "x=1", " x =2"], "x is given twice"),
        (["e*x", "e=2", "x=1"], "e is the constant 2.718281828459045"),
        (["x", "pi=3", "x=1"], "pi is the constant"),
        (["x in [1]", "x=1"], "only two numbers are compared"),
        (["x not in [x]", "x=1"], "only two numbers are compared"),
        (["x is 1", "x=1"], "only two numbers are compared"),
        (["1 < x < 2", "x=1"], "only two numbers are compared"),
        (["[x] == 1", "x=1"], "expected a real number"),
        (["x", "x=1", "--", "--png"], "got '--png'"),
        (["x", "x=1", "--pn", "a.svg"], "got '--pn'"),
        (["x", "x=1", "--png", ""], "'' does not end in a known format"),
        (["x", "x=1", "--png="], "'' does not end in a known format"),
        (["x", "x=1", "--png", "no/such/folder/a.png"], "no/such/folder"),
        (["x", "x=1", "--png", "a.bmp3"], "bmp3"),
    ],
)
def test_mistakes_are_one_clear_error(capsys, arguments, said):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("terms", [2, 900, 2500])
def test_long_sums(capsys, terms):
    assert main(["+".join(["x"] * terms), "x=0.5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(f"= {terms / 2}")
    assert lines[2].split()[:2] == ["x", str(terms)]


def test_a_sum_of_any_length_works_or_is_refused(capsys):
    """How deep Python's own parser reads depends on its version."""
    status = main(["+".join(["x"] * 4500), "x=1"])
    captured = capsys.readouterr()
    assert status == 0 or "nested too deeply" in captured.err


def test_longer_sums_have_another_spelling():
    assert Formula(f"sum({','.join(['x'] * 4500)})")(x=0.5) == 2250.0


def test_a_wrong_gradient_is_the_exit_status(capsys, tmp_path, monkeypatch):
    wrong = autograd.Primitive("sin", math.sin, lambda x, y: y)
    monkeypatch.setitem(FUNCTIONS, "sin", wrong)
    target = tmp_path / "a.svg"
    assert main(["sin(2*x)", "x=1", "--png", str(target)]) == 1
    assert "WRONG" in capsys.readouterr().out
    assert target.exists()


def test_only_public_functions_are_listed():
    builtin = {"abs", "pow", "max", "min", "fabs"}
    assert set(FUNCTIONS) - builtin <= set(autograd.__all__)
    with pytest.raises(ExpressionError, match="unknown function"):
        Formula("sech2(x)")


def test_names_stand_in_the_order_of_the_text():
    assert Formula("[b * -a, max(d, c)]").names == ("b", "a", "d", "c")
    assert Formula("x*y + where(x > z, w, y)").names == ("x", "y", "z", "w")


def test_operands_keep_their_order():
    f = Formula("dot([1, 2], [a, b - 1], pow(a, b)) - 2 ** 3 / (4 - 1) % 2")
    assert f(a=3.0, b=4.0) == 3 + 2 * 3 + 81 - 2**3 / 3 % 2
    assert Formula("sum(1, 2, 3) + sum([4]) + sum([])")() == 10.0


def test_all_listed_functions_are_callable_in_a_formula():
    x = Value(0.5)
    for name in FUNCTIONS:
        if name in ("dot", "where", "clip"):
            continue
        for operands in ("x", "x, x", "1, x"):
            try:
                Formula(f"{name}({operands})")(x=x)
                break
            except ExpressionError:
                continue
        else:
            pytest.fail(f"{name} cannot be called")


def test_lists_constants_and_comparisons():
    f = Formula("dot([w, 2], [x, 3], pi - pi) + where(x >= 1, e, inf)")
    assert f.names == ("w", "x")
    assert f(w=1.0, x=4.0) == pytest.approx(12.718281828459045)
    assert Formula("9 ** 9 ** 9 ** 9")() == float("inf")
    assert Formula("1 / 0")() == float("inf")
