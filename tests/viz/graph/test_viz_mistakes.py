"""What goes wrong around a picture: odd options, paths, gradients, and a broken dot."""

import functools
import stat

import pytest

import viz
from autograd import RenderError, Value, dot
from viz import draw_dot, render


@pytest.mark.parametrize("style", ["merged", "micrograd"])
def test_a_gradient_of_none_is_drawn_as_zero(style):
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    y = dot([w], [x], 1.0)
    expected = draw_dot(y, style=style, numeric=True).source
    for node in (w, x, y):
        node.grad = None
    assert draw_dot(y, style=style, numeric=True).source == expected
    assert draw_dot(y, style=style, collapse="layer").source


@pytest.mark.parametrize("y", [3.0, None, "x", [], [1.0], object()])
def test_only_values_are_drawn(y):
    with pytest.raises(TypeError, match="only Values can be drawn, got"):
        draw_dot(y)


@pytest.mark.parametrize(
    "option",
    [{"style": "x"}, {"rankdir": "UP"}, {"collapse": "all"}],
)
def test_unknown_options(option):
    with pytest.raises(ValueError, match=str(next(iter(option.values())))):
        draw_dot(Value(1.0), **option)


@pytest.mark.parametrize("format", ["zzz", None, 3, ["svg"]])
def test_unknown_formats_of_a_picture(format):
    with pytest.raises(RenderError, match=r"unknown format .*pdf, .*png, .*svg"):
        draw_dot(Value(1.0), format=format)


def test_formats_in_upper_case():
    assert draw_dot(Value(1.0), format="PNG").format == "png"


def test_max_nodes_is_a_number():
    with pytest.raises(TypeError, match=r"max_nodes must be a number.*'a'"):
        draw_dot(Value(1.0), max_nodes="a")
    assert draw_dot(Value(1.0), max_nodes=float("inf"))


@pytest.mark.parametrize("name", ["a\0.svg", "a\0.dot", "\0/a.gv"])
def test_nul_in_a_path(neuron, tmp_path, name):
    with pytest.raises(RenderError, match=r"cannot write .*x00.*null"):
        render(neuron, str(tmp_path / name))
    assert not list(tmp_path.iterdir())


def test_render_keeps_modes_and_links(neuron, tmp_path):
    target, link = tmp_path / "target.svg", tmp_path / "link.svg"
    target.write_bytes(b"old")
    target.chmod(0o600)
    link.symlink_to(target)
    render(neuron, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes() != b"old"


BROKEN = {
    "silent": ("#!/bin/sh\n", "dot wrote no picture"),
    "failing": ("#!/bin/sh\nexit 3\n", "dot ended with status 3"),
    "chatty": ("#!/bin/sh\necho hello\n", "dot wrote no picture"),
    "complaining": ("#!/bin/sh\necho no plugin >&2\nexit 1\n", "no plugin"),
    "no program": ("\x7fELF", "dot could not be run"),
    "no interpreter": ("#!/no/such/shell\n", "dot could not be run"),
}


@pytest.fixture(params=list(BROKEN))
def broken_dot(request, tmp_path, monkeypatch):
    script, reason = BROKEN[request.param]
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "dot").write_text(script)
    (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return reason


@pytest.mark.parametrize("format", ["svg", "png"])
def test_a_broken_dot_is_passed_over(neuron, broken_dot, format):
    pytest.importorskip("pygraphviz")
    assert draw_dot(neuron).pipe(format)


@pytest.mark.parametrize("format", ["svg", "png"])
def test_a_broken_dot_alone_gives_a_reason(
    neuron, broken_dot, format, tmp_path, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("viz.graph.picture.SCRIPTS", str(tmp_path))
    with pytest.raises(RenderError, match=f"could not draw .*{broken_dot}"):
        draw_dot(neuron).pipe(format)


@pytest.mark.parametrize("format", ["png", "svg", "pdf", "jpg", "gif"])
@pytest.mark.parametrize("length", [0, 3, 8, 15, 20, 24, 40, -9, -1])
def test_part_of_a_picture_is_none(neuron, format, length, tmp_path, monkeypatch):
    """Cut anywhere, as by a full disk or a killed child: an error, and no file."""
    whole = pictures(format)
    folder, target = tmp_path / "bin", tmp_path / f"neuron.{format}"
    folder.mkdir()
    (folder / "part").write_bytes(
        whole[: length if length >= 0 else len(whole) + length]
    )
    (folder / "dot").write_text(f"#!/bin/sh\nexec /bin/cat '{folder}/part'\n")
    (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("viz.graph.picture.SCRIPTS", str(tmp_path))
    with pytest.raises(RenderError, match=r"dot wrote (no|part of a) picture"):
        draw_dot(neuron).pipe(format)
    if format in ("png", "svg", "pdf"):
        with pytest.raises(RenderError, match=r"dot wrote (no|part of a) picture"):
            render(neuron, target)
    assert not target.exists()


@functools.cache
def pictures(format):
    pytest.importorskip("pygraphviz")
    whole = draw_dot(Value(1.0, label="x")).pipe(format)
    return whole.rstrip(b"\r\n")


def test_activations_by_name():
    figure = pytest.importorskip("matplotlib.figure").Figure()
    curve = viz.activation("relu", ax=figure.subplots()).get_lines()[0]
    assert curve.get_label() == "relu(x)"
    with pytest.raises(ValueError, match="unknown activation 'rele': known are relu"):
        viz.activation("rele")
