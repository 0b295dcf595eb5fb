"""Write docs/derivatives.md: the table of derivatives, read off the rows."""

from __future__ import annotations

from pathlib import Path

from autograd.numbers.symbolic import Symbol
from autograd.table.primitives import TABLE

HEAD = """# Derivatives

Generated from the table of primitives by `python scripts/derivatives.py`: do not edit.

`x`, `y`, `w` are the operands in their order, `z` is the result. Zero is strong in
every row ([semantics](semantics.md#zero-is-strong)); in rows marked *chooses* a partial
of exactly 0 is, too. At a kink the convention of
[the semantics](semantics.md) holds.

| function | partial derivatives | domain | kinks | |
|---|---|---|---|---|
"""


def partials(name: str) -> str:
    """The partial derivatives of a row, as formulas."""
    row, z = TABLE[name], Symbol("z")
    if row.arity is not None:
        symbols = [Symbol(s) for s in "xyw"[: row.arity]]
        texts = [str(rule(*symbols, z)) for rule in row.rules]
    elif name == "dot":
        groups = tuple(Symbol(["x1", "x2"][i]) for i in range(2))
        weights = tuple(Symbol(["w1", "w2"][i]) for i in range(2))
        texts = [str(p) for part in row.joint(weights, groups, z) for p in part]
    else:
        texts = [str(p) for p in row.joint((Symbol("x"), Symbol("y")), z)[0]]
    return ", ".join(f"`{text}`" for text in texts)


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for name, row in TABLE.items():
        domain = ", ".join(
            f"[{low:g}, {high:g}]" for low, high in row.domain if (low, high) != _ALL
        )
        kinks = ", ".join(f"{kink:g}" for kink in row.kinks)
        marks = "chooses" * row.chooses
        lines.append(
            f"| `{name}` | {partials(name)} | {domain} | {kinks} | {marks} |\n"
        )
    return "".join(lines)


_ALL = (-float("inf"), float("inf"))

if __name__ == "__main__":
    path = Path(__file__).parent.parent / "docs" / "derivatives.md"
    path.write_text(page(), encoding="utf-8")
