"""Schedules: factors on the learning rate, by the time in epochs."""

import pickle

import pytest

from nn import schedules


def test_schedules():
    assert schedules.constant()(3.5) == 1.0
    assert [schedules.step(2)(t) for t in (0, 1.9, 2, 4)] == pytest.approx(
        [1, 1, 0.1, 0.01]
    )
    assert schedules.exponential(0.9)(2) == pytest.approx(0.81)
    assert schedules.linear(100, end=0.1)(50) == pytest.approx(1.0 - 0.9 * 0.5)
    warm = schedules.linear(10, warmup=4)
    assert [warm(t) for t in (0, 2, 4, 7, 10, 99)] == [0, 0.5, 1, 0.5, 0, 0]
    curve = schedules.cosine(10, end=0.2)
    assert [curve(t) for t in (0, 5, 10, 11)] == pytest.approx([1, 0.6, 0.2, 0.2])


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.step(0),
        lambda: schedules.exponential(-1),
        lambda: schedules.linear(0),
        lambda: schedules.cosine(5, warmup=5),
        lambda: schedules.cosine(5, warmup=-1),
    ],
)
def test_schedules_that_make_no_sense(make):
    with pytest.raises(ValueError, match="must be"):
        make()


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.constant(),
        schedules.step(2),
        schedules.exponential(0.9),
        schedules.linear(9, warmup=2),
        schedules.cosine(9, end=0.1),
    ],
)
def test_schedules_travel(schedule):
    """Between processes, as settings of an estimator do."""
    again = pickle.loads(pickle.dumps(schedule))
    assert [again(t) for t in (0, 1.5, 8)] == [schedule(t) for t in (0, 1.5, 8)]
