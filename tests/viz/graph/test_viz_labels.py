"""Labels and numbers: any text is drawn as that text."""

import xml.etree.ElementTree as ElementTree
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from viz import draw_dot
from viz.graph import labels

HOSTILE = [
    "{a|b}",
    "a<b>c",
    'say "hi"',
    "back\\slash",
    "\\N \\G \\l",
    "ends in \\",
    '\\" both',
    "&lt; & &amp; &#92;",
    "</script><b>",
    "<<i>x</i>>",
    "]] --> %",
    "[x -> y; label=z]",
    "Σ ∂y/∂x · x² − θ ×",
    "nul\0bell\x07",
    "lone \ud800 surrogate",
    "𝑤, 🙂 and 𠮷",
    "family 👨‍👩‍👧, flag 🇩🇪",
    "\U0001d465 is \U0010fffd",
    "neither \ufffe nor \uffff",
    "node",
]


def texts(svg):
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()).replace("\xa0", " ") for element in found]


@pytest.mark.parametrize("backend", ["dot", "pygraphviz"])
@pytest.mark.parametrize("style", ["merged", "micrograd"])
def test_hostile_labels_are_drawn_as_they_are(style, backend, request):
    request.getfixturevalue("with_dot" if backend == "dot" else "without_dot")
    y = ag.sum([Value(1.0, label=label) for label in HOSTILE])
    drawn = texts(draw_dot(y, style=style)._repr_image_svg_xml())
    for label in HOSTILE:
        assert labels.clip(label) in drawn


@pytest.mark.parametrize("style", ["merged", "micrograd"])
def test_lines_become_lines(style, without_dot):
    drawn = texts(draw_dot(Value(1.0, label="one\ntwo"), style=style).pipe("svg"))
    assert {"one", "two"} <= set(drawn)


@pytest.mark.parametrize("style", ["merged", "micrograd"])
@pytest.mark.parametrize("label", ["w" * 20_000, "<" * 20_000, "x\n" * 10_000])
def test_long_labels_are_cut(style, label, without_dot):
    svg = draw_dot(Value(1.0, label=label), style=style).pipe("svg", encoding="utf-8")
    assert "…" in svg
    assert len(svg) < 5_000


@given(st.text())
def test_clipped_text_is_small_and_valid(text):
    short = labels.clip(text)
    assert len(short) <= 4 * 61
    short.encode("utf-8")
    assert not any(ord(c) < 0x20 for c in short.replace("\n", ""))


@given(st.text())
def test_short_printable_text_is_kept(text):
    text = "".join([c for c in text if c.isprintable()])[:60]
    assert labels.clip(text) == text


def is_noncharacter(code):
    return 0xFDD0 <= code < 0xFDF0 or code & 0xFFFF >= 0xFFFE


@pytest.mark.parametrize("plane", [0, 1, 2, 16])
def test_characters_are_kept(plane):
    """In every plane of Unicode: all but controls, surrogates and noncharacters."""
    codes = range(0x10000 * plane, 0x10000 * (plane + 1))
    lost = {code for code in codes if labels.clip(chr(code)) == "\ufffd"}
    expected = {code for code in codes if is_noncharacter(code)}
    if not plane:
        controls = {*range(0x20), *range(0x7F, 0xA0)} - {9, 10}
        expected |= controls | {*range(0xD800, 0xE000)} | {0xFFFD}
    assert lost == expected


@pytest.mark.parametrize("backend", ["with_dot", "without_dot"])
@pytest.mark.parametrize("style", ["merged", "micrograd"])
def test_characters_beyond_the_first_plane_have_ink(style, backend, request):
    """Two letters of one font are two pictures, neither that of a character of none."""
    request.getfixturevalue(backend)
    drawn = {
        c: draw_dot(Value(1.0, c * 3), style=style).pipe("png")
        for c in ("\U0001d465", "\U0001d464", "\U0010fffd")
    }
    if drawn["\U0001d465"] == drawn["\U0001d464"]:
        pytest.skip("no font here has mathematical letters")
    assert len(set(drawn.values())) == 3


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (2.0, "2"),
        (-1.5, "-1.5"),
        (1 / 3, "0.3333"),
        (0.0012, "0.0012"),
        (1.5e-7, "1.5e-07"),
        (1.5e300, "1.5e+300"),
        (5e-324, "4.941e-324"),
        (nan, "NaN"),
        (inf, "∞"),
        (-inf, "-∞"),
    ],
)
def test_numbers(x, text):
    assert labels.number(x) == text


@pytest.mark.parametrize("backend", ["with_dot", "without_dot"])
def test_tooltips_have_all_digits(backend, request):
    """No default ids: what the box is, and repr of its numbers."""
    request.getfixturevalue(backend)
    y = Value(1 / 3, label='<"w"> & \\N') * 2.0
    y.backward()
    svg = draw_dot(y, partials=True).pipe("svg", encoding="utf-8")
    link = "{http://www.w3.org/1999/xlink}title"
    shown = [e.get(link) for e in ElementTree.fromstring(svg).iter() if e.get(link)]
    assert 'leaf <"w"> & ⧵N\ndata 0.3333333333333333\ngrad 2.0' in shown
    assert '<"w"> & ⧵N to *\nlocal derivative 2.0' in shown
    assert "operation *\ndata 0.6666666666666666\ngrad 1.0" in shown
    assert not [text for text in shown if text.startswith("n0")]
