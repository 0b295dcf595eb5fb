"""Formulas as they are written elsewhere, put into Python's spelling.

``x^2``, ``2x``, ``|x|``, ``3,5``, ``sen(x)`` and ``x²`` mean something, and are not
Python. ``meant`` rewrites a whole formula, so that it can be copied, and says what it
changed. It guesses: who calls it asks whether the result can be read.

>>> from autograd.checks.meant import meant
>>> found = meant("2x^2 + |x|", {"sin", "abs"})
>>> found.text
'2*x**2 + abs(x)'
>>> found.why
'^ is written **; a product is written with *; |x| is written abs(x)'
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

_SIGNS = {"^": "**", "≤": "<=", "≥": ">=", "≠": "!=", "π": "pi", "∞": "inf"}
_SIGNS |= dict.fromkeys("×·⋅∙", "*") | dict.fromkeys("÷∕", "/")
_SIGNS |= dict.fromkeys("−–", "-") | {"√": "sqrt "}
_WORDS = {"ln": "log", "lg": "log10", "sgn": "sign", "logistic": "sigmoid"}
_WORDS |= {"sen": "sin", "asen": "arcsin", "arcsen": "arcsin"}  # Spanish, Portuguese
_WORDS |= {"senh": "sinh", "tgh": "tanh", "raiz": "sqrt"}
_WORDS |= {"tg": "tan", "atg": "arctan", "arctg": "arctan"}  # Russian, German
_WORDS |= {"sh": "sinh", "ch": "cosh", "th": "tanh"}  # Russian, French
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺"
_LOWERED = str.maketrans(_RAISED, "0123456789-+")
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|//|[<>=!]=|.)"
)
Token = re.Match[str]
_ASSIGNED = re.compile(r"\s*[^\W\d]\w*\s*(\([^()]*\))?\s*=(?!=)\s*")


@dataclass(frozen=True)
class Meant:
    """A formula in Python's spelling, and what had to be changed."""

    text: str
    notes: tuple[str, ...]

    @property
    def why(self) -> str:
        """The changes in one line."""
        return "; ".join(self.notes)


def meant(
    text: str, functions: Collection[str], names: Collection[str] = ()
) -> Meant | None:
    """The formula that was meant, or None where nothing was changed.

    Parameters
    ----------
    text : the formula as it was written.
    functions : the names of all functions.
    names : numbers that are known by name: ``wx`` is ``w*x`` for w and x.
    """
    writer = _Writer(functions, names)
    assigned = _ASSIGNED.match(text)
    if assigned:
        writer.note("a formula has no left side")
        text = text[assigned.end() :]
    writer.write(writer.spelled(text.strip()))
    if writer.lost or not writer.notes:
        return None
    return Meant("".join(writer.parts), tuple(writer.notes))


class _Writer:
    """Writes a formula token by token: products and brackets that were left out."""

    def __init__(self, functions: Collection[str], names: Collection[str]) -> None:
        self.functions, self.names = functions, names
        self.notes: dict[str, None] = {}  # each once, in the order of their finding
        self.parts: list[str] = []
        self.open: list[tuple[str, str]] = []  # brackets: their kind, what closes them
        self.ended = False  # whether an operand has just ended
        self.lost = False  # whether there is something that means nothing here

    def note(self, said: str) -> None:
        self.notes[said] = None

    def spelled(self, text: str) -> str:
        """The text with signs that Python has; raised digits become a power."""

        def power(found: re.Match[str]) -> str:
            digits = found[0].translate(_LOWERED)
            self.note(f"x{found[0]} is written x**{digits}")
            return f"**{digits}"

        text = re.sub(f"[{_RAISED}]+", power, text)
        for sign in dict.fromkeys(c for c in text if c in _SIGNS):
            self.note(f"{sign} is written {_SIGNS[sign].strip()}")
            text = text.replace(sign, _SIGNS[sign])
        return text.replace("sqrt (", "sqrt(")

    def write(self, text: str) -> None:
        tokens, k = [*_TOKEN.finditer(text)], 0
        while k < len(tokens):
            rest = tokens[k:]
            if rest[0].lastgroup == "name":
                k += self._name(rest)
            elif rest[0].lastgroup == "number":
                k += self._operand(rest[0][0])
            else:
                k += self._sign(rest)

    # Each of these writes the first of the tokens, and returns how many it has read.

    def _name(self, tokens: list[Token]) -> int:
        name, after = tokens[0][0], [*(t[0] for t in tokens[1:5]), "", "", "", ""]
        kinds = [t.lastgroup for t in tokens[1:4]]
        if after[0] == "." and after[1] in self.functions:  # math.sin, np.exp
            self.note(f"{name}.{after[1]} is written {after[1]}")
            return 2 + self._name(tokens[2:])
        raised = after[0] == "**" and after[2] == "("  # sin^2(x)
        bare = kinds[:1] == ["space"] and kinds[1:2] in (["name"], ["number"])
        function = self._function(name, bare or raised or after[0] == "(")
        if function is None:
            return self._variable(name)
        self._start(function)
        if raised:
            power = f"**{after[1]}"
            self.note(f"{function}{power}(x) is written {function}(x){power}")
            return 2 + self._opened("(", "call", f"){power}") + 1
        if after[0] == "(":
            return 1 + self._opened("(", "call", ")")
        if bare:
            self.lost |= kinds[2:] in (["name"], ["number"])  # sin 2x: of which?
            self.note(f"{function} x is written {function}(x)")
            self.ended = False
            return 2 + self._operand(f"({after[1]})")
        return 1

    def _function(self, name: str, called: bool) -> str | None:
        """The function that a name means, if it means one."""
        if name in self.functions:
            return name
        if name in self.names or not called:
            return None
        low = name.lower()
        known = low if low in self.functions else _WORDS.get(low)
        if known is None and len(name) > 2:
            known = next(iter(get_close_matches(low, self.functions, 1, 0.8)), None)
            self.lost |= known is None
        if known is not None:
            self.note(f"{name} is written {known}")
        return known

    def _variable(self, name: str) -> int:
        if name not in self.names and len(name) > 1 and {*name} <= {*self.names}:
            self.note("a product is written with *")
            name = "*".join(name)
        return self._operand(name)

    def _operand(self, text: str) -> int:
        self._start(text)
        return 1

    def _start(self, text: str) -> None:
        """The first token of an operand; straight after another one, a product."""
        if self.ended:
            if self.parts[-1].isspace():
                self.parts.pop()
            self.parts.append("*")
            self.note("a product is written with *")
        self.parts.append(text)
        self.ended = True

    def _opened(self, opens: str, kind: str, closes: str) -> int:
        self.parts.append(opens)
        self.open.append((kind, closes))
        self.ended = False
        return 1

    def _sign(self, tokens: list[Token]) -> int:
        sign = tokens[0][0]
        closes = sign in ")]" or (sign == "|" and self._inside_bars())
        if sign.isspace():
            self.parts.append(sign)
        elif closes:
            self.parts.append(self.open.pop()[1] if self.open else sign)
            self.ended = True
        elif sign == "[":
            return self._opened("[", "list", "]")
        elif sign in "(|":
            self._start("")
            if sign == "(":
                return self._opened("(", "group", ")")
            self.note("|x| is written abs(x)")
            return self._opened("abs(", "bars", ")")
        elif sign == "," and self._is_decimal(tokens):
            self.note("decimals are written with a point")
            self.parts += [".", tokens[1][0]]
            return 2
        else:
            self.parts.append(sign)
            self.ended = False
        return 1

    def _inside_bars(self) -> bool:
        return self.ended and bool(self.open) and self.open[-1][0] == "bars"

    def _is_decimal(self, tokens: list[Token]) -> bool:
        """Whether a comma stands in a number: nowhere does it part operands."""
        whole = bool(self.parts) and self.parts[-1].isdigit() and len(tokens) > 1
        parting = any(kind in ("call", "list") for kind, _ in self.open)
        return whole and not parting and tokens[1][0].isdigit()
