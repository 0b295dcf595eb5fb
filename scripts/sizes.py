"""List what is large enough to make one think: files, functions, folders.

Nothing fails. A concept is not split to please a number, and two do not share a file to
save one; where a size has a reason, it stands here.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE, FUNCTION = 300, 40  # lines; a function's docstring does not count
REASONS = {
    "autograd/table/primitives.py": "one row after the other",
    "autograd/numbers/functions.py": "short functions, each with its types",
    "autograd/compiler/entry/machine_code.py": "one text of machine code",
}


def functions(path):
    """(name, lines without the docstring) of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                yield node.name, body[-1].end_lineno - body[0].lineno + 1


def main():
    """Print what is large, and why where that is known."""
    for package in ("autograd", "nn", "viz"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            lines = len(path.read_text(encoding="utf-8").splitlines())
            large = [(name, lines)] if lines > FILE else []
            large += [
                (f"{name}: {function}", size)
                for function, size in functions(path)
                if size > FUNCTION
            ]
            for what, size in large:
                print(f"{size:5} lines  {what}  {REASONS.get(what, '')}".rstrip())


if __name__ == "__main__":
    main()
