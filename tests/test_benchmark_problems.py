"""The works of benchmarks/compiled at small sizes: every peer gives one answer."""

import operator
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from autograd import jit, value_and_grad

ROOT = Path(__file__).parent.parent
FOLDERS = [str(ROOT), str(ROOT / "benchmarks" / "compiled")]
sys.path[:0] = FOLDERS
try:
    import gpt
    import peer_c
    import peer_numpy
    import peer_ours
    from scalar_programs import irregular
    from works import WORKS, Task, random_plan
finally:
    del sys.path[: len(FOLDERS)]

# C7 is a batch of C6, and its graph the largest here.
SCALAR = [w for w in WORKS.values() if w.name != "C7" and w.over != "adam"]


def small(work):
    return work.make(work.small)


def close(work, answer, expected):
    for a, b in zip(answer, expected):
        a, b = np.ravel(a), np.ravel(b)
        assert a.shape == b.shape, work.name
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12 * np.abs(b).max())


def answer_of(module, work):
    run = module.prepare(work, small(work))
    return None if run is None else [np.array(part) for part in run()]


@pytest.mark.parametrize("work", SCALAR, ids=lambda work: work.name)
def test_the_scalar_program_agrees_with_numpy(work):
    value, gradient = peer_ours.prepare_eager(work, small(work))()
    close(work, (value, gradient), answer_of(peer_numpy, work))


@pytest.mark.parametrize(
    "work", [w for w in SCALAR if not w.over], ids=lambda w: w.name
)
def test_the_scalar_program_takes_floats(work):
    task = small(work)
    value = task.program(task.params.tolist(), *[x.tolist() for x in task.inputs])
    assert type(value) is float
    assert value == pytest.approx(float(answer_of(peer_numpy, work)[0]), rel=1e-10)


def test_tokens_may_be_gathered_by_any_function():
    seen = []

    def take(xs, i):
        seen.append(i)
        return operator.getitem(xs, i)

    task = small(WORKS["C5-tokens"])
    tokens = task.inputs[0].tolist()
    value = gpt.loss(task.params, tokens, take=take)
    steps = len(tokens) - 1
    assert value == pytest.approx(gpt.loss(task.params, tokens), rel=1e-15)
    assert len(seen) == steps * (gpt.WIDTH + 1)


def test_work_without_a_reduction_is_one_answer_for_each_column():
    work = WORKS["C4"]
    value, gradient = answer_of(peer_numpy, work)
    assert value.shape == (work.small,)
    assert gradient.shape == (5 * work.small,)


@pytest.mark.parametrize("name", ["C1", "C7"])
def test_a_batch_is_the_mean_of_its_samples(name):
    work, task = WORKS[name], small(WORKS[name])
    samples = [Task(task.program, task.params, row) for row in zip(*task.inputs)]
    answers = [peer_numpy.prepare(work, sample)() for sample in samples]
    expected = [np.mean(part, axis=0) for part in zip(*answers)]
    close(work, answer_of(peer_numpy, work), expected)


def test_c_agrees_with_numpy():
    try:
        peer_c.library()
    except ImportError as error:
        pytest.skip(str(error))
    for work in WORKS.values():
        answer = answer_of(peer_c, work)
        if answer is not None:
            close(work, answer, answer_of(peer_numpy, work))


def test_a_hundred_thousand_irregular_instructions():
    """Compiled, with what there is, against the uncompiled engine."""
    plan = random_plan(80_000, window=30_000)
    task = Task(partial(irregular, plan), small(WORKS["irregular"]).params)
    compiled = jit(value_and_grad(task.program))
    value, slopes = compiled(task.params)
    assert next(iter(compiled.plans.values())).traced > 100_000
    expected, gradient = peer_ours.prepare_eager(WORKS["irregular"], task)()
    assert value == pytest.approx(expected, rel=1e-9)
    largest = np.abs(gradient).max()
    assert 0.0 < largest < np.inf
    np.testing.assert_allclose(slopes, gradient, rtol=1e-6, atol=1e-9 * largest)
