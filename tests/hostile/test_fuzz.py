"""Bytes of all kinds through everything that reads; `python -m tests.hostile.fuzz` goes on for longer."""

import random

import pytest

from tests.hostile.mutate import mutated
from tests.hostile.targets import TARGETS, seeds

SEEDS = seeds()
ROUNDS = {"lanes_agree": 250, "met_before_agrees": 250, "counted": 60, "judged": 250, "replayed": 150, "policies": 250}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_read_ends_a_worker(name):
    """Records of every topic, files and bodies, changed a little or a lot, are taken or refused for a reason."""
    draw = random.Random(1)
    for seed in SEEDS:
        TARGETS[name](seed)
    for _ in range(ROUNDS.get(name, 1_000)):
        data = mutated(draw.choice(SEEDS), draw, SEEDS)
        try:
            TARGETS[name](data)
        except Exception as error:
            error.add_note(repr(data))
            raise
