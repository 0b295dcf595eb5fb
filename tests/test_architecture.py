"""Rules of the house: folders are floors, no circles, public names, import costs."""

import ast
import functools
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("autograd", "nn", "viz")
FLOORS = [  # from the ground: a folder imports those above it in this list, and itself
    "autograd/table",
    "autograd/graph",
    "autograd/native",
    "autograd/numbers",
    "autograd/transforms",
    "autograd/checks",
    "autograd/compiler/trace",
    "autograd/compiler/bulk",
    "autograd/compiler/adjoint",
    "autograd/compiler/numpy",
    "autograd/compiler/llvm/functions",
    "autograd/compiler/llvm/kernels",
    "autograd/compiler/llvm/loops",
    "autograd/compiler/llvm",
    "autograd/compiler/plans",
    "autograd/compiler/entry",
    "autograd/compiler",
    "autograd",
    "nn",
    "nn/datasets",
    "nn/layers",
    "nn/losses",
    "nn/optimisers",
    "nn/training",
    "nn/estimators",
    "viz/files",
    "viz/formulas",
    "viz/graph",
    "viz/plots",
    "viz/page",
    "viz/page/graph",
    "viz/page/lessons",
    "viz/page/training",
    "viz",
]
DOORS = {f"{name}/__init__.py" for name in (*PACKAGES, "nn/datasets")}  # hand names on
GROUND = {"autograd.errors", "autograd.threads"}  # below all floors
GROUND |= {"autograd.notebooks", "autograd.spelling"}  # notebooks asks viz, when shown
DRAWING = {"autograd/__main__.py", "autograd/notebooks.py"}  # when asked to, by viz
LIGHT = {"autograd/table", "autograd/graph"}  # only the standard library
MOST_FILES = 16

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES})


def relative(path):
    return path.relative_to(ROOT).as_posix()


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}
BELOW_PACKAGES = {name for name in MODULES if "." in name}


@functools.cache
def _parsed(path):
    """The syntax tree, its nodes inside functions, and those under TYPE_CHECKING."""
    tree, inside, unread = ast.parse(path.read_text()), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            inside.update(ast.walk(node))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            unread.update(below for part in node.body for below in ast.walk(part))
    return tree, inside, unread


@functools.cache
def imports(path, deferred):
    return [*_imports(path, deferred)]


def _imports(path, deferred):
    """The modules a file imports: at its top, or (deferred) inside functions.

    What only type checkers read is left out; a text that names a module of ours, as
    import_module takes it, counts as an import.
    """
    tree, inside, unread = _parsed(path)
    for node in ast.walk(tree):
        if (node in inside) is not deferred or node in unread:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            children = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from [node.module, *children]
        elif isinstance(node, ast.Constant) and str(node.value) in BELOW_PACKAGES:
            yield node.value


def ours(path):
    """The modules of this project that a file imports, wherever it does so."""
    names = {*imports(path, False), *imports(path, True)}
    found = names & MODULES.keys()
    if relative(path) in DRAWING:
        found = {name for name in found if not name.startswith("viz")}
    # "from package import module" names the package too, which is not what is meant
    return found - {n for n in found if any(m.startswith(f"{n}.") for m in found)}


def floor_of(path):
    return FLOORS.index(relative(path.parent))


def test_every_folder_has_a_floor():
    assert {relative(folder) for folder in FOLDERS} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_imports_run_downwards(path):
    for name in ours(path) - GROUND if relative(path) not in DOORS else ():
        assert floor_of(MODULES[name]) <= floor_of(path), f"{name} is from above"


@pytest.mark.parametrize(
    "path",
    [
        ROOT / f"{name}.py"
        for name in ("autograd/errors", "autograd/threads", "autograd/spelling")
    ],
    ids=relative,
)
def test_the_ground_stands_alone(path):
    assert not ours(path)


def test_no_circles():
    graph = {name: ours(path) - {name} for name, path in MODULES.items()}
    while graph:
        free = [name for name, below in graph.items() if not below & graph.keys()]
        assert free, f"a circle among {sorted(graph)}"
        for name in free:
            del graph[name]


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_a_folder_can_be_surveyed(folder):
    """Few files; its docstring says what enters, what leaves, and what to read first."""
    assert len([*folder.glob("*.py")]) <= MOST_FILES
    text = importlib.import_module(module_of(folder / "__init__.py")).__doc__
    assert len(text.strip().splitlines()) <= 20
    for path in folder.glob("[!_]*.py"):
        assert f"``{path.stem}``" in text or len(relative(folder).split("/")) == 1, path


@pytest.mark.parametrize("folder", sorted(LIGHT))
def test_the_ground_imports_only_the_standard_library(folder):
    for path in (ROOT / folder).glob("*.py"):
        for name in imports(path, deferred=False):
            assert name.split(".")[0] in sys.stdlib_module_names | {"autograd"}


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_only_the_compiler_knows_itself(path):
    """Of the engine and its transforms, the package's own door alone imports it."""
    below = "autograd/compiler" not in relative(path) and path.parent.name != "autograd"
    if relative(path).startswith("autograd/") and below:
        assert not any(name.startswith("autograd.compiler") for name in ours(path))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_the_compiler_stands_on_numpy_alone(path):
    """llvmlite is imported on use, by import_module, inside functions."""
    if not relative(path).startswith("autograd/compiler"):
        return
    for name in {*imports(path, False), *imports(path, True)}:
        assert name.split(".")[0] in sys.stdlib_module_names | {"autograd", "numpy"}
    tree, inside, _ = _parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in inside:
            texts = [x.value for x in node.args if isinstance(x, ast.Constant)]
            assert not any("llvmlite" in str(text) for text in texts)


def public_names():
    """The names of all packages; with the methods of those that are classes."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            yield f"{package}.{name}", thing
            if isinstance(thing, type):
                ours = [c for c in thing.__mro__ if c.__module__.startswith(PACKAGES)]
                for method in {name for c in ours for name in vars(c)}:
                    if not method.startswith("_"):
                        yield f"{package}.{name}.{method}", getattr(thing, method)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_each_name_once(package):
    module = importlib.import_module(package)
    assert module.__doc__
    assert len(module.__all__) == len(set(module.__all__))


def test_public_names_are_documented():
    bare = [
        name
        for name, thing in public_names()
        if (callable(thing) or isinstance(thing, property)) and not thing.__doc__
    ]
    assert not bare


# Names that other libraries, or programs written for them, ask for.
ASKED_FOR = {"_recreate_cm": "contextlib", "_prev": "micrograd's programs"}
ASKED_FOR |= dict.fromkeys(("_repr_html_", "_repr_svg_", "_repr_latex_"), "notebooks")


def _names_read(path):
    """The names that the code of a file reads, docstrings aside."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name | ast.Attribute):
            if isinstance(node.ctx, ast.Load):
                yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.Constant) and "\n" not in str(node.value):
            yield from re.findall(r"\w+", str(node.value))  # of getattr and setattr


def _names_defined(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
    for node in tree.body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield from (name.id for name in targets if isinstance(name, ast.Name))


def test_nothing_is_dead():
    """What the project defines, it also reads, or it is public: tests do not count."""
    read = {name for path in FILES for name in _names_read(path)}
    read |= {part for name, _ in public_names() for part in name.split(".")}
    unused = {
        (relative(path), name)
        for path in FILES
        for name in _names_defined(path)
        if name not in read | ASKED_FOR.keys() and not name.startswith("__")
    }
    assert not unused


def test_importing_autograd_is_light():
    """Optional packages are imported on use, never by import autograd, nn or viz."""
    heavy = ["matplotlib", "PIL", "tqdm", "llvmlite", "pygraphviz", "sklearn", "scipy"]
    heavy += ["pandas"]
    code = (
        "import sys, autograd, nn, viz\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert run.stdout.strip() == "[]", run.stderr


def test_errors_are_drawn_in_their_docstring():
    from autograd import errors

    for name in errors.__all__:
        assert re.search(rf"\b{name}\b", errors.__doc__)
        assert issubclass(getattr(errors, name), errors.AutogradError)


def test_version_and_extras():
    import tomllib

    import autograd

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == autograd.__version__
    assert set(project["optional-dependencies"]) == {
        *("render", "portable", "plot", "progress", "compile", "examples", "sparse"),
        *("estimators", "tables", "docs", "core", "test", "all"),
    }
    assert autograd.__version__ in (ROOT / "CHANGELOG.md").read_text()
