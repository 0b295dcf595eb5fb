"""The page of a training run: what is recorded, what it says, how it plays."""

import random
import shutil
import sys
from itertools import pairwise
from math import inf, nan, sin

import numpy as np
import pytest
from browser import violations

import viz
from autograd import (
    DataError,
    MissingDependencyError,
    RenderError,
    ShapeError,
    Value,
)
from nn import MLP, SGD, Layer, Sequential, fit, mse_loss, softmax
from viz import training_film, watch_training
from viz.page.training.film import MOST_BYTES, film_data, film_page
from viz.page.training.record import MOST_FRAMES
from viz.page.training.verdicts import ADVICE, findings
from viz.plots.wiring import wiring

HOSTILE = "</script><img src=x onerror=\"document.title='stolen'\">"
X = [[random.Random(i).uniform(-1, 1) for i in (k, k + 99)] for k in range(24)]
Y = [1 if a * b > 0 else -1 for a, b in X]


def trained(epochs=6, model=None, X=X, y=Y, loss="hinge", metrics=(), **options):
    """A watch of a short run."""
    model = model or MLP(2, [4, 1], "tanh", seed=0)
    watch = watch_training(model, X, y, **options)
    run = {"epochs": epochs, "progress": False, "callbacks": watch, "metrics": metrics}
    fit(model, X, y, loss, lr=0.05, **run)
    return watch


@pytest.fixture
def opened(tmp_path, visit):
    def opened(watch, **how):
        return visit(watch.save(tmp_path / "run.html"), **how)

    return opened


def until(page, condition):
    """Wait for what the page comes to by itself; its policy forbids waiting inside."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


# -- Recording -------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [None, "hinge"])
@pytest.mark.parametrize("compile", [False, None, True])
def test_watching_changes_nothing(loss, compile):
    def run(watched):
        model = MLP(2, [4, 1], "tanh", seed=0)
        random.seed(1)
        np.random.seed(1)
        watch = watch_training(model, X, Y, loss=loss) if watched else ()
        options = {"progress": False, "compile": compile, "callbacks": watch}
        history = fit(model, X, Y, "hinge", epochs=12, batch_size=5, **options)
        grads = [p.grad for p in model.parameters()]
        drawn = random.random(), np.random.random()
        return model.state_dict(), grads, history, drawn

    assert run(True) == run(False)


def test_functions_that_draw_leave_the_generators_alone():
    def noisy(xs):
        return [x + random.random() for x in xs]

    random.seed(3)
    before = random.getstate()
    model = Sequential(Layer(2, 3, seed=0), noisy, Layer(3, 1, seed=1))
    watch_training(model, X, Y, loss="mse").step(1.0)
    viz.network(model, X[0])
    assert random.getstate() == before


def test_frames_are_thinned_and_the_last_one_is_kept():
    watch = watch_training(MLP(2, [2, 1], seed=0), X, Y)
    for k in range(1003):
        watch.step(1.0 / (k + 1))
        assert len(watch.recording.frames) <= MOST_FRAMES
    times = [frame.time for frame in watch.recording.complete()]
    assert len(times) <= MOST_FRAMES
    assert times[0] == 0 and times[-1] == 1003
    assert {b - a for a, b in pairwise(times[:-1])} == {16}
    curves = film_data(watch, watch.recording.frames)["curves"]
    assert len(curves["loss"][0]) <= 402 and curves["loss"][0][-1] == 1003.0


@pytest.mark.parametrize(
    ("widths", "steps"), [([16, 16, 1], 150), ([40, 40, 40, 3], 120), ([12] * 14, 120)]
)
def test_pages_are_bounded(widths, steps):
    watch = watch_training(
        MLP(2, widths, "tanh", seed=0), X, [k % 3 for k in range(24)]
    )
    for _ in range(steps):
        watch.step(1.0)
    assert len(film_page(watch).text.encode()) <= MOST_BYTES == 1_000_000


def test_a_loop_of_ones_own(tmp_path):
    model = MLP(1, [3, 1], seed=0)
    data = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    optimiser = SGD(model.parameters(), lr=0.01)
    with watch_training(model, *data, tmp_path / "loop.html") as watch:
        for _ in range(4):
            optimiser.zero_grad()
            loss = mse_loss(model.batch(data[0]), data[1])
            loss.backward()
            optimiser.step()
            watch.step(loss, accuracy=0.5)
    page = (tmp_path / "loop.html").read_text()
    assert '"unit":"step"' in page and '"accuracy"' in page
    assert watch.recording.curves["loss"][-1] == loss.data


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("lost")])
def test_what_was_recorded_is_written_after_an_exception(error, tmp_path):
    def run():
        with watch_training(MLP(2, [2, 1]), X, Y, tmp_path / "run.html") as watch:
            watch.step(0.5)
            raise error

    with pytest.raises((KeyboardInterrupt, ValueError)):
        run()
    page = (tmp_path / "run.html").read_text()
    assert page.endswith("</html>\n") and '"time":1' in page
    assert (
        '"stopped":"KeyboardInterrupt"' in page
        or '"stopped":"ValueError: lost"' in page
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run.html"]


@pytest.mark.parametrize(
    ("model", "X", "y", "kind"),
    [
        (MLP(2, [3, 1]), X, Y, "plane"),
        (MLP(2, [3, 3]), X, [k % 3 for k in range(24)], "plane"),
        (MLP(3, [1]), [[*x, 1.0] for x in X], Y, "confusion"),
        (
            MLP(3, [2]),
            [[*x, 1.0] for x in X],
            [[k % 2, 1 - k % 2] for k in range(24)],
            "confusion",
        ),
        (MLP(1, [3, 1]), [x[:1] for x in X], [x[1] for x in X], "line"),
        (MLP(2, [2]), X, X, "scatter"),
        (MLP(2, [3]), X, [0.5] * 24, ""),
    ],
)
def test_what_the_model_says(model, X, y, kind, opened):
    watch = watch_training(model, X, y)
    watch.step(1.0)
    assert watch.recording.outlook.kind == kind
    page = opened(watch)
    assert page.is_visible("#outlook") is bool(kind)


class Frame:
    """What is needed of a data frame, and no more."""

    columns = ("hours", "age")

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype)


def test_inputs_are_named_by_a_data_frame(opened):
    page = opened(watch_training(MLP(2, [1], seed=0), Frame(), Y))
    assert page.locator("#net .end").all_text_contents() == ["hours", "age"]


def test_curves_keep_the_order_in_which_they_came():
    watch = trained(epochs=1, metrics=("accuracy", "mean_absolute_error"))
    assert [*watch.recording.curves] == ["loss", "accuracy", "mean_absolute_error"]


def test_the_threshold_of_logits():
    logits = "binary_cross_entropy_with_logits"
    y = [0, 1] * 12
    for options, threshold in (
        ({}, 0.5),
        ({"loss": logits}, 0.0),
        ({"threshold": 2}, 2),
    ):
        watch = watch_training(MLP(2, [1]), X, y, **options)
        assert watch.recording.outlook.classes.threshold == threshold


# -- Verdicts --------------------------------------------------------------------------


def kinds(model, X=((1.0, 2.0), (-1.0, 0.5)), gradients=None):
    wires = wiring(model)
    stages, outputs = wires.stages, wires.columns(np.array(X))[1:]
    weights = [s.weights() for s in stages]
    found = findings(stages, outputs, weights, gradients or [0 * w for w in weights])
    return [(f.kind, f.layer, f.neurons) for f in found]


def test_dead_and_saturated_neurons_are_named():
    model = MLP(2, [3, 1], seed=0)
    for k, neuron in enumerate(model.layers[0].neurons):
        neuron.b.data = -100.0 if k == 1 else 10.0
    assert kinds(model) == [("dead", 0, [1])]
    model = MLP(2, [3, 1], "tanh", seed=0, output="tanh")
    model.layers[0].neurons[2].b.data = 100.0
    model.layers[1].neurons[0].b.data = 100.0  # outputs may be sure
    assert kinds(model) == [("saturated", 0, [2])]
    model = MLP(2, [3, 1], "sigmoid", seed=0)
    assert kinds(model) == []


def test_gradients_out_of_proportion():
    model = MLP(2, [3, 1], seed=1)

    for first, last, kind in ((1e-5, 1.0, "vanishing"), (1e5, 1.0, "exploding")):
        found = kinds(model, gradients=[np.full((3, 2), first), np.full((1, 3), last)])
        assert (kind, 0, []) in found
    assert ("infinite", 1, []) in kinds(
        model, gradients=[np.ones((3, 2)), np.full((1, 3), inf)]
    )
    assert {kind for kind, _ in ADVICE.items()} >= {"dead", "saturated", "infinite"}


# -- The page --------------------------------------------------------------------------


def test_play_pause_and_scrub(opened):
    page = opened(trained(metrics="accuracy"))
    assert page.inner_text("#now").startswith("before training")
    before = page.evaluate(
        "player.net.lines[0].style.stroke + player.net.lines[0].style.strokeWidth"
    )
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#now").startswith("epoch 1 of 6, loss ")
    assert "samples right" in page.inner_text("#said")
    page.keyboard.press("End")
    assert page.inner_text("#now").startswith("epoch 6 of 6")
    after = page.evaluate(
        "player.net.lines[0].style.stroke + player.net.lines[0].style.strokeWidth"
    )
    assert before != after
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "pause"
    until(page, "player.index >= 2")
    page.keyboard.press("Space")
    at = page.evaluate("player.index")
    assert page.inner_text("#play") == "play"
    page.focus("#time")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("player.index") == at - 1
    assert page.get_attribute("#time", "aria-valuetext") == page.inner_text("#now")


def test_it_plays_to_the_end_and_again(opened):
    page = opened(trained(epochs=2))
    page.click("#play")
    until(page, "player.index === frames.length - 1 && !player.playing")
    assert page.inner_text("#play") == "play"
    assert page.inner_text("#said").startswith("epoch 2 of 2")
    page.click("#play")
    assert page.evaluate("player.index") == 0


def test_touching_a_strip_goes_there(opened):
    page = opened(trained(), touch=True, width=400)
    page.locator(".strip").first.scroll_into_view_if_needed()
    box = page.locator(".strip").first.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 3, box["y"] + 10)
    assert page.evaluate("player.index") == 6


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 760, 320])
def test_sizes_schemes_and_accessibility(dark, width, opened):
    page = opened(trained(metrics="accuracy"), dark=dark, width=width)
    page.keyboard.press("End")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_a_confusion_matrix_is_accessible(opened):
    rows = [[*x, 1.0] for x in X]
    watch = trained(
        model=MLP(3, [4, 2], seed=0),
        X=rows,
        y=[k % 2 for k in range(24)],
        loss="cross_entropy",
    )
    page = opened(watch, width=320)
    assert page.locator("td").all_text_contents().count("") == 1
    assert violations(page) == []


def test_names_stay_text(opened):
    names = {"labels": (HOSTILE, "b"), "inputs": ("a", HOSTILE), "outputs": (HOSTILE,)}
    page = opened(trained(**names, title=HOSTILE))
    page.keyboard.press("End")
    assert page.inner_text("h1") == HOSTILE
    assert HOSTILE in page.inner_text("#outlook .key")
    assert page.title() == HOSTILE


def test_nan_in_the_middle_of_a_run(opened):
    model = MLP(2, [3, 1], seed=0)
    watch = watch_training(model, X, Y)
    watch.step(0.5)
    model.layers[0].neurons[0].w[0].data = nan
    model.layers[1].neurons[0].b.data = inf
    watch.step(nan)
    page = opened(watch)
    page.keyboard.press("End")
    assert "loss nan" in page.inner_text("#now")
    assert "not finite" in page.inner_text("#findings")
    assert page.evaluate("player.net.lines[0].style.stroke") == "var(--odd)"


def test_a_run_that_diverged_says_so(opened):
    model = MLP(1, [1], seed=0)
    watch = watch_training(model, [[1.0], [2.0]], [1.0, 3.0])
    with pytest.warns(RuntimeWarning):
        fit(
            model,
            [[1.0], [2.0]],
            [1.0, 3.0],
            optimiser="sgd",
            lr=1e9,
            epochs=50,
            progress=False,
            callbacks=watch,
        )
    page = opened(watch)
    assert "learning rate" in page.inner_text("#ended")


# -- Films in files --------------------------------------------------------------------


@pytest.fixture
def run():
    pytest.importorskip("matplotlib")
    return trained(epochs=3)


def test_a_gif_of_the_run(run, tmp_path):
    image = pytest.importorskip("PIL.Image")
    with image.open(
        training_film(run, tmp_path / "run.gif", seconds=0.2, most=3)
    ) as film:
        assert film.n_frames == 3
        assert film.info["duration"] == 200
        film.seek(2)
        assert film.info["duration"] == 800


@pytest.mark.parametrize(
    ("model", "X", "y"),
    [
        (MLP(2, [3]), X, [k % 3 for k in range(24)]),
        (MLP(3, [1]), [[*x, 1.0] for x in X], Y),
        (MLP(1, [1]), [x[:1] for x in X], [sin(x[0]) for x in X]),
        (Sequential(Layer(2, 2), softmax), X, X),
    ],
)
def test_films_of_other_outlooks(model, X, y, tmp_path):
    pytest.importorskip("matplotlib")
    watch = watch_training(model, X, y)
    watch.step(nan)
    assert training_film(watch, tmp_path / "run.gif", most=2).exists()


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
def test_an_mp4_of_the_run(run, tmp_path):
    content = training_film(run, tmp_path / "run.mp4", most=2).read_bytes()
    assert content[4:8] == b"ftyp"


def test_films_that_cannot_be_made(run, tmp_path, monkeypatch):
    with pytest.raises(TypeError, match="films what viz"):
        training_film([1.0], tmp_path / "run.gif")
    with pytest.raises(ValueError, match="most must be at least 2"):
        training_film(run, tmp_path / "run.gif", most=1)
    with pytest.raises(RenderError, match="known format"):
        training_film(run, tmp_path / "run.avi")
    with pytest.raises(RenderError, match="cannot write"):
        training_film(run, tmp_path / "nowhere" / "run.gif", most=2)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingDependencyError, match="ffmpeg"):
        training_film(run, tmp_path / "run.mp4")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match="pip install matplotlib"):
        training_film(run, tmp_path / "run.gif")
    assert not [*tmp_path.iterdir()]


# -- What is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "X", "options", "error", "message"),
    [
        (MLP(3, [1]), X, {}, ShapeError, "takes 3 inputs, and samples in X have 2"),
        (MLP(2, [1]), [[nan, 1.0]] * 24, {}, DataError, "nan"),
        (MLP(2, [1]), X[:3], {}, ShapeError, "3 samples, y has 24"),
        (Value(1.0), X, {}, TypeError, "watch_training watches MLP, Layer, Neuron"),
        (Sequential("tanh"), X, {}, ShapeError, "this Sequential has none"),
        (MLP(2, [1]), X, {"path": "run.gif"}, RenderError, "training_film"),
        (MLP(2, [1]), X, {"path": "nowhere/run.html"}, RenderError, "cannot write"),
        (MLP(2, [1]), X, {"labels": ("a",)}, ShapeError, "1 labels for 2 classes"),
        (MLP(2, [1]), X, {"inputs": ("a",)}, ShapeError, "1 name in inputs"),
        (MLP(2, [1]), X, {"loss": "rmse"}, ValueError, "unknown loss"),
    ],
)
def test_what_cannot_be_watched(
    model, X, options, error, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        watch_training(model, X, Y, **options)
    assert not [*tmp_path.iterdir()]


def test_a_watch_knows_its_model(tmp_path):
    watch = watch_training(MLP(2, [1]), X, Y)
    with pytest.raises(ValueError, match="another model"):
        fit(MLP(2, [1]), X, Y, epochs=1, progress=False, callbacks=watch)
    with pytest.raises(TypeError, match="loss is 'low'"):
        watch.step("low")
    with pytest.raises(RenderError, match=r"does not end in \.html"):
        watch.save(tmp_path / "run.txt")
