"""Pictures where there is neither dot nor pygraphviz: graphviz-pure alone."""

import struct
import xml.etree.ElementTree as ElementTree

import pytest

from autograd import RenderError, Value
from viz import draw_dot, render

pytestmark = pytest.mark.usefixtures("with_graphviz_pure_alone")


@pytest.mark.parametrize("style", ["merged", "micrograd"])
@pytest.mark.parametrize("format", ["png", "svg"])
def test_pictures_and_the_same_bytes_twice(neuron, style, format, tmp_path):
    options = {"style": style, "partials": True, "numeric": True}
    path = render(neuron, tmp_path / f"a.{format}", **options)
    first = path.read_bytes()
    assert first[:4] == {"png": b"\x89PNG", "svg": b"<?xm"}[format]
    assert draw_dot(neuron, **options).pipe(format) == first


def test_text_fits_its_cells(neuron):
    """The font is one whose widths it knows; of others it would take those of Times."""
    svg = draw_dot(neuron).pipe("svg", encoding="utf-8")
    elements = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    assert {element.get("font-family").split(",")[0] for element in elements} <= {
        "Arial",
        "Helvetica",
    }


def test_large_bitmaps_are_scaled_down():
    y = Value(1.0)
    for _ in range(90):
        y = y + 1.0
    png = draw_dot(y, collapse=None, max_nodes=200).pipe("png")
    assert 7900 <= max(struct.unpack(">II", png[16:24])) <= 8002


def test_what_it_cannot_do_is_an_error(neuron, tmp_path):
    with pytest.raises(RenderError, match="could not draw the picture as pdf"):
        render(neuron, tmp_path / "a.pdf")
    picture = draw_dot(neuron)
    picture.node("bad", "<<table><tr></table>>")
    with pytest.raises(RenderError, match="could not draw"):
        picture.pipe("svg")
    assert not list(tmp_path.iterdir())
