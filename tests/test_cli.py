"""python -m autograd: values, gradients and pictures; mistakes in one line."""

import ast
import math
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import autograd
from autograd import ExpressionError, Value
from autograd.__main__ import main
from autograd.checks.expression import (
    CONSTANTS,
    FUNCTIONS,
    OPERATORS,
    Formula,
    suggestion,
)
from autograd.cli.arguments import FILES, FLAGS


def test_prints_value_gradients_and_differences(capsys):
    assert main(["tanh(w*x + b)", "w=-3", "x=2", "b=6.88"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "tanh(w*x + b) = 0.7064193203972353"
    assert [line.split()[0] for line in lines[2:]] == ["w", "x", "b"]
    assert all(line.endswith("ok") for line in lines[2:])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_draws(capsys, tmp_path, suffix):
    target = tmp_path / f"neuron.{suffix}"
    assert main(["w*x", "w=2", "x=3", f"--{suffix}", str(target)]) == 0
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
        ["--svg", "-.svg", "-x", "x=2"],
        ["--svg=-.svg", "-x", "x=2"],
        ["-x", "--svg", "-.svg", "x=2"],
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
        (["x", "x=1", "--png", ""], "ends in .png, got '': write --png graph.png"),
        (["x", "x=1", "--png="], "ends in .png, got '': write --png graph.png"),
        (["x", "x=1", "--png", "no/such/folder/a.png"], "no/such/folder"),
        (["x", "x=1", "--html", "no/such/folder/a.html"], "no/such/folder"),
        (["x", "x=1", "--png", "a.bmp3"], "write --png a.bmp3.png"),
        (["x", "x=1", "--png", "a.SVG"], "write --svg a.SVG"),
        (["x", "x=1", "--html", "a.pdf"], "write --pdf a.pdf"),
        ([""], "the formula is empty"),
        (["x", "x="], "'' is not a number; write one such as x=0.5"),
        (["x", "x=2*y"], "not a number"),
        (["x", "x=[1]"], "not a number"),
        (["x", "x=3,5"], "did you mean x=3.5?"),
        (["x", "x=−3"], "did you mean x=-3?"),
        (["x", "x=2^3"], "did you mean x=2**3?"),
        (["x", "+", "y", "x=1", "y=2"], "stands in quotes"),
        (["wx + b", "w=1", "x=2", "b=3"], "or did you mean\n  w*x + b"),
        (["π*x", "x=2"], "or did you mean\n  pi*x"),
        (["foo*x", "x=2"], "no number for foo: give foo=...\n"),
        (["α + foo(α)", "α=1"], "\n  α + foo(α)\n      ^\n"),
    ],
)
def test_mistakes_are_one_clear_error(capsys, arguments, said):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert said in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("written", "python"),
    [
        ("x^2", "x**2"),
        ("2x", "2*x"),
        ("2(x+1)", "2*(x+1)"),
        ("(x+1)(x-1)", "(x+1)*(x-1)"),
        ("x(y+1)", "x*(y+1)"),
        ("2 x", "2*x"),
        ("2.5e-3x", "2.5e-3*x"),
        ("3x^2 + 2x + 1", "3*x**2 + 2*x + 1"),
        ("sin(x)cos(x)", "sin(x)*cos(x)"),
        ("ln(x)", "log(x)"),
        ("sen(x)", "sin(x)"),
        ("tg(x)", "tan(x)"),
        ("Sin(x)", "sin(x)"),
        ("sigmiod(x)", "sigmoid(x)"),
        ("math.sin(x) + np.exp(x)", "sin(x) + exp(x)"),
        ("sin^2(x)", "sin(x)**2"),
        ("sin²(x + 1) + 1", "sin(x + 1)**2 + 1"),
        ("sin x + 1", "sin(x) + 1"),
        ("|x|", "abs(x)"),
        ("2|x| + |y - |z||", "2*abs(x) + abs(y - abs(z))"),
        ("|x||y|", "abs(x)*abs(y)"),
        ("x²y⁻¹", "x**2*y**-1"),
        ("2×x·y", "2*x*y"),
        ("x − 1", "x - 1"),
        ("x ÷ 2", "x / 2"),
        ("where(x ≤ 1, x, 1)", "where(x <= 1, x, 1)"),
        ("√x + √(y) + √2", "sqrt(x) + sqrt(y) + sqrt(2)"),
        ("2π", "2*pi"),
        ("3,5*x", "3.5*x"),
        ("(0,5 + x)^2", "(0.5 + x)**2"),
        ("max(3,5)^2", "max(3,5)**2"),
        ("y = x^2", "x**2"),
        ("f(x) = 2x", "2*x"),
        ("e^x", "e**x"),
        ("α²", "α**2"),
    ],
)
def test_a_formula_written_as_elsewhere_is_answered_by_what_was_meant(written, python):
    """The whole of it, to be copied: what is offered can be read."""
    with pytest.raises(ExpressionError) as raised:
        Formula(written)
    said = str(raised.value)
    assert said.endswith(f": did you mean\n  {python}")
    assert " is written " in said or "with " in said or "left side" in said
    assert Formula(python).text == python


@pytest.mark.parametrize(
    "written",
    ["sin 2x", "foo(x)", "x|y", "x and y", "x +* y", "|x", "1 < x < 2", "$x$"],
)
def test_what_could_mean_several_things_is_not_guessed(written):
    with pytest.raises(ExpressionError) as raised:
        Formula(written)
    assert "did you mean" not in str(raised.value)


@pytest.mark.parametrize(
    "written", ["max(3,5)", "x*2e3", "[1,2][0]", "1 == 2", "dot([1],[2])"]
)
def test_what_is_python_already_stays_as_it_is(written):
    assert suggestion(written) is None


def test_numbers_may_be_formulas(capsys):
    assert main(["2*x + y", "x=pi/2", "y=-1/4"]) == 0
    assert f"= {math.pi - 0.25}\n" in capsys.readouterr().out


LINES = "# of a neuron\nw = -3\n\nx=2  # the input\nb=1/2\nother=7\n"
JSON = '{"w": -3, "x": 2, "b": 0.5, "other": 7}'


@pytest.mark.parametrize("text", [LINES, JSON, f"\ufeff{LINES}", f"  {JSON}"])
def test_numbers_come_from_a_file_too(capsys, tmp_path, text):
    file = tmp_path / "numbers.txt"
    file.write_text(text, encoding="utf-8")
    assert main(["w*x + b", "--numbers", str(file)]) == 0
    assert "w*x + b = -5.5\n" in capsys.readouterr().out
    assert main(["w*x + b", "x=4", f"--numbers={file}"]) == 0  # the command wins
    assert "w*x + b = -11.5\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("w=1\nx 2\n", "numbers:2: expected name=number, got 'x 2'"),
        ("w=1\n\nx=two\n", "numbers:3: expected name=number, got 'x=two'"),
        ("x=3,5", "numbers:1: expected name=number, got x=3,5"),
        ("x=1\nw=1\nx=2", "numbers:3: x is given twice: 1 and 2"),
        ("pi=3", "numbers:1: pi is the constant"),
        ("w=1", "no number for x"),
        ('{"w": 1, "x": "2"}', 'such as {"w": -3, "x": 2}, got {"x": "2"}'),
        ('{"w": 1, "x": true}', 'got {"x": true}'),
        ("[1, 2]", "got [1.0, 2.0]"),
        ('{"w": 1', "is no JSON (Expecting"),
        ('{"w": 1, "e": 2}', "e is the constant"),
        (b"\xff\xfe\x00", "is not a text"),
        (None, "No such file"),
    ],
)
def test_mistakes_in_a_file_name_it_and_the_line(capsys, tmp_path, text, said):
    file = tmp_path / "numbers"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["w*x", "--numbers", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_a_live_page_latex_and_the_chain_rule(capsys, tmp_path):
    page, drawn = tmp_path / "a.html", tmp_path / "a.svg"
    given = ["--latex", "tanh(w*x)", "--explain", "w=1", f"--html={page}", "x=2"]
    assert main([*given, "--svg", str(drawn)]) == 0
    out = capsys.readouterr().out
    assert r"\frac{\partial y}{\partial w}" in out
    assert "dy/dx = 0.0706508" in out
    assert "<script" in page.read_text(encoding="utf-8")
    assert "</svg>" in drawn.read_text(encoding="utf-8")


def test_a_formula_without_names_has_everything_but_a_gradient(capsys, tmp_path):
    page = tmp_path / "a.html"
    assert main(["2 + 3", "--latex", "--explain", "--html", str(page)]) == 0
    assert capsys.readouterr().out.startswith("2 + 3 = 5.0\n")
    assert page.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sqrt(x) + log(y)", "x=0", "y=-1"], "because log(y) is nan: log of -1.0"),
        (["x + 1/0", "x=1"], "because 1/0 is inf: divide of 1.0 and 0.0"),
        (["exp(x)", "x=1000"], "because exp(x) is inf: exp of 1000.0"),
        (["2*x", "x=inf"], "because 2*x is inf: multiply of 2.0 and inf"),
        (["where(x > 0, log(x), 0)", "x=-1"], "although log(x) is nan: log of -1.0"),
        (["sqrt(x)", "x=0"], "because backward through sqrt gave gradient inf"),
        (["+".join(["x"] * 2500), "x=nan"], "because x+x is nan: add of nan and nan"),
    ],
)
def test_a_nan_or_infinity_says_why(capsys, arguments, said):
    assert main(arguments) == 0
    assert f"\n  {said}" in capsys.readouterr().out


def test_finite_numbers_need_no_reason(capsys):
    main(["sqrt(x)", "x=4"])
    assert "because" not in capsys.readouterr().out


def test_columns_say_what_they_are(capsys):
    main(["x", "x=1"])
    head = capsys.readouterr().out.splitlines()[1].split("  ")
    assert ["abs. error", "known to", "finest step"] == head[-3:]


def test_help_lists_all_that_there_is(capsys, monkeypatch):
    monkeypatch.setitem(FUNCTIONS, "zebra", FUNCTIONS["sin"])
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    words = capsys.readouterr().out.replace(",", " ").split()
    assert {*FUNCTIONS, *CONSTANTS, *FILES, *FLAGS} <= {*words}
    start = words.index("operators:") + 1
    signs = words[start : words.index("(^")]
    assert len(signs) == len({*signs}) == len(OPERATORS) - 2  # - and + once


@pytest.mark.parametrize(
    ("option", "said"),
    [("--pn", "did you mean --png?"), ("--htm=a", "--html?"), ("--zzz", " -h")],
)
def test_an_unknown_option_is_answered_by_a_known_one(capsys, option, said):
    with pytest.raises(SystemExit) as ended:
        main(["x", "x=1", option, "a.png"])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_version_says_which_engine_runs(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    said = f"scalar-autograd {autograd.__version__} ({autograd.engine()} engine)"
    assert capsys.readouterr().out.strip() == said


def test_the_command_has_a_name_when_installed(tmp_path):
    """What pip writes for it, as pyproject.toml says: it runs, and calls itself so."""
    root = Path(__file__).parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    module, function = project["scripts"]["scalar-autograd"].split(":")
    command = tmp_path / "scalar-autograd"
    command.write_text(
        f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n"
    )
    run = subprocess.run(
        [sys.executable, command, "-h"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert run.stdout.startswith("usage: scalar-autograd ")


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
    assert main(["sin(2*x)", "x=1", "--svg", str(target)]) == 1
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


def test_a_function_without_brackets_and_a_file_that_is_not_there(capsys, tmp_path):
    assert main(["tanh", "x=3"]) == 2
    assert "tanh is a function: write tanh(x)" in capsys.readouterr().err
    assert main(["x", "--numbers", str(tmp_path / "none")]) == 2
    assert "cannot be read (No such file" in capsys.readouterr().err
