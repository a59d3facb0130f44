"""How harmful an output is on each axis, beside what the detectors count of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.categories import FAMILIES
from schemas.events import AgentStep, GuardVerdict, Inference
from schemas.vocabulary import ACTIONS, LAYERS, MODES, STATUSES, VERDICTS
from streams.events.flags import BIT, event_flags
from streams.events.harm import harm_of
from tests.streams.events.test_flags import BASE, columns, guard

CASES = [
    (guard("content.ncr", severity=3), (5, 0)),
    (guard("content.ncr", severity=3, verdict="block", action="blocked"), (1, 0)),
    (guard("sec.data_leakage.pii", severity=4), (0, 6)),
    (guard("sec.data_leakage.secret", severity=None), (0, 2)),
    (guard("sec.jailbreak", severity=1), (0, 3)),
    (guard("sec.improper_output", severity=2), (0, 4)),
    (guard("vendor.unknown", severity=2), (4, 0)),
    (guard("vendor.unknown", severity=2, layer="unknown"), (4, 0)),
    (guard("content.ncr", severity=0, layer="unknown"), (2, 0)),
    (guard("vendor.unknown", severity=2, layer="plan"), (0, 0)),
    (guard("qual.ungrounded"), (0, 0)),
    (guard("sec.data_leakage.pii", layer="input"), (0, 0)),
    (guard("content.ncr", mode="shadow"), (0, 0)),
]


def harm(event, *, alone=False):
    """Return the harm of one event on both axes."""
    return tuple(int(level[0]) for level in harm_of(event_flags(columns(event)), alone=alone).values())


@pytest.mark.parametrize(("result", "expected"), CASES)
def test_harm_of_an_output(result, expected):
    """Content is safety and what is called `sec.` security; what is looked for elsewhere is no output."""
    assert harm(Inference(**BASE, guards=[result])) == expected
    assert harm(GuardVerdict(**BASE, guard=result), alone=True) == expected


def test_axes_are_apart_and_what_reached_nobody_is_stopped():
    """An output may be harmful on both axes; one that nobody got, and one of a failed call, is not served."""
    both = [guard("content.ncr", severity=1), guard("sec.data_leakage.pii", severity=2, action="redacted")]
    assert harm(Inference(**BASE, guards=both)) == (3, 1)
    assert harm(Inference(**BASE, guards=both, reached_user=False)) == (1, 1)
    assert harm(Inference(**BASE, guards=both, outcome="error")) == (0, 0)
    assert harm(Inference(**BASE, guards=both, probe_id="p")) == (0, 0)
    sent = guard("sec.exfiltration.tool", layer="tool_call")
    assert harm(AgentStep(**BASE, step_kind="execute_tool", guards=[sent])) == (0, 0)


results = st.builds(
    guard, st.sampled_from([*FAMILIES, "vendor.S1"]), layer=st.sampled_from(LAYERS), severity=st.integers(0, 4),
    status=st.sampled_from(STATUSES), verdict=st.sampled_from(VERDICTS), action=st.sampled_from(ACTIONS),
    mode=st.sampled_from(MODES),
)  # fmt: skip


@given(
    guards=st.lists(results, max_size=3),
    outcome=st.sampled_from([None, "completed", "blocked", "filtered", "error"]),
    reached=st.sampled_from([None, True, False]),
)
def test_what_detectors_count_unsafe_is_harmful_and_served_alike(guards, outcome, reached):
    """What is flagged as unsafe is harmful, on whichever axis, and served exactly where the rate says so.

    The other way round it need not be: leaks and injections have rates of their own.
    """
    flags = event_flags(columns(Inference(**BASE, guards=guards, outcome=outcome, reached_user=reached)))
    worst = int(np.maximum.reduce(list(harm_of(flags, alone=False).values()))[0])
    flagged, trials = int(flags.flagged[0]), int(flags.trials[0])
    assert worst >= bool(flagged & BIT["unsafe_attempted"])
    assert worst >= 2 * bool(flagged & BIT["unsafe_served"])
    assert not worst or trials & BIT["unsafe_attempted"]
