"""Services as they really send, through the code that runs live: those that are well stay quiet, true rises are seen.

Each is told by what it sends: calls that fail before a model answered, verdicts that travel alone, blocks without a
code, guards without a verdict. One call a second, a session each; a rise is one from 1 to 30 %.
"""

import numpy as np
import pytest

from schemas.events import GuardVerdict, Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.wire import encode
from streams.policy.policy import Policy
from streams.replay.backtest import judge_events
from streams.replay.reading import read_events
from streams.settings import load

START = 1_772_409_600
SECONDS = 9_000
RISES_AT = 7_200
ANSWERED = {"request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06", "outcome": "completed"}


def envelope(number, second):
    """Return the fields of every event."""
    return {"event_id": f"e{number}", "source": "t", "time_unix_nano": int((START + second) * 1e9), "service_name": "a"}


def guard(**fields):
    """Return a result of a guard."""
    return GuardResult(**{"guard_name": "g", "layer": "output", "status": "ok", "mode": "enforce"} | fields)


BLOCKED = {"verdict": "block", "action": "blocked"}
VILE = [GuardFinding(category="content.vcr", severity=3)]


def failing(number, second, bad):
    """Yield a call; one that failed names no model that answered."""
    ended = {"request_model": "gpt-4o", "outcome": "error", "error_type": "429"} if bad else ANSWERED
    yield Inference(**envelope(number, second), session_id=f"s{number}", **ended)


def attacked(number, second, bad):
    """Yield a call; an attack was blocked before a model answered."""
    found = [GuardFinding(category="sec.jailbreak", severity=3)]
    ended = {"request_model": "gpt-4o", "outcome": "blocked"} if bad else ANSWERED
    result = guard(layer="input", findings=found, **BLOCKED) if bad else guard(layer="input", verdict="allow")
    yield Inference(**envelope(number, second), session_id=f"s{number}", guards=[result], **ended)


def judged_apart(number, second, bad):
    """Yield a call, and seconds later a verdict of its own where it was bad, which names nothing but the call."""
    yield Inference(**envelope(number, second), session_id=f"s{number}", **ANSWERED)
    if bad:
        yield GuardVerdict(**envelope(f"v{number}", second + 3), target_event_id=f"e{number}",
                           guard=guard(findings=VILE, **BLOCKED))  # fmt: skip


def judged_by_nobody_knows_whom(number, second, bad):
    """Yield a call, and where it was bad a verdict that does not say of what."""
    yield Inference(**envelope(number, second), session_id=f"s{number}", **ANSWERED)
    if bad:
        yield GuardVerdict(**envelope(f"v{number}", second + 3), guard=guard(findings=VILE, **BLOCKED))


def blocked_without_a_code(number, second, bad):
    """Yield a call; a guard that says only yes or no blocked its answer."""
    result = guard(**BLOCKED) if bad else guard(verdict="allow")
    yield Inference(**envelope(number, second), session_id=f"s{number}", guards=[result],
                    **ANSWERED | ({"outcome": "blocked"} if bad else {}))  # fmt: skip


def said_in_its_own_words(number, second, bad):
    """Yield a call; its guard gave no verdict of ours and said what it did in its own words."""
    said = "GUARDRAIL_INTERVENED" if bad else "NONE"
    result = guard(native_result_type="action", native_result_value=said, findings=VILE if bad else None)
    yield Inference(**envelope(number, second), session_id=f"s{number}", guards=[result], **ANSWERED)


SERVICES = {
    failing: ("error", "page"),
    attacked: ("injection_flag", "page"),
    judged_apart: ("unsafe_attempted", "page"),
    judged_by_nobody_knows_whom: ("unsafe_attempted", "page"),
    blocked_without_a_code: ("blocked", "ticket"),
    said_in_its_own_words: ("unsafe_attempted", "page"),
}


def found(path, service, *, rises):
    """Return what is found of a service in some hours."""
    rng = np.random.default_rng(7)
    rate = np.where(np.arange(SECONDS) > RISES_AT, 0.3 if rises else 0.01, 0.01)
    bad = rng.random(SECONDS) < rate
    events = sorted(
        (event for second in range(SECONDS) for event in service(second, second, bool(bad[second]))),
        key=lambda event: event.time_unix_nano,
    )
    path.write_bytes(b"\n".join(map(encode, events)) + b"\n")
    runs = judge_events(load(), read_events(load(), [path]), {"": Policy()})
    return [item for item in runs[""] if item.kind in ("rate", "severe_event")]


each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.__name__)


@each_service
def test_a_service_that_is_well_stays_quiet(tmp_path, service):
    """One bad call in a hundred, sent as real services send it, is no finding at all."""
    assert [(item.metric, item.severity) for item in found(tmp_path / "calls.jsonl", service, rises=False)] == []


@each_service
def test_a_rise_is_seen(tmp_path, service):
    """A rise to three in ten is found as what it is, after it began."""
    metric, severity = SERVICES[service]
    rises = found(tmp_path / "calls.jsonl", service, rises=True)
    assert (metric, severity) in {(item.metric, item.severity) for item in rises}
    assert all(item.detected_time_unix_nano > (START + RISES_AT) * 1e9 for item in rises)
