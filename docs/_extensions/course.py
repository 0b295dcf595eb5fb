"""Lessons: a notebook to download for each, and live pages in files of their own.

A lesson is ``course/NN_name.md``; its cells are executed by myst-nb when the site is
built. Here its notebook is written from the same text, and the live pages among its
outputs are taken out of the page: each gets a file, a frame with its title, and a link
that opens it alone.
"""

from __future__ import annotations

import ast
import re
from html import escape, unescape
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

_LESSON = re.compile(r"course/\d\d_\w+$")
_FRAME = re.compile(
    r'<iframe sandbox="allow-scripts".*?srcdoc="([^"]*)"></iframe>', re.S
)
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_HEIGHT = re.compile(r"height: (\d+)px")


# -- Notebooks -----------------------------------------------------------------------


def notebook(text: str) -> Any:
    """The notebook of a lesson: what Jupyter cannot show is said in plain Markdown.

    Directives become quotations, links to other pages their words, and an exercise its
    question with the expression that answers it.
    """
    body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    cells: list[Any] = []
    for cell in jupytext.reads(body, fmt="md:myst").cells:
        if cell.cell_type == "markdown":
            cell.source = _readable(cell.source)
        elif asked := _exercises(cell.source):
            cell = nbformat.v4.new_markdown_cell("\n\n".join(map(_question, asked)))
        cell.metadata = {}
        cell.id = f"cell-{len(cells)}"  # the same text gives the same file
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": _KERNEL})


def _exercises(source: str) -> list[ast.Call]:
    """The calls of ``exercise`` that a cell consists of, with an import perhaps."""
    calls = [
        statement.value
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    ]
    return [call for call in calls if ast.unparse(call.func) == "exercise"]


def _question(call: ast.Call) -> str:
    names = ("question", "answer", "tolerance", "hint", "explanation")
    given = dict(zip(names, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    said = {
        name: ast.literal_eval(given[name])
        for name in ("question", "hint", "explanation")
        if name in given
    }
    hint = f" *A hint: {said['hint']}*" if "hint" in said else ""
    return (
        f"**Exercise.** {said['question']}{hint}\n\n"
        f"<details><summary>The answer</summary>\n\n"
        f"```python\n{ast.unparse(given['answer'])}\n```\n\n"
        f"{said.get('explanation', '')}\n\n</details>"
    )


def _readable(markdown: str) -> str:
    """Markdown without what only this site reads.

    >>> print(_readable(":::{note}\\nSee [it](x.md#y).\\n:::"))
    > **Note.** See it.
    """
    links = re.sub(r"(?<!!)\[([^\[\]]+)\]\((?![a-z]+:)[^()\s]+\)", r"\1", markdown)

    def quoted(block: re.Match[str]) -> str:
        name, title, body = block.groups()
        head = f"**{title or name.capitalize()}.** "
        return "\n".join(f"> {line}".rstrip() for line in (head + body).splitlines())

    fences = r"^:::+\{(\w+)\} ?(.*)\n(?::\w+:.*\n)*((?:.*\n)*?):::+$"
    return re.sub(fences, quoted, links, flags=re.M)


def _lesson(app: Any, name: str, source: list[str]) -> None:
    """Write a lesson's notebook, and put a link to it below the lesson's title."""
    if not _LESSON.match(name) or app.builder.format != "html":
        return
    file = Path(app.outdir, "_static", "notebooks", f"{Path(name).name}.ipynb")
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(source[0]), file)
    link = (
        f'<p class="notebook"><a href="../_static/notebooks/{file.name}" download>'
        "This lesson as a notebook</a></p>"
    )
    source[0] = re.sub(r"^# .*\n", rf"\g<0>\n{link}\n", source[0], count=1, flags=re.M)


# -- Live pages ----------------------------------------------------------------------


class LivePages(SphinxPostTransform):
    """What a notebook shows in a frame with all its text stands in a file here."""

    default_priority = 900  # after myst-nb has chosen among the forms of an output
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Take the live pages of one document out of it."""
        name = self.env.docname
        for node in list(self.document.findall(nodes.raw)):
            match = _FRAME.search(node.astext())
            if match and node.get("format") == "html":
                text = node.astext()
                count = sum(1 for _ in self.document.findall(_is_live))
                frame = self._framed(match, f"{Path(name).name}_{count + 1}")
                text = text[: match.start()] + frame + text[match.end() :]
                node.replace_self(nodes.raw("", text, format="html", live=True))

    def _framed(self, match: re.Match[str], stem: str) -> str:
        page, height = unescape(match[1]), _HEIGHT.search(match[0])
        folder = Path(self.app.outdir, "_static", "live")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.html").write_text(page, encoding="utf-8")
        found = re.search("<title>(.*?)</title>", page, re.S)
        title = unescape(found[1]) if found else "A live page"
        address = f"{'../' * self.env.docname.count('/')}_static/live/{stem}.html"
        return (
            f'<div class="live"><iframe sandbox="allow-scripts" src="{address}" '
            f'title="{escape(title)}" height="{height[1] if height else 600}" '
            f'loading="lazy"></iframe>'
            f'<p><a href="{address}">Open “{escape(title)}” alone</a></p></div>'
        )


def _is_live(node: nodes.Node) -> bool:
    return isinstance(node, nodes.raw) and bool(node.get("live"))


def setup(app: Any) -> dict[str, Any]:
    """Sphinx asks every extension for this."""
    app.connect("source-read", _lesson, priority=400)  # before links are turned
    app.add_post_transform(LivePages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
