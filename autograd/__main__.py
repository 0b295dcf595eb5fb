"""``python -m autograd "tanh(w*x + b)" w=-3 x=2 b=6.88 --png neuron.png``.

Prints the formula's value, and for each name the gradient beside the finite difference;
draws the graph on request.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from autograd.checks.expression import CONSTANTS, Formula
from autograd.checks.gradcheck import gradcheck
from autograd.errors import AutogradError, ExpressionError
from autograd.numbers.value import Value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m autograd",
        allow_abbrev=False,
        description="Differentiate a formula, check the gradient, draw the graph.",
        epilog='example: python -m autograd "tanh(w*x + b)" w=-3 x=2 b=1 --png n.png',
    )
    parser.add_argument("formula", help='such as "tanh(w*x + b)"')
    parser.add_argument("numbers", nargs="*", metavar="name=number")
    parser.add_argument(
        "--png",
        metavar="FILE",
        help="draw the graph with its gradients; .svg and .pdf work too",
    )
    return parser


def _numbers(pairs: Sequence[str], formula: Formula) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for pair in pairs:
        name, sign, text = map(str.strip, pair.partition("="))
        try:
            number = float(text)
        except ValueError:
            found = f"{text!r} is not a number" if sign else "there is no '='"
            raise ExpressionError(
                f"expected name=number, got {pair.strip()!r}: {found}"
            ) from None
        if name in CONSTANTS:
            raise ExpressionError(
                f"{name} is the constant {CONSTANTS[name]!r} in a formula: give your "
                f"number another name"
            )
        if name in numbers:
            raise ExpressionError(
                f"{name} is given twice: {numbers[name]:g} and {number:g}"
            )
        numbers[name] = number
    missing = [name for name in formula.names if name not in numbers]
    unused = [name for name in numbers if name not in formula.names]
    if missing:
        raise ExpressionError(
            f"no number for {', '.join(missing)}; give {missing[0]}=..."
        )
    if unused:
        raise ExpressionError(f"{', '.join(unused)} does not occur in the formula")
    return numbers


def _run(args: argparse.Namespace) -> bool:
    """Print and draw; whether every gradient is right."""
    formula = Formula(args.formula)
    numbers = _numbers(args.numbers, formula)
    leaves = {name: Value(x, label=name) for name, x in numbers.items()}
    y: Any = formula(**leaves)
    if isinstance(y, list):
        raise ExpressionError("the formula is a list; it must be one number")
    print(f"{args.formula.strip()} = {y.data if isinstance(y, Value) else y!r}")
    names, right = list(numbers), True
    if names:
        report = gradcheck(
            lambda *xs: formula(**dict(zip(names, xs, strict=True))),
            *numbers.values(),
            raise_exception=False,
        )
        print(report.table(names))
        right = bool(report)
    if args.png is not None:
        from viz import render  # viz stands above autograd: imported when called

        if not isinstance(y, Value):
            y = Value(y, label=args.formula.strip())
        y.backward()
        print(f"wrote {render(y, args.png)}")
    return right


def _formulas_apart(given: Sequence[str]) -> list[str]:
    """The arguments, with a space before those such as -x, which are no options.

    What follows ``--png`` is a file's name, and after ``--`` nothing is an option.
    """
    end = given.index("--") if "--" in given else len(given)
    apart: list[str] = []
    for k, text in enumerate(given):
        option = text in ("-h", "--help", "--png") or text.startswith("--png=")
        if 0 < k < end and given[k - 1] == "--png":
            apart[-1] = f"--png={text}"
        elif k != end:
            plain = text[:1] != "-" or (option and k < end)
            apart.append(text if plain else f" {text}")
    return apart


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: all is well; 1: a gradient and its finite difference disagree; 2: a mistake.
    """
    args = _parser().parse_intermixed_args(
        _formulas_apart(sys.argv[1:] if arguments is None else arguments)
    )
    try:
        return 0 if _run(args) else 1
    except (AutogradError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
