"""``python -m autograd "tanh(w*x + b)" w=-3 x=2 b=6.88 --png neuron.png``.

Prints the formula's value, and for each name the gradient beside the finite difference;
draws the graph on request. Installed, the command is called ``scalar-autograd`` too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scalar_autograd import InTheWayError, require

require("autograd")

from autograd import __version__, engine
from autograd.checks.expression import Formula
from autograd.cli import arguments
from autograd.cli.numbers import numbers_of
from autograd.cli.output import show
from autograd.errors import AutogradError


def main(given: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: all is well; 1: a gradient and its finite difference disagree; 2: a mistake.
    """
    version = f"scalar-autograd {__version__} ({engine()} engine)"
    args = arguments.read(sys.argv[1:] if given is None else given, version)
    try:
        formula = Formula(args.formula)
        numbers = numbers_of(formula, args.numbers, args.file)
        return 0 if show(formula, numbers, args) else 1
    except (AutogradError, InTheWayError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
