"""Whether ``autograd``, ``nn`` and ``viz`` are those of this distribution.

Other distributions have packages of the same names. pip puts the files of both into one
folder, where the ``__init__.py`` of the later one wins, and uninstalling either takes
it away; and a file ``nn.py`` beside a script is found before the package. This module
has a name that is nobody else's, so it can say what is in the way. A look at success
costs next to nothing; the slow search for a reason is made after a failure only.

>>> from scalar_autograd import require
>>> require("autograd", "nn", "viz")
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARKS = {"autograd": "Value", "nn": "Module", "viz": "draw_dot"}  # a name of each
_OWN = "scalar-autograd"
_APART = (
    "give scalar-autograd an environment of its own: python -m venv .venv, then "
    ".venv/bin/pip install scalar-autograd (from a checkout: .venv/bin/pip install .)"
)


class InTheWayError(ImportError):
    """Something else is found where a package of this distribution should be."""


def require(*names: str) -> None:
    """Import these packages, and see that they are ours, else InTheWayError.

    The error names the file or the distribution in the way, and what to do. An error of
    something else, such as a missing numpy, is passed on as it is.
    """
    for name in names:
        try:
            found = hasattr(import_module(name), MARKS[name])
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in MARKS:
                raise
            raise InTheWayError(_reason(name), name=name) from error
        if not found:
            raise InTheWayError(_reason(name), name=name)


def warn_of_others() -> None:
    """Warn of a distribution beside ours that is called like a package of ours."""
    start = tuple(f"{name}-" for name in MARKS)
    near = [entry for entry in os.listdir(HERE) if entry.startswith(start)]
    for name in sorted({e.partition("-")[0] for e in near if e.endswith("-info")}):
        warnings.warn(_mixture(name, _others(name)), RuntimeWarning, stacklevel=3)


def main() -> int:
    """The installed command; returns the exit status."""
    try:
        require("autograd")
    except InTheWayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    status: int = import_module("autograd.__main__").main()
    return status


def _reason(name: str) -> str:
    """Why a package cannot be imported, or is not ours."""
    try:
        spec = find_spec(name)
    except ValueError:  # a module that something put there by hand
        spec = None
    places = (spec.submodule_search_locations if spec else None) or []
    ours = HERE / name
    if not any(Path(place).resolve() == ours for place in places):
        file = spec.origin if spec and spec.origin else "something else"
        return (
            f"{file} is imported as {name!r}, in place of the package of {_OWN} in "
            f"{ours}: rename that file; or, if a distribution brought it, {_APART}"
        )
    others = _others(name)
    if others or (ours / "__init__.py").exists():
        return _mixture(name, others)
    return (
        f"{ours} has lost its __init__.py, as happens when another distribution that "
        f"had files there is uninstalled. Run: pip install --force-reinstall "
        f"--no-deps {_OWN} (from a checkout: .)"
    )


def _mixture(name: str, others: list[str]) -> str:
    whose = " and ".join(others) or f"another distribution, perhaps {name!r}"
    uninstalled = " ".join(dict.fromkeys([*(o.split()[0] for o in others), _OWN]))
    return (
        f"the folder {HERE / name} holds files of {whose} and of {_OWN}, which cannot "
        f"share it. Run: pip uninstall {uninstalled}. Then {_APART}"
    )


def _others(name: str) -> list[str]:
    """The distributions, beside ours, that have an ``__init__.py`` in our folder."""
    from importlib.metadata import distributions

    found: dict[str, None] = {}
    for one in distributions(path=[str(HERE)]):
        own = one.metadata["Name"].lower().replace("_", "-") == _OWN
        files = [] if own else one.files or []
        if any(file.as_posix() == f"{name}/__init__.py" for file in files):
            found[f"{one.metadata['Name']} {one.version}"] = None
    return [*found]
