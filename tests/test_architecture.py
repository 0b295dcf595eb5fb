"""Rules of the house: floors, no circles, budgets, public names, import costs."""

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
FLOORS = [
    {"costs", "errors", "numbers", "rules", "arithmetic", "special", "graph", "modes"}
    | {"locks"},
    {"primitive", "tree", "sweep", "handmade", "persistence"},
    {"primitives"},
    {"operators", "strong", "grids"},
    {"reverse"},
    {"functions", "value", "eager", "dual", "lifted", "symbolic", "arrays", "gather"},
    {"transforms"},
    {"sparse", "checkpoint", "explain", "differences", "anomaly", "expression"},
    {"jacobians", "gradcheck"},
    {"__init__", "__main__"},
]
COMPILER_FLOORS = [  # autograd/compiler, from the ground
    set(floor.split())
    for floor in """
    arguments buffers cache coefficients entry_code entry_layout lanes nodes program
    regions workers;
    code nests operations optimise tracer vector_value;
    contract kernels_guards recording streams vector_elementary
    vector_exponential verification;
    batches bulk classes kernels_dense kernels_ragged periods vector_library vector_logarithm
    vector_special vector_trigonometry;
    choices kernels_packing layout numpy_products reroll splitting symbols trace
    vector_gamma vector_inverse vmap;
    binding fusion kernels lower memory numpy_memory numpy_steps reductions shares
    vector_math;
    context engine numpy_code numpy_guards numpy_rows numpy_sums recurrences rows;
    adjoint elementwise entry numpy_backend stages steps;
    foreign loops second_order;
    slices;
    calls ragged;
    llvm_backend table_backend;
    blocked resident;
    straight;
    executor;
    results;
    plan;
    native shortcuts;
    __init__ jit
    """.split(";")  # noqa: SIM905
]
STANDARD_ONLY = FLOORS[0] | FLOORS[1] | FLOORS[2]
EXEMPT_FILES = {
    "autograd/primitives.py",  # table rows
    "autograd/compiler/entry_code.py",  # one text of machine code
    "autograd/functions.py",  # short functions, each with its types
}

FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

COMPILER = sorted((ROOT / "autograd/compiler").glob("*.py"))


def relative(path):
    return path.relative_to(ROOT).as_posix()


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

    What only type checkers read is left out.
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


def floor_of(module, floors=FLOORS):
    for number, names in enumerate(floors):
        if module in names:
            return number
    raise AssertionError(f"{module} stands on no floor: add it to the list")


def modules_of(package, path, deferred=False):
    """Modules of a package that a file imports, by their names inside the package."""
    known = {file.stem for file in (ROOT / package).glob("*.py")}
    above = package.split("/")
    for name in imports(path, deferred):
        parts = name.split(".")
        if parts[:-1] == above and parts[-1] in known:
            yield parts[-1]


def compiled_tier(path):
    """What of autograd/compiler a file imports, at its top or inside functions."""
    return {
        module
        for deferred in (False, True)
        for module in modules_of("autograd/compiler", path, deferred)
    } - {path.stem}


@pytest.mark.parametrize("path", sorted((ROOT / "autograd").glob("*.py")), ids=relative)
def test_imports_run_downwards(path):
    own = floor_of(path.stem)
    for module in modules_of("autograd", path):
        assert floor_of(module) <= own, f"{path.stem} imports {module} from above"


@pytest.mark.parametrize("path", COMPILER, ids=relative)
def test_the_compiler_is_built_on_floors(path):
    """Its imports run downwards, those inside functions too."""
    own = floor_of(path.stem, COMPILER_FLOORS)
    for module in compiled_tier(path):
        below = floor_of(module, COMPILER_FLOORS)
        assert below <= own, f"{path.stem} imports {module} from above"


def test_every_floor_of_the_compiler_is_there():
    names = [name for floor in COMPILER_FLOORS for name in floor]
    assert sorted(names) == sorted(path.stem for path in COMPILER)


@pytest.mark.parametrize("path", COMPILER, ids=relative)
def test_the_compiler_stands_on_the_engine(path):
    """It knows what is below the package's own door, and nothing of other packages."""
    for deferred in (False, True):
        for module in modules_of("autograd", path, deferred):
            assert floor_of(module) < floor_of("__init__"), module
        for name in imports(path, deferred):
            root = name.split(".")[0]
            assert root in sys.stdlib_module_names | {"autograd", "numpy"}, name


@pytest.mark.parametrize("path", sorted((ROOT / "autograd").glob("*.py")), ids=relative)
def test_the_engine_knows_no_compiler(path):
    """Only the package's door imports it."""
    if path.stem in ("__init__", "__main__"):
        return
    for deferred in (False, True):
        for name in imports(path, deferred):
            assert name.split(".")[:2] != ["autograd", "compiler"], name


@pytest.mark.parametrize("path", COMPILER, ids=relative)
def test_llvmlite_is_imported_on_use(path):
    """By importlib, inside functions: no name of a module says llvmlite at its top."""
    tree = ast.parse(path.read_text())
    inside = {
        node
        for f in ast.walk(tree)
        if isinstance(f, ast.FunctionDef)
        for node in ast.walk(f)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in inside:
            texts = [x.value for x in node.args if isinstance(x, ast.Constant)]
            assert not any("llvmlite" in str(text) for text in texts)


@pytest.mark.parametrize("package", [*PACKAGES, "autograd/compiler"])
def test_no_circles(package):
    graph = {
        path.stem: set(modules_of(package, path)) - {path.stem}
        for path in (ROOT / package).glob("*.py")
    }
    if package == "autograd/compiler":
        graph = {path.stem: compiled_tier(path) for path in COMPILER}
    while graph:
        free = [name for name, below in graph.items() if not below & set(graph)]
        assert free, f"a circle among {sorted(graph)}"
        for name in free:
            del graph[name]


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_packages_stand_on_each_other(path):
    package = relative(path).split("/")[0]
    allowed = {"autograd": set(), "nn": {"autograd"}, "viz": {"autograd", "nn"}}[
        package
    ]
    found = {name.split(".")[0] for name in imports(path, deferred=False)}
    assert not (found & set(PACKAGES)) - allowed - {package}


@pytest.mark.parametrize("module", sorted(STANDARD_ONLY))
def test_the_ground_imports_only_the_standard_library(module):
    for name in imports(ROOT / "autograd" / f"{module}.py", deferred=False):
        assert name.split(".")[0] in sys.stdlib_module_names | {"autograd"}


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_budgets(path):
    if relative(path) in EXEMPT_FILES or path.name == "__init__.py":
        return
    text = path.read_text()
    assert len(text.splitlines()) <= 300, "think: does it hold two concepts?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = [part for part in node.body if not _is_docstring(part)]
            size = (body[-1].end_lineno - body[0].lineno + 1) if body else 0
            assert size <= BUDGETS.get(f"{path.stem}.{node.name}", 40), node.name


# Loops that were measured and unrolled: the reason stands in their docstrings.
BUDGETS = {"sweep._order": 60, "graph._visit": 40}


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist_and_are_documented(package):
    module = importlib.import_module(package)
    assert module.__doc__
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        thing = getattr(module, name)
        assert getattr(thing, "__doc__", None), f"{package}.{name} has no docstring"


def test_importing_autograd_is_light():
    """Optional packages are imported on use, never by import autograd, nn or viz."""
    heavy = ["matplotlib", "tqdm", "llvmlite", "pygraphviz", "sklearn", "scipy"]
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
        *("render", "plot", "progress", "compile", "examples", "sparse"),
        *("core", "test", "all"),
    }
    assert autograd.__version__ in (ROOT / "CHANGELOG.md").read_text()
