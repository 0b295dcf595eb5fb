"""Formulas are read in a browser as in Python: the same graphs, values and refusals."""

import itertools
import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import ExpressionError
from autograd.checks.expression import FUNCTIONS, Formula
from autograd.numbers.symbolic import Expression, Symbol
from viz.page import grammar, operations
from viz.page.document import document

READ = """(texts) => texts.map((text) => {
    const tree = {
        leaf: (name) => [name],
        constant: (x) => [x],
        apply: (row, groups) => [row, "(", groups.flatMap((xs) => [...xs, ";"]), ")"].flat(2),
    };
    try {
        const program = FORMULAS.parse(text);
        return {names: FORMULAS.names(program), tree: FORMULAS.build(program, tree)};
    } catch (error) {
        if (!(error instanceof FORMULAS.FormulaError)) throw error;
        return {message: error.message, column: error.column};
    }
})"""
EVALUATED = """([texts, numbers]) => texts.map((text) => {
    const values = {
        leaf: (name) => numbers[name],
        constant: (x) => x,
        apply(row, groups) {
            const {arity, value} = ROWS[row];
            return arity === null ? value(...groups) : value(...groups[0]);
        },
    };
    return FORMULAS.build(FORMULAS.parse(text), values);
})"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """A page that reads formulas, for all tests here."""
    path = tmp_path_factory.mktemp("formulas") / "formulas.html"
    code = operations.code() + grammar.code()
    page = browser.new_page()
    page.goto(document("f", "", [], code=code).save(path).as_uri())
    yield page
    page.close()


def tree(x):
    """An expression as the builder in the page writes it: one symbol after the other."""
    if not isinstance(x, Expression):
        return [x]
    if isinstance(x, Symbol):
        return [x.name]
    groups = x.operands if x.primitive.arity is None else [x.operands]
    inside = [part for xs in groups for part in [*itertools.chain(*map(tree, xs)), ";"]]
    return [x.primitive.name, "(", *inside, ")"]


def python(text):
    """What Python makes of a text: names and tree, or what is wrong and where."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            formula = Formula(text)
            root = formula(**{name: Symbol(name) for name in formula.names})
            if isinstance(root, list):
                raise ExpressionError("a list is no number\n  \n  ^")
        except ExpressionError as error:
            if isinstance(error.__context__, ExpressionError):
                error = error.__context__  # what was meant instead is Python's to say
            lines = str(error).splitlines()
            return {"message": lines[0], "column": len(lines[-1]) - 3}
    return {"names": [*formula.names], "tree": tree(root)}


def agree(found, text):
    """The same names and tree, its numbers within a few ulp; or both refuse."""
    wanted = python(text)
    if "message" in wanted:
        return "message" in found
    mine, other = found.get("tree", []), wanted["tree"]
    return (
        found.get("names") == wanted["names"]
        and len(mine) == len(other)
        and all(map(same, mine, other))
    )


def same(x, y):
    if isinstance(x, str) or isinstance(y, str):
        return x == y
    return repr(float(x)) == repr(y) or math.isclose(x, y, rel_tol=4e-15)


def separate(block):
    """The texts that stand between bars, or on lines of their own."""
    texts = block.replace("\n", " | ").split(" | ")
    return [text for text in texts if text.strip(" ")]


GOOD = """
tanh(w*x + b) | -x**2 | 2**-1 | 2**-x**2 | -2**2 | x**y**z | (x**y)**z | x - y - z
x / y / z | x // y % z | - - x | -+-x | +x | x*-y | x**-y | (x) | ((x + y)) | 2*3*x
2*3 | x + 2*3 | pi*x | e**x | inf | nan | -inf*x | x < y | (x < y) == (y != x) | x >= 1
(x <= y) * (x > 2) | 1_000 | 1_0.0_1e1_0 | .5 | 5. | 1e-3 | 1E5 | 0x1F | 0b1 | 0o7
0X_1f | 0B1 | 0O7 | 00 | 0_0 | 09.5 | 007e1 | 0e0 | 0xE+1 | 5.e1 | 1e999 | 0xFFFFFFFFFFFFFFFFF
9007199254740993 | dot([w1, w2], [x1, x2], b) | dot([1, w], [x, 2]) | dot([], [])
dot([w], [x], 0) | dot([w], [x], -0.0) | dot([w], [x], 2) | dot([1], [2], 3) | dot([], [], b)
sum() | sum(x) | sum(x, y, 1) | sum([x, y]) | sum([]) | sum([1, 2, x]) | prod(x, y) | prod([])
mean(x, y) | mean([x, y, z]) | mean([1, 2]) | max(x, 1) | max([x, y]) | max(x) | min(1, 2)
logsumexp(x, y) | logsumexp([x]) | logsumexp() | logaddexp(x, 0) | clip(x, -1, 1) | gelu(x)
silu(x) | leaky_relu(x) | leaky_relu(x, 0.2) | digamma(x) | square(x + 1) | reciprocal(x)
where(x > 0, log(x), 0) | atan2(y, x) | pow(x, 2) | abs(-x) | fabs(x) | sin (x) | (sin)(x)
sin(x,) | max([x, y,],) | sin + cos | lambda_ + If | _x1 | é + ñ | x· | ﬁ | ſ | 𝒙 + x
ｓｉｎ(x) | x٣ | match + case | print | toString | __proto__ + 1 | constructor * 2 | x\t+\fy
"""
CORPUS = [
    *separate(GOOD),
    *("(x\n+ y)", "x + \\\n y", "x # sum", "(x # one\n+ y)", "\n x + 1 \n"),
    *("x # sum\n", "x\n# more\n\n# more", "(\r\nx\r\n)", "\x1fx\x85", "x\u3000"),
    *("(" * 150 + "x" + ")" * 150, "-" * 200 + "x", "x + " * 200 + "x"),
    *("\\\nx", "2**" * 90 + "x", "sin(" * 90 + "x" + ")" * 90),
]


def test_the_corpus_is_read_as_in_python(page):
    for text, found in zip(CORPUS, page.evaluate(READ, CORPUS)):
        assert "tree" in found, (text, found)
        assert agree(found, text), (text, found, python(text))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function(name, page):
    """With so many operands, one by one and in a list: all that Python takes, only that."""
    lists = ["", *[", ".join("xyzw"[:n]) for n in (1, 2, 3, 4)]]
    calls = [f"{name}({operands})" for xs in lists for operands in (xs, f"[{xs}]")]
    calls += [f"{name}([x, y], [z, w])", f"{name}([x], [y], z)", f"{name}(x, [y])"]
    calls += [call.replace("x", "2").replace("y", "3") for call in calls]
    for text, found in zip(calls, page.evaluate(READ, calls)):
        assert agree(found, text), (text, found, python(text))


REFUSED = """
f(x) | x + f(x) | pi(1) | sin(x)(y) | (x + y)(z) | 2(x) | toString(x) | constructor(1) | __proto__(x)
x.y | x + y.z | -x.y | x[0] | 1 + x[0] | 'a' | x + "b" | f'a' | b'a' | a < b < c | 1 + (a < b < c)
a < b == c | x is y | x is not y | x in y | x not in y | a if b else c | x + (a if b else c)
lambda x: x | sin(lambda: x) | sin(x=1) | 1 + sin(x, y=2) | sin(**x) | sin(*x) | sin(x, *y) | [*x]
x @ y | x + y @ z | ~x | 1 + ~x | not x | x and y | x or y + 1 | x^y | x ^ y + z | x & y | x << 1 | x >> 1
{x} | 1 + {x: y} | (x, y) | 1 + () | (x,) | x, y | True | x + None | ... | 1j | x + 2.5J | await x
[x for x in y] | sum(x for x in y) | (x for x in y) | (x := 1) | polygamma(0, x) | softmax(x)
add(x, y) | sin() | 1 + sin(x, y) | clip(x) | x + clip(x, y) | leaky_relu(x, y, z) | sin([x]) | -[x]
+[x] | [x] + [y] | 1 + [x]*2 | sum([x], [y]) | sum(x, [y]) | mean() | x + mean([]) | max() | min([])
dot(x, y) | dot([x]) | 1 + dot([x], [y, z]) | dot([x], [y], [z]) | dot() | dot([[x]], [y]) | [x, y]
[] | [x] < [y] | where(x, y) | 1 + hypot(x)
"""
UNREADABLE = """
2x | 007 | 1__0 | 0x | 0b12 | 0o8 | 0b | 1e | 1e+ | 1_ | 0_7 | 09 | 1._5 | ._1 | 1.real | 0x_ | 0xg | x y
x + | * x | x) | (x | [x | (x] | sin( | sin(x | sin(,) | [,] | x; y | x = 1 | x == | == x | x <> y | x === y
x := 1 | x? | $x | x! | x² | ² | x if y | if | else x | for | x for | () () | 1 2 | x 1 | sin x | x->y
x' | "x | 'x | x\\ | \\ | . | .. | .x | x. | , | x,,y | sin(x,,y) | sin(x y) | x ! = y | x = = y | x < > y | @x
x not y | not | yield x | def | import x | 0x1Fg | 1e5e | 1.2.3 | ٣ | 0777 | 00_1 | x\u00a0y | x\u200by | `x`
"""
BAD = [*separate(REFUSED), "x | y", "1" + "0" * 400, "x + 0x1" + "0" * 300]
BROKEN = [
    *separate(UNREADABLE),
    *("", "x\ny", "x\n+ y", "# one\n x", "\\\n x", "x\\\n", "x #\n y", "(x #)", "x\0y"),
    *("x\ufeff", "\ufeffx", "𝒙 𝒚", "/* x */", "x // ", "(" * 201 + "x" + ")" * 201),
    *("x" * 10_001, "x + " * 2501),
]


def test_the_same_is_refused_at_the_same_place(page):
    """What Python's own parser reads, and is no formula."""
    for text, found in zip(BAD, page.evaluate(READ, BAD)):
        wanted = python(text)
        assert "message" in wanted, (text, wanted)
        assert found.get("column") == wanted["column"], (text, found, wanted)


def test_words_are_those_of_python(page):
    texts = separate("f(x) | x.y | a < b < c | sin(x=1) | sin() | mean([]) | 007 | 0xg")
    texts += separate("dot([x], [y, z]) | x) | (x | (x] | x² | x y | max()")
    texts += ["(" * 201, "x" * 10_001, "1" + "0" * 400]
    for text, found in zip(texts, page.evaluate(READ, texts)):
        assert found["message"] == python(text)["message"], text


def test_what_is_no_python_is_refused(page):
    for text, found in zip(BROKEN, page.evaluate(READ, BROKEN)):
        assert "message" in python(text), text
        assert "message" in found, (text, found)
        assert 0 <= found["column"] <= len(text) + 1, (text, found)


def test_the_column_counts_in_the_text_as_given(page):
    [found] = page.evaluate(READ, ["  \n x + f(x)"])
    assert found["column"] == 8


def test_a_builder_is_asked_once_for_each_name_and_for_no_vain_constants(page):
    asked = page.evaluate(
        """() => {
            const asked = [];
            FORMULAS.build(FORMULAS.parse("y * x + 2*3*x - pi + y"), {
                leaf: (name) => asked.push(name),
                constant: (x) => asked.push(x),
                apply: (row) => asked.push(row),
            });
            return asked;
        }"""
    )
    first = ["y", "x", "multiply", 6, "multiply", "add"]
    assert asked == [*first, math.pi, "subtract", "add"]


@pytest.mark.parametrize(
    "text", ["2**" * 3300 + "x", "-" * 9999 + "x", "x+" * 4999 + "x"]
)
def test_depth_is_refused_or_read(text, page):
    [found] = page.evaluate(
        """(texts) => texts.map((text) => {
            try {
                const one = () => 1;
                const program = FORMULAS.parse(text);
                return FORMULAS.build(program, {leaf: one, constant: one, apply: one});
            } catch (error) {
                return error.message;
            }
        })""",
        [text],
    )
    assert found == 1 or "nested too deeply" in found


# -- Random formulas -----------------------------------------------------------------

NUMBERS = {"x": 0.75, "y": -1.5, "z": 3.0, "w": 0.0}
LEAVES = [
    "x",
    "y",
    "z",
    "w",
    "2",
    "0.5",
    "1_0",
    "0x1F",
    "1e-3",
    ".5",
    "7.",
    "pi",
    "inf",
]
SIGNS = ["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!="]
EXACT = [
    "abs",
    "relu",
    "floor",
    "sign",
    "square",
    "max",
    "min",
    "sum",
    "mean",
]  # functions
TOKENS = [*LEAVES, *SIGNS, *"()[],.:=~!@#\n", "\\\n", "'a'", "**", "sin", "max", "dot"]
TOKENS += ["not", "in", "if", "else", "and", "is", "lambda", "True", "for", "sum"]


def larger(formulas):
    infix = st.tuples(formulas, st.sampled_from([*SIGNS, "**"]), formulas)
    calls = st.tuples(st.sampled_from(EXACT), formulas)
    return st.one_of(
        infix.map(lambda parts: f"({' '.join(parts)})"),
        infix.map(lambda parts: f"({parts[0]}){parts[1]}({parts[2]})"),
        infix.map("".join),
        formulas.map("-{}".format),
        calls.map("{0[0]}({0[1]})".format),
        st.lists(formulas, min_size=1, max_size=3).map(
            lambda xs: f"max({', '.join(xs)})"
        ),
        st.lists(formulas, max_size=3).map(lambda xs: f"sum([{','.join(xs)}])"),
    )


TEXTS = st.recursive(st.sampled_from(LEAVES), larger, max_leaves=12)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, min_size=10, max_size=30))
def test_random_formulas(page, texts):
    """The same graph; and the same bits, for arithmetic is that of IEEE 754."""
    for text, found in zip(texts, page.evaluate(READ, texts)):
        assert agree(found, text), (text, found, python(text))
    texts = [text for text in texts if "tree" in python(text) and "**" not in text]
    for text, found in zip(texts, page.evaluate(EVALUATED, [texts, NUMBERS])):
        formula = Formula(text)
        value = formula(**{name: NUMBERS[name] for name in formula.names})
        assert repr(float(found)) == repr(value), text


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(TOKENS), max_size=8), min_size=20, max_size=50)
)
def test_random_tokens(page, lists):
    """Whatever stands there, both read the same or both refuse."""
    texts = [glue.join(tokens) for tokens in lists for glue in ("", " ")]
    for text, found in zip(texts, page.evaluate(READ, texts)):
        assert agree(found, text), (text, found, python(text))


def test_values_of_functions(page):
    """Within a few ulp, for the functions are JavaScript's."""
    arguments = {1: "x", 2: "x, z", 3: "x, w, z"}
    texts = [f"{f}({xs})" for f in FUNCTIONS for xs in arguments.values()]
    texts = [text for text in texts if "tree" in python(text)]
    assert len(texts) >= len(FUNCTIONS) - 1  # all but dot
    for text, found in zip(texts, page.evaluate(EVALUATED, [texts, NUMBERS])):
        formula = Formula(text)
        value = formula(**{name: NUMBERS[name] for name in formula.names})
        assert same(found, value), (text, found, value)
