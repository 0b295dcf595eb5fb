"""What a command can hold, in one table; formulas such as -x are no options.

Options may stand before, between and behind the formula and its numbers; behind ``--``
nothing is an option.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from textwrap import fill

from autograd.checks.expression import CONSTANTS, FUNCTIONS, OPERATORS, sign_of

FILES = {  # options that name a file
    "--numbers": "read numbers from a file: lines name=number, or JSON",
    "--png": "draw the graph with its gradients as PNG",
    "--svg": "the same as SVG",
    "--pdf": "the same as PDF",
    "--html": "write a live page of the graph",
}
FLAGS = {
    "--latex": "print the formula and its gradient for LaTeX",
    "--explain": "print the chain rule of each gradient, path by path",
}
_ALONE = ("-h", "--help", "--version")
_WIDTH = 78


def read(given: Sequence[str], version: str) -> argparse.Namespace:
    """The arguments by name; exits as argparse does for help and for mistakes."""
    parser = _parser(version)
    for text in given[: given.index("--")] if "--" in given else given:
        name = text.partition("=")[0]
        known = (*FILES, *FLAGS, *_ALONE)
        if re.fullmatch("--[a-z][a-z-]*", name) and name not in known:
            close = get_close_matches(name, known, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"see {parser.prog} -h"
            parser.error(f"there is no option {name}: {remedy}")
    return parser.parse_intermixed_args(_formulas_apart(given))


def _parser(version: str) -> argparse.ArgumentParser:
    own = Path(sys.argv[0]).stem == "scalar-autograd"
    prog = "scalar-autograd" if own else "python -m autograd"
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Differentiate a formula, check the gradient, draw the graph.",
        epilog=_epilog(prog),
    )
    parser.add_argument("formula", help='such as "tanh(w*x + b)", in quotes')
    parser.add_argument(
        "numbers",
        nargs="*",
        metavar="name=number",
        help="for each name; the number may be a formula, as in x=pi/2",
    )
    for name, said in FILES.items():
        dest = "file" if name == "--numbers" else None
        parser.add_argument(name, metavar="FILE", help=said, dest=dest)
    for name, said in FLAGS.items():
        parser.add_argument(name, action="store_true", help=said)
    parser.add_argument("--version", action="version", version=version)
    return parser


def _epilog(prog: str) -> str:
    tables = {
        "operators": (" ".join(_signs()), "(^ is written **, 2x is 2*x)"),
        "functions": (", ".join(sorted(FUNCTIONS)), ""),
        "constants": (", ".join(CONSTANTS), ""),
    }
    lines = [
        fill(f"{title}: {text} {note}", _WIDTH, subsequent_indent="  ")
        for title, (text, note) in tables.items()
    ]
    notes = [
        "Lists stand in brackets: dot([w1, w2], [x1, x2], b). Numbers of the command "
        "win over those of a file; a file may hold more than the formula needs.",
        "The table compares each gradient (analytic) with extrapolated finite "
        "differences (numeric): abs. error is the distance of the two, known to the "
        "error of numeric itself, finest step the smallest change of the input.",
        "Exit status: 0, 1 if a gradient and its finite difference disagree, 2 for a "
        "mistake.",
    ]
    example = f'example: {prog} "tanh(w*x + b)" w=-3 x=2 b=1 --png neuron.png'
    return "\n".join([*lines, "", *[fill(n, _WIDTH) for n in notes], "", example])


def _signs() -> list[str]:
    """The infix operators as they are written, from the table of what they mean."""
    infix = [k for k in OPERATORS if issubclass(k, ast.operator | ast.cmpop)]
    return [sign_of(kind) for kind in infix]


def _formulas_apart(given: Sequence[str]) -> list[str]:
    """The arguments, with a space before those such as -x, which are no options.

    What follows an option of ``FILES`` is a file's name.
    """
    end = given.index("--") if "--" in given else len(given)
    apart: list[str] = []
    for k, text in enumerate(given):
        option = text in (*FILES, *FLAGS, *_ALONE) or text.partition("=")[0] in FILES
        if 0 < k < end and given[k - 1] in FILES:
            apart[-1] = f"{given[k - 1]}={text}"
        elif k != end:
            plain = text[:1] != "-" or (option and k < end)
            apart.append(text if plain else f" {text}")
    return apart
