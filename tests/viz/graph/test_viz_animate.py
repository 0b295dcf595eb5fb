"""A film of backpropagation: what each frame knows, one layout, and whole files."""

import io
import os
import shutil
import sys
from math import inf, isnan

import pytest

import autograd as ag
from autograd import GraphError, MissingDependencyError, RenderError, Value, gradient
from viz import animate
from viz.graph.diagram import Trace
from viz.graph.frames import Story

Image = pytest.importorskip("PIL.Image")
BACKENDS = pytest.mark.parametrize(
    "backend", ["with_dot", "without_dot", "with_graphviz_pure_alone"]
)
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def story(y, **options):
    return Story(Trace([y], True, True, **options))


def lines(y):
    return [line for frame in story(y).frames for line in frame.lines]


@pytest.fixture
def product():
    w, x = Value(-3.0, label="w"), Value(2.0, label="x")
    z = w * x + w
    z.label = "z"
    return z


def test_what_is_said(product):
    assert lines(product) == [
        "forward: the leaves are given",
        "forward: v1 = w * x = -6",
        "forward: z = v1 + w = -9",
        "backward: dz/dz = 1",
        "backward: dz/dv1 += ∂z/∂v1 · dz/dz = 1 · 1 = 1",
        "backward: dz/dw += ∂z/∂w · dz/dz = 1 · 1 = 1",
        "backward: dz/dw += ∂v1/∂w · dz/dv1 = 2 · 1 = 2, now 3",
        "backward: dz/dx += ∂v1/∂x · dz/dv1 = -3 · 1 = -3",
    ]


def test_one_operation_acts_in_each_frame(product):
    acting = [frame.now for frame in story(product).frames]
    assert acting == [None, 2, 3, 3, 3, 2]


@pytest.mark.parametrize("expand", [True, False])
def test_the_last_frame_has_the_gradients_of_backward(neuron, expand):
    y = neuron * neuron + ag.maximum(neuron, 0.2) + ag.relu(-neuron) ** 2
    trace = Trace([y], expand, True)
    grads = Story(trace).frames[-1].grads
    for leaf, grad in zip(trace.leaves, gradient(y, trace.leaves), strict=True):
        assert grads.get(trace.leaves.index(leaf), 0.0) == pytest.approx(grad)


@pytest.mark.parametrize("x", [0.0, inf, -1.0])
def test_zero_is_as_strong_as_in_backward(x):
    leaf = Value(x, "x")
    for y in (ag.sqrt(ag.relu(leaf)), ag.where(0.0, ag.log(leaf), leaf * 0.0)):
        grad = story(y).frames[-1].grads.get(0, 0.0)
        (expected,) = gradient(y, [leaf])
        assert grad == expected or (isnan(grad) and isnan(expected))


def test_arrows_carry_to_what_takes_part(product):
    """Forwards all operands are lit, backwards those that have a gradient."""
    film = story(product * 4.0)
    lit = [source.count("#ea580c") for source in film.sources("LR")]
    assert lit == [0, 2, 2, 2, 0, 1, 2, 2]


def sizes(path):
    film = Image.open(io.BytesIO(path.read_bytes()))
    frames, found = [], set()
    for k in range(film.n_frames):
        film.seek(k)
        frames.append((film.convert("RGB"), film.info["duration"]))
        found.add(film.size)
    return frames, found


def test_one_lit_arrow_keeps_its_colour(tmp_path, without_dot):
    """Few pixels: a palette of the commonest colours would lose them."""
    y = ag.dot([Value(0.7, "w1"), Value(0.5, "w2")], [8.0, 21.0], Value(0.0, "b"))
    frames, _ = sizes(animate(ag.tanh(y), tmp_path / "a.gif"))
    last = frames[-2][0].getcolors(1 << 20)
    lit = [n for n, c in last if all(abs(a - b) < 20 for a, b in zip(c, (234, 88, 12)))]
    assert sum(lit) > 20


@BACKENDS
def test_a_film_of_ten_nodes(neuron, tmp_path, backend, request):
    request.getfixturevalue(backend)
    before = [(v.data, v.grad) for v in Trace([neuron], True, False).leaves]
    path = animate(neuron, tmp_path / "backprop.GIF", seconds=0.5)
    frames, found = sizes(path)
    assert len(frames) == 10  # leaves; 4 operations; dy/dy; 4 operations
    assert len(found) == 1
    assert [pause for _, pause in frames] == [500] * 9 + [2000]
    assert len({image.tobytes() for image, _ in frames}) == 10
    assert b"NETSCAPE2.0" in path.read_bytes()  # it repeats
    after = [(v.data, v.grad) for v in Trace([neuron], True, False).leaves]
    assert after == before
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["backprop.GIF"]


@pytest.mark.parametrize("backend", ["with_dot", "without_dot"])
@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_nothing_moves(neuron, backend, rankdir, request):
    """Boxes, arrows and caption stand in one place in every frame."""
    request.getfixturevalue(backend)
    from viz.graph.picture import NEXT, draw

    y = neuron * neuron - ag.exp(neuron * 9.0) / Value(-1e-7, "a long name")
    sources = story(y).sources(rankdir)
    pictures = draw(NEXT.join(sources), "plain", "dot").decode().split("stop")[:-1]
    assert len(pictures) == len(sources)

    def places(picture):
        graph, *rest = picture.strip().splitlines()
        nodes = [line.split()[1:4] for line in rest if line.startswith("node")]
        edges = [line.rpartition("#")[0] for line in rest if line.startswith("edge")]
        return graph, nodes, edges

    assert all(places(picture) == places(pictures[0]) for picture in pictures)


@needs_ffmpeg
def test_mp4(neuron, tmp_path):
    path = animate(neuron, tmp_path / "film.mp4", seconds=0.2)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_without_ffmpeg(neuron, tmp_path, without_dot):
    with pytest.raises(MissingDependencyError, match=r"ffmpeg.*PATH.*\.gif"):
        animate(neuron, tmp_path / "film.mp4")


@pytest.mark.skipif(os.name != "posix", reason="needs scripts")
@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo no encoder >&2; exit 1", "no encoder"), ("exit 0", "status 0")],
)
def test_a_broken_ffmpeg_gives_a_reason(
    neuron, tmp_path, without_dot, monkeypatch, script, reason
):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ffmpeg").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(RenderError, match=f"could not make the film: .*{reason}"):
        animate(neuron, tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()


def test_without_pillow(neuron, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependencyError, match="pip install pillow"):
        animate(neuron, tmp_path / "film.gif")


@pytest.mark.parametrize("name", ["film.avi", "film", ".gif", "film.png"])
def test_unknown_endings(neuron, tmp_path, name):
    with pytest.raises(RenderError, match=r"use one of \.gif, \.mp4"):
        animate(neuron, tmp_path / name)


def test_a_path_that_cannot_be_written(neuron, tmp_path):
    with pytest.raises(RenderError, match=r"cannot write .*nowhere"):
        animate(neuron, tmp_path / "nowhere" / "film.gif")
    (tmp_path / "film.gif").mkdir()
    with pytest.raises(RenderError, match="cannot write"):
        animate(neuron, tmp_path / "film.gif")


def test_the_old_film_stays_when_drawing_fails(neuron, tmp_path, nothing_to_draw_with):
    path = tmp_path / "film.gif"
    path.write_bytes(b"old")
    with pytest.raises(MissingDependencyError):
        animate(neuron, path)
    assert path.read_bytes() == b"old"


def test_too_many_boxes_name_the_remedy(neuron, tmp_path):
    with pytest.raises(RenderError, match=r"9 boxes.*max_nodes=5.*expand_dots=False"):
        animate(neuron, tmp_path / "film.gif", max_nodes=5)
    assert animate(neuron, tmp_path / "film.gif", max_nodes=9)


@pytest.mark.parametrize("seconds", ["1", None, [1]])
def test_seconds_are_a_number(neuron, tmp_path, seconds):
    with pytest.raises(TypeError, match="seconds must be a number"):
        animate(neuron, tmp_path / "film.gif", seconds=seconds)


@pytest.mark.parametrize("seconds", [0, -1, inf, float("nan"), 0.001])
def test_seconds_are_a_pause(neuron, tmp_path, seconds):
    with pytest.raises(ValueError, match=r"seconds must be at least 0\.02"):
        animate(neuron, tmp_path / "film.gif", seconds=seconds)


def test_other_mistakes(neuron, tmp_path):
    with pytest.raises(TypeError, match="only a Value"):
        animate([neuron], tmp_path / "film.gif")
    with pytest.raises(ValueError, match="rankdir is one of"):
        animate(neuron, tmp_path / "film.gif", rankdir="UP")
    x = Value(1.0)
    by_hand = Value(2.0, (x,), "f")
    with pytest.raises(GraphError, match=r"'f' was made by hand"):
        animate(by_hand, tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("y", [Value(1.0), Value(float("nan"), "x") * 2.0])
def test_small_and_odd_films(y, tmp_path, without_dot):
    assert io.BytesIO(animate(y, tmp_path / "a.gif").read_bytes()).read(4) == b"GIF8"
