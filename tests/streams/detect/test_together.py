"""Ticks that are judged together: the same findings and the same state as one by one, compiled or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.compiled import kernels
from schemas.signals import text_vector
from schemas.windows import UNKNOWN_VERSION, Sample, Sums
from streams.detect.judge import Judge
from streams.policy.policy import parse_policy
from tests.support.detectors.subjects import assert_same_state
from tests.support.watchers import group

SECONDS = 1_800
START = 983_000
EAGER = parse_policy("budget: {pages_per_day: 300, tickets_per_day: 300}")
"""With so much room for false alarms a short stream has findings of every kind."""


@pytest.fixture(autouse=True)
def _plain_again():
    yield
    kernels.unload()


def mixed(rng, step):
    """Return names of a mix, known ones and such as nobody has met."""
    names = {"search": 20, "mail": int(rng.integers(1, 9)), f"new{rng.integers(0, 40)}": 1}
    return names | ({"odd": 12} if step > 95 else {})


def of_service(rng, service, step):
    """Return the groups of a service: rates that rise and fall, what is owed to them, what moves, and versions."""
    flagged = 0.4 if 70 <= step < 110 and service == "a" else 0.05
    text = f"what of {['order', 'refund', 'invoice'][int(rng.integers(0, 3))]} number {service}?"
    for version, events in (("v1", 40), *((("v2", int(rng.integers(1, 3))),) if step > 80 else ()),
                            *(((UNKNOWN_VERSION, 3),) if rng.random() < 0.1 else ())):  # fmt: skip
        yield group(
            service=service, version=version, events=events, variant="canary" if version == "v2" else "stable",
            late=int(rng.integers(0, events)),
            rates={
                "leak": Sums(events, int(rng.binomial(events, flagged)), events, 0),
                "refusal": Sums(200, int(rng.binomial(200, 0.1 if step < 120 else 0.0)), 200, 0),
                **({"error": Sums(0, 2, 0, 2)} if rng.random() < 0.1 else {"error": Sums(events, 1, events, 1)}),
                "no.such": Sums(9, 9, 9, 9),
            },
            quantities={"latency": {str(int(at)): 9 for at in rng.integers(60, 70, 4) + 30 * (step > 115)}},
            mixes={"tool": mixed(rng, step)},
            samples=[Sample(event_id=f"{service}{step}", vector=text_vector(text, b"k"), user="u")],
        )  # fmt: skip


def steps_of(seed, length):
    """Return steps: mostly a tick and the passing of time up to it, at times none, or hours of silence."""
    rng = np.random.default_rng(seed)
    tick, steps = START, []
    for step in range(length):
        tick += 20 if rng.random() < 0.02 else 1
        sums = [each for service in ("a", "b", "c") if rng.random() < 0.8 for each in of_service(rng, service, step)]
        steps.append(([(tick, sums)], tick))
        if rng.random() < 0.1:
            tick += int(rng.integers(1, 30))
            steps.append(([], tick))
    return steps


def one_by_one(subject, steps):
    """Return what a judge finds in each tick and each passing of time by itself."""
    found = []
    for ticks, end in steps:
        found += [each for tick, sums in ticks for each in subject.judge(tick, sums)]
        found += subject.advance(end)
    return found


@pytest.mark.parametrize("most", [20, 45, 1_000])
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 140), max_size=5), compiled=st.booleans())
def test_how_ticks_are_cut_changes_nothing(most, seed, cuts, compiled):
    """Judged together in any pieces, with room for all series or for few, it is as if each tick had come alone."""
    plain, other = (Judge(SECONDS, 1.0, most, EAGER) for _ in range(2))
    steps = steps_of(seed, 140)
    expected = one_by_one(plain, steps)
    assert {"rate", "recovery", "mix", "version"} <= {finding.kind for finding in expected} or most < 1_000
    assert not compiled or kernels.load()
    found = []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(steps)], strict=True):
        found += other.judge_steps(steps[first:last])
    assert found == expected
    assert_same_state(plain.state(), other.state())
