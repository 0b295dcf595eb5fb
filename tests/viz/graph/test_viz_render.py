"""Pictures and files: drawn with dot, with pygraphviz, or not at all."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import graphviz
import pytest

import autograd as ag
import viz
from autograd import MissingDependencyError, RenderError, Value
from viz import draw_dot, render
from viz.graph import fonts
from viz.graph import picture as picture_module

START = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
BACKENDS = pytest.mark.parametrize("backend", ["with_dot", "without_dot"])


def arrows(picture):
    """The arrows of a picture; those that only hold an order are invisible."""
    lines = picture.source.splitlines()
    return sum(" -> " in line and "invis" not in line for line in lines)


def size(png):
    return struct.unpack(">II", png[16:24])


@BACKENDS
@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_the_file_name_chooses_the_format(neuron, tmp_path, format, backend, request):
    request.getfixturevalue(backend)
    path = render(neuron, tmp_path / f"neuron.{format}")
    assert path.read_bytes().startswith(START[format])


@pytest.mark.parametrize("name", ["a.dot", "a.gv"])
def test_the_source_needs_nothing_to_draw_with(
    neuron, tmp_path, name, nothing_to_draw_with
):
    assert render(neuron, tmp_path / name).read_text().startswith("digraph")


def test_upper_case_and_text_paths(neuron, tmp_path, without_dot):
    assert render(neuron, str(tmp_path / "A.PNG")).read_bytes().startswith(START["png"])


@pytest.mark.parametrize("name", ["a.bmp", "a", ".png", "a.tar.gz"])
def test_unknown_formats_name_the_known(neuron, tmp_path, name):
    with pytest.raises(RenderError, match=r"\.png, \.svg, \.pdf, \.dot, \.gv"):
        render(neuron, tmp_path / name)


def test_a_missing_directory_is_named(neuron, tmp_path):
    with pytest.raises(RenderError, match=r"nowhere.*No such file"):
        render(neuron, tmp_path / "nowhere" / "a.dot")


def test_a_directory_in_the_way(neuron, tmp_path):
    (tmp_path / "a.dot").mkdir()
    with pytest.raises(RenderError, match=r"a\.dot"):
        render(neuron, tmp_path / "a.dot")
    assert [p.name for p in tmp_path.iterdir()] == ["a.dot"]


def test_a_failed_drawing_leaves_the_old_file(neuron, tmp_path, nothing_to_draw_with):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with pytest.raises(MissingDependencyError):
        render(neuron, path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_to_draw_with_names_the_remedies(neuron, nothing_to_draw_with):
    with pytest.raises(MissingDependencyError) as raised:
        draw_dot(neuron).pipe("svg")
    for remedy in (
        "pip install pygraphviz",
        "pip install graphviz-pure",
        "apt-get install graphviz",
        "brew install graphviz",
    ):
        assert remedy in str(raised.value)


@BACKENDS
def test_as_a_digraph(neuron, tmp_path, backend, request):
    request.getfixturevalue(backend)
    picture = draw_dot(neuron, format="png")
    assert isinstance(picture, graphviz.Digraph)
    assert picture.pipe().startswith(START["png"])
    assert picture.pipe("svg", encoding="utf-8").startswith("<?xml")
    bundle = picture._repr_mimebundle_(include=["image/svg+xml", "image/png"])
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["image/png"].startswith(START["png"])
    assert picture.copy().pipe("svg").startswith(START["svg"])


@BACKENDS
def test_the_render_method(neuron, tmp_path, backend, request):
    request.getfixturevalue(backend)
    picture = draw_dot(neuron)
    path = picture.render("graph", directory=tmp_path, cleanup=True)
    assert path == str(tmp_path / "graph.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]
    assert picture.render(outfile=tmp_path / "b.png") == str(tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes().startswith(START["png"])
    assert (tmp_path / "b.gv").exists()


@BACKENDS
def test_what_graphviz_refuses_is_an_error(neuron, backend, request):
    request.getfixturevalue(backend)
    picture = draw_dot(neuron)
    picture.node("bad", "<<table><tr></table>>")
    with pytest.raises(RenderError, match="could not draw"):
        picture.pipe("svg")


@BACKENDS
@pytest.mark.parametrize("legend", [True, False])
def test_large_bitmaps_are_scaled_down_and_say_so(
    backend, legend, request, monkeypatch
):
    request.getfixturevalue(backend)
    drawn, draw = [], picture_module.draw
    monkeypatch.setattr(
        picture_module, "draw", lambda s, *more: drawn.append(s) or draw(s, *more)
    )
    y = Value(1.0)
    for _ in range(90):
        y = y + 1.0
    y.backward()
    picture = draw_dot(y, collapse=None, max_nodes=200, legend=legend)
    assert 7900 <= max(size(picture.pipe("png"))) <= 8002
    assert "scaled down to 8000 pixels" in drawn[-1]
    assert "as SVG, or collapsed" in drawn[-1]
    assert b"scaled down" not in picture.pipe("svg")
    picture.attr(dpi="300")
    assert max(size(picture.pipe("png"))) <= 8002
    few = draw_dot(y + 1.0, collapse="layer", max_nodes=9)
    assert max(size(few.pipe("png"))) < 7900
    assert "scaled down" not in drawn[-1]


def test_bundled_fonts_draw_letters_where_there_are_none(
    monkeypatch, tmp_path, without_dot
):
    """Without fonts all letters are one empty box, with ours they differ."""
    nothing = tmp_path / "none.conf"
    nothing.write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(nothing))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    drawn = [draw_dot(Value(1.0, c * 3)).pipe("png") for c in "bdΣθ∂×"]
    assert len(set(drawn)) == 6
    empty = tmp_path / "fonts"
    empty.mkdir()
    monkeypatch.setattr(fonts, "FOLDER", empty)
    monkeypatch.setenv("XDG_CACHE_HOME", str(empty))
    drawn = [draw_dot(Value(1.0, c * 3)).pipe("png") for c in "bdΣθ∂×"]
    assert len(set(drawn)) == 1


def test_the_system_fonts_stay_in_reach(monkeypatch):
    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    with fonts.environment() as variables:
        text = Path(variables["FONTCONFIG_FILE"]).read_text()
    assert "/etc/fonts/fonts.conf" in text
    assert "<dir>" in text


@pytest.fixture
def drawn_elsewhere(monkeypatch, tmp_path):
    """Draw with a folder for temporary files; what is left in it afterwards."""
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(aside))

    def draw():
        assert draw_dot(Value(1.0, "Σ")).pipe("png").startswith(START["png"])
        return list(aside.iterdir())

    return draw


@BACKENDS
def test_drawing_writes_nothing_into_the_package(
    backend, request, monkeypatch, tmp_path, drawn_elsewhere
):
    """Fontconfig may write where it reads: it reads a copy, mended when it differs."""
    request.getfixturevalue(backend)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = sorted(fonts.FOLDER.iterdir())
    assert drawn_elsewhere() == []
    copy = tmp_path / "scalar-autograd-fonts" / "DejaVuSans.ttf"
    original = (fonts.FOLDER / copy.name).read_bytes()
    assert copy.read_bytes() == original
    copy.write_bytes(b"another file")
    assert drawn_elsewhere() == []
    assert copy.read_bytes() == original
    assert sorted(fonts.FOLDER.iterdir()) == before


def test_drawing_without_a_cache_leaves_nothing(
    monkeypatch, tmp_path, without_dot, drawn_elsewhere
):
    """Where no folder can be made for the copy, it lives as long as the drawing."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert drawn_elsewhere() == []


def test_relative_cache_folders_do_not_count(
    monkeypatch, tmp_path, without_dot, drawn_elsewhere
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", "home")
    assert drawn_elsewhere() == []
    assert list(here.iterdir()) == []


def test_the_bundled_fonts_are_small_and_licensed():
    files = {p.name: p.stat().st_size for p in fonts.FOLDER.iterdir()}
    assert set(files) == {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "LICENSE.txt"}
    assert sum(files.values()) < 250_000
    assert "Bitstream" in (fonts.FOLDER / "LICENSE.txt").read_text()


def test_merged_style(neuron):
    picture = draw_dot(neuron)
    assert "data -3<" in picture.source
    assert "<b>tanh</b>&nbsp;&nbsp;y" in picture.source
    assert arrows(picture) == 8


def test_gradients_are_coloured_by_sign_and_size():
    a, b, c = Value(1.0, "a"), Value(1.0, "b"), Value(1.0, "c")
    (3.0 * a - 1.0 * b + 0.0 * c).backward()
    colours = {}
    for leaf in (a, b, c):
        line = draw_dot(a * b * c, max_nodes=99).source.split(f"<b>{leaf.label}</b>")[1]
        colours[leaf.label] = line.split('bgcolor="')[2].split('"')[0]
    red, blue = colours["b"], colours["a"]
    assert int(blue[5:], 16) > int(blue[1:3], 16)
    assert int(red[1:3], 16) > int(red[5:], 16)
    assert colours["c"] == "white"


@pytest.mark.parametrize("data", [float("nan"), float("inf"), -float("inf"), 5e-324])
def test_any_number_can_be_drawn(data, without_dot):
    x = Value(data, label="x")
    y = x * data
    y.backward()
    assert draw_dot(y, partials=True, numeric=True).pipe("svg")


def test_micrograd_style(neuron):
    source = draw_dot(neuron, style="micrograd").source
    assert "{ w1 | data -3 | grad" in source
    assert source.count("shape=record") == 9
    assert source.count("->") == 12


def test_partials_and_numeric_in_both_styles(neuron):
    for style in ("merged", "micrograd"):
        source = draw_dot(neuron, style=style, partials=True, numeric=True).source
        assert source.count("numeric ") == 5
        assert '" 2 "' in source


def test_micrograds_call(neuron):
    picture = draw_dot(neuron, "png", "TB")
    assert picture.format == "png"
    assert "rankdir=TB" in picture.source


def test_several_results():
    x = Value(1.0)
    assert arrows(draw_dot([x + 1.0, x * 2.0])) == 4


def test_the_same_graph_gives_the_same_source(neuron):
    assert draw_dot(neuron).source == draw_dot(neuron).source


def test_public_names():
    assert viz.__all__ == sorted(viz.__all__)
    assert all(hasattr(viz, name) for name in viz.__all__)


def test_importing_is_light():
    code = "import sys, viz; print({'matplotlib', 'pygraphviz'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_a_picture_of_text_has_ink(without_dot):
    """Not a blank page: the pixels are not all alike."""
    png = draw_dot(ag.tanh(Value(0.5, label="x"))).pipe("png")
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    assert len(set(zlib.decompress(data))) > 16
