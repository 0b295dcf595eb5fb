"""The numbers of a formula: name=number in the command, or lines and JSON in a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograd.checks.expression import CONSTANTS, FUNCTIONS, Formula, suggestion
from autograd.errors import ExpressionError


def numbers_of(
    formula: Formula, pairs: Sequence[str], file: str | None
) -> dict[str, float]:
    """A number for every name of the formula; those of the command win.

    Raises ExpressionError for what is missing, superfluous, double or no number, and
    OSError for a file that cannot be read. A file may hold more than is needed.
    """
    given = _read(pairs)
    stored = {} if file is None else _from_file(Path(file))
    unused = [name for name in given if name not in formula.names]
    numbers = {**stored, **given}
    missing = [name for name in formula.names if name not in numbers]
    if missing:
        for name in missing:
            if name in FUNCTIONS:
                raise ExpressionError(
                    f"{name} is a function: write {name}(x), with brackets"
                )
        remedy = suggestion(formula.text, [*numbers])
        known = remedy is not None and {*Formula(remedy.text).names} <= {*numbers}
        raise ExpressionError(
            f"no number for {', '.join(missing)}: give {missing[0]}=..."
            + (f", or did you mean\n  {remedy.text}" if remedy and known else "")
        )
    if unused:
        has = ", ".join(formula.names) or "no names"
        raise ExpressionError(
            f"{', '.join(unused)} does not occur in the formula, which has {has}: "
            f"leave out {unused[0]}=..."
        )
    return {name: numbers[name] for name in formula.names}


def _read(pairs: Iterable[str], place: str = "") -> dict[str, float]:
    numbers: dict[str, float] = {}
    for pair in pairs:
        name, sign, text = map(str.strip, pair.partition("="))
        if not sign:
            raise ExpressionError(
                f"{place}expected name=number, got {pair.strip()!r}: there is no '=' "
                f"(a formula with spaces stands in quotes)"
            )
        number = _number(name, text, place)
        if name in CONSTANTS:
            raise ExpressionError(
                f"{place}{name} is the constant {CONSTANTS[name]!r} in a formula: give "
                f"your number another name"
            )
        if name in numbers:
            raise ExpressionError(
                f"{place}{name} is given twice: {numbers[name]:g} and {number:g}; "
                f"leave one out"
            )
        numbers[name] = number
    return numbers


def _number(name: str, text: str, place: str) -> float:
    """A number as Python writes it, or as a formula without names: pi/2."""
    try:
        return float(text)
    except ValueError:
        pass
    remedy = suggestion(text)
    if remedy is not None and not Formula(remedy.text).names:
        raise ExpressionError(
            f"{place}expected name=number, got {name}={text}: {remedy.why}; did you "
            f"mean {name}={remedy.text}?"
        )
    try:
        found = Formula(text)
        number = None if found.names else found()
    except ExpressionError:
        number = None
    if not isinstance(number, float):
        raise ExpressionError(
            f"{place}expected name=number, got '{name}={text}': {text!r} is not a "
            f"number; write one such as {name}=0.5, {name}=2e-3 or {name}=pi/2"
        )
    return number


def _from_file(path: Path) -> dict[str, float]:
    """Lines name=number, where # begins a remark; or one JSON object of numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExpressionError(
            f"{path} cannot be read ({error.strerror}): give a file of lines "
            f"name=number"
        ) from None
    except UnicodeDecodeError:
        raise ExpressionError(
            f"{path} is not a text: write lines name=number, or JSON, in UTF-8"
        ) from None
    if text.lstrip()[:1] in "{[" and text.strip():
        return _from_json(path, text)
    numbers: dict[str, float] = {}
    for k, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        for name, number in _read([said] if said else [], f"{path}:{k}: ").items():
            if name in numbers:
                raise ExpressionError(
                    f"{path}:{k}: {name} is given twice: {numbers[name]:g} and "
                    f"{number:g}; leave one out"
                )
            numbers[name] = number
    return numbers


def _from_json(path: Path, text: str) -> dict[str, float]:
    try:
        found = json.loads(text, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(
            f'{path} is no JSON ({error}): write it as in {{"w": -3, "x": 2}}'
        ) from None
    wrong = found
    if isinstance(found, dict):
        bad = [k for k, x in found.items() if type(x) is not float]
        if not bad:
            pairs = [f"{name}={number!r}" for name, number in found.items()]
            return _read(pairs, f"{path}: ")
        wrong = {bad[0]: found[bad[0]]}
    raise ExpressionError(
        f'{path}: expected names and numbers, such as {{"w": -3, "x": 2}}, got '
        f"{json.dumps(wrong)[:60]}"
    )
