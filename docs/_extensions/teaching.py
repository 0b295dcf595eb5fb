"""What lessons import: ``exercise``, a question that the page checks by itself."""

from __future__ import annotations

from html import escape
from itertools import count

from formulas import mathml
from IPython.display import HTML
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

_numbers = count(1)  # a lesson is a process of its own


def exercise(
    question: str,
    answer: float,
    tolerance: float = 1e-6,
    hint: str = "",
    explanation: str = "",
) -> HTML:
    """A question whose answer is a number, checked in the page, without a network.

    Parameters
    ----------
    question, hint, explanation : Markdown with formulas between dollars.
    answer : what the lesson's own code computed.
    tolerance : how far from it an answer may be, absolutely.

    Without scripts the answer stands below the question, to be unfolded. Raises
    ValueError for an answer that is not finite or a tolerance that is not positive.

    >>> page = exercise("What is $2 + 2$?", answer=2 + 2).data
    >>> 'data-answer="4.0"' in page
    True
    """
    answer, number = float(answer), next(_numbers)
    if not abs(answer) < float("inf") or not tolerance > 0:
        raise ValueError(
            f"an exercise needs a finite answer and a positive tolerance, got {answer} "
            f"and {tolerance}: {question}"
        )
    name = f"exercise-{number}"
    helped = f"<details><summary>A hint</summary>{_html(hint)}</details>"
    return HTML(f"""<section class="exercise" aria-label="Exercise {number}">
<p class="exercise-title">Exercise {number}</p>
<div id="{name}-question">{_html(question)}</div>
<form data-answer="{answer!r}" data-tolerance="{float(tolerance)!r}" hidden>
<label for="{name}">Your answer</label>
<input id="{name}" type="text" inputmode="text" autocomplete="off" spellcheck="false"
aria-describedby="{name}-question {name}-said">
<button type="submit">Check</button>
<output id="{name}-said" for="{name}" aria-live="polite"></output>
</form>
{helped if hint else ""}
<details class="exercise-answer"><summary>The answer</summary>
<p><strong>{escape(_shown(answer, tolerance))}</strong></p>
{_html(explanation)}</details>
</section>""")


def _shown(answer: float, tolerance: float) -> str:
    """The answer with the digits that count.

    >>> _shown(0.1 + 0.2, 1e-6), _shown(2 / 3, 0.01), _shown(-3.0, 1e-6)
    ('0.3', '0.667', '-3')
    """
    places = max(0, len(f"{1 / tolerance:.0f}"))
    return f"{round(answer, places):.12g}"


def _html(text: str) -> str:
    """Markdown, its formulas as MathML."""
    return _MARKDOWN.render(text).strip()


def _formula(text: str, options: dict[str, bool]) -> str:
    return mathml(text, "block" if options["display_mode"] else "inline")


_MARKDOWN = MarkdownIt("commonmark").use(dollarmath_plugin, renderer=_formula)
