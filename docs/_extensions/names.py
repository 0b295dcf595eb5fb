"""The reference: public names in the order in which a page lists them.

    ```{names} autograd
    grad value_and_grad
    ```

Each name gets the entry of its kind: a function, class or error its docstring, a table
of names what it holds, a module its names; primitives, which share one text, share an
entry. Docstrings are plain text with ``code``, doctests, sections of names underlined
as numpy's are, and indented texts that stand as they are.
"""

from __future__ import annotations

import importlib
import re
from itertools import groupby
from types import ModuleType
from typing import Any

from sphinx.util.docutils import SphinxDirective

from autograd.table.primitive import Primitive

_FOREIGN = "set_fit_request, set_partial_fit_request, set_score_request"  # sklearn's
_OPERANDS = {0: "", 1: "x", 2: "x, y", 3: "x, y, w"}


def entry(name: str, thing: Any) -> str:
    """The reST that documents one name.

    >>> print(entry("viz.latex", len))
    .. autofunction:: viz.latex
    """
    if isinstance(thing, ModuleType):
        parts = [f".. py:module:: {name}", (thing.__doc__ or "").split("\n\n")[0]]
        parts += [entry(f"{name}.{x}", getattr(thing, x)) for x in thing.__all__]
        return "\n\n".join(parts)
    if isinstance(thing, dict):
        keys = ", ".join(f"``{key!r}``" for key in thing)
        return f".. py:data:: {name}\n\n   A dict by name: {keys}."
    if isinstance(thing, type) and issubclass(thing, Exception):
        return f".. autoexception:: {name}\n   :show-inheritance:"
    if isinstance(thing, type):
        return f".. autoclass:: {name}\n   :members:\n   :exclude-members: {_FOREIGN}"
    return f".. autofunction:: {name}"


def primitives(named: list[tuple[str, Any]]) -> str:
    """One entry for primitives, with a line for each.

    >>> import autograd
    >>> print(primitives([("autograd.exp", autograd.exp)]).splitlines()[0])
    .. py:function:: exp(x)
    """
    head, package = ".. py:function:: ", named[0][0].partition(".")[0]
    lines = [f"{name.partition('.')[2]}({_operands(row)})" for name, row in named]
    text = (
        "Of floats, Values, duals, arrays and symbols alike. "
        ":doc:`/derivatives` lists the partial derivatives, :doc:`/semantics` the "
        "kinks and poles."
    )
    return (
        head
        + f"\n{' ' * len(head)}".join(lines)
        + f"\n   :module: {package}\n\n   {text}"
    )


def _operands(row: Primitive) -> str:
    return "xs" if row.arity is None else _OPERANDS[row.arity]


class Names(SphinxDirective):
    """The directive: a package, and the names to document."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[Any]:
        """The entries, as nodes."""
        (package,) = self.arguments
        module = importlib.import_module(package)
        named = [
            (f"{package}.{name}", getattr(module, name))
            for name in " ".join(self.content).split()
        ]
        parts = []
        for row, group in groupby(named, lambda pair: isinstance(pair[1], Primitive)):
            several = list(group)
            parts += [primitives(several)] if row else [entry(*one) for one in several]
        text = "````{eval-rst}\n" + "\n\n".join(parts) + "\n````"
        return list(self.parse_text_to_nodes(text))


_SECTION = re.compile(r"-{3,}$")
_ITEM = re.compile(r"([\w., *]*\w) : (.*)")


def restructured(lines: list[str]) -> list[str]:
    """A docstring as reST: its sections, lists of names, and indented texts.

    >>> text = "The sum./Parameters/----------/x, y : numbers.//Returns one.//    a b"
    >>> print("/".join(restructured(text.split("/"))))
    The sum.//**Parameters**//``x, y``/    numbers.//Returns one.//:://    a b
    """
    made: list[str] = []
    listing = literal = False
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        item = _ITEM.match(line)
        if _SECTION.match(line):
            continue
        if line and _SECTION.match(following):
            made += ["", f"**{line}**", ""]
            listing, literal = True, False
        elif listing and item:
            made += [f"``{item[1]}``", f"    {plain(item[2])}"]
        elif listing and line.startswith(" "):
            made.append(plain(line))
        elif line.startswith(" ") and not (made and made[-1]):
            made += [line] if literal else ["::", "", line]
            literal = True
        elif literal and line.startswith(" "):
            made.append(line)
        else:
            listing = listing and not line
            literal = literal and not line
            made.append(plain(line))
    return made


def plain(line: str) -> str:
    """A line of a docstring with what reST would take for markup escaped.

    >>> plain("``a|b`` of |x| and *inputs, or x_")
    '``a|b`` of \\\\|x\\\\| and \\\\*inputs, or x\\\\_'
    """
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = re.split(r"(``.*?``)", line)
    parts[::2] = [re.sub(r"([|*]|(?<=\w)_(?!\w))", r"\\\1", x) for x in parts[::2]]
    return "".join(parts)


def _docstring(app: Any, what: str, name: str, thing: Any, _: Any, lines: Any) -> None:
    lines[:] = restructured(list(lines))


def _skipped(*event: Any) -> bool | None:
    """The fields of a named tuple, of which Python itself says that they are some."""
    thing = event[3]
    return True if str(thing.__doc__).startswith("Alias for field number") else None


def _signature(*event: Any) -> tuple[str, str | None] | None:
    """Defaults that are made anew for each object have no text of their own."""
    arguments, returned = event[-2:]
    return arguments and (arguments.replace("<factory>", "..."), returned)


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.add_directive("names", Names)
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-skip-member", _skipped)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
