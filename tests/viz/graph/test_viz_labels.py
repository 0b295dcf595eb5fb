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


@pytest.mark.parametrize("plane", [0, 1, 2, 16])
def test_what_xml_has_a_place_for_is_kept(plane):
    """In every plane of Unicode: all but controls, surrogates, U+FFFE and U+FFFF."""
    codes = range(0x10000 * plane, 0x10000 * (plane + 1))
    lost = [code for code in codes if labels.clip(chr(code)) == "\ufffd"]
    if plane:
        assert lost == []
    else:
        low = [code for code in lost if code < 0xA0]
        assert lost == [*low, *range(0xD800, 0xE000), 0xFFFD, 0xFFFE, 0xFFFF]
        assert low == [
            *(c for c in range(0x20) if chr(c) not in "\t\n"),
            *range(0x7F, 0xA0),
        ]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0.0000"),
        (2.0, "2.0000"),
        (-1.5, "-1.5000"),
        (0.0012, "0.0012"),
        (1.5e-7, "1.500e-07"),
        (1.5e300, "1.500e+300"),
        (5e-324, "4.941e-324"),
        (nan, "nan"),
        (inf, "inf"),
        (-inf, "-inf"),
    ],
)
def test_numbers(x, text):
    assert labels.number(x) == text


@pytest.mark.parametrize(("x", "text"), [(2.0, "2"), (-0.5, "-0.5"), (1e9, "1e+09")])
def test_constants(x, text):
    assert labels.constant(x) == text
