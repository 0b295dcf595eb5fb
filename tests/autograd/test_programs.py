"""Random programs against mpmath, within a bound of their own; see ``programs``."""

import programs
import pytest

from autograd import Value, gradient
from autograd.table.primitives import TABLE


@pytest.mark.parametrize("block", range(3))
def test_random_programs(block):
    checked, left_out, failures = programs.campaign(block * 1000, 1000)
    assert not failures, failures[0]
    assert checked > 350
    assert checked + left_out == 1000


def test_every_row_takes_part():
    used = {name for seed in range(500) for name, _ in programs.generate(seed)[0]}
    assert used == set(programs.ROWS)


def test_a_wrong_rule_is_found_and_shrunk(monkeypatch):
    row = TABLE["tanh"]
    right = row.rules[0]
    monkeypatch.setattr(row, "joint", lambda x, y: (right(x, y) * (1 + 1e-12),))
    _, _, failures = programs.campaign(0, 1200)
    assert failures
    for _, complaint, (program, _) in failures:
        assert "slope" in complaint or "differs" in complaint
        assert program[-1][0] == "tanh" or len(program) > 1
    assert min(len(program) for _, _, (program, _) in failures) <= 2


@pytest.mark.parametrize("seed", range(200))
def test_twice_the_same_program_gives_the_same_bits(seed):
    program, point = programs.generate(seed)

    def once():
        nodes = [Value(x) for x in point]
        y = programs.run(program, nodes)[-1]
        return [x.hex() for x in (getattr(y, "data", y), *gradient(y, nodes))]

    assert once() == once()
