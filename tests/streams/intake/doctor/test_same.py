"""The store counts as we do: what it says of telemetry is what is said of the very events, whatever they hold."""

import gzip
import json
import random
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from schemas.fields import NANO
from streams.demo import recorded
from streams.intake.doctor import complaints, look_at_events, look_at_store
from streams.intake.doctor.look import SHOWN
from tests.streams.intake.doctor import sick
from tests.streams.intake.doctor.test_doctor import write

pytestmark = pytest.mark.store

WEEK = Path(recorded.__file__).parent / "week.jsonl.gz"
SERVICES = ("shop", "it's a\\shop", "läden\n", "{x:String}", "%s", "a\tb")
NAMES = ("a", "A", "it's", 'quo"te', "a\\b", "%d", "{known:Array(String)}", "ü\u2028", "None", "unknown", "x" * 200)
NUMBERS = (None, 0, 1, 7, 200, 2**53)


def counted(looks):
    """Return what was counted by service and name, without our clock, which files are not held against."""
    found = {}
    for look in looks:
        plain = msgspec.structs.replace(look, now_unix_nano=None, late=0, levels=sorted(look.levels))
        plain.levels = [level for level in plain.levels if level.critical]  # the store names no others
        plain.sessions = {name: one for name, one in look.sessions.items() if one.calls.part * 2 > one.calls.whole}
        found |= {(look.service, name): each for name, each in msgspec.to_builtins(plain).items()}
    return found


def both(settings, events):
    """Return what the store counts, and what we do."""
    return counted(look_at_store(settings, 24 * 365 * 50)), counted(look_at_events(events))


def test_the_recorded_week_is_counted_as_we_count_it(client, store_settings):
    """Every number of every service, over each fourth event of the week, and so every complaint."""
    with gzip.open(WEEK) as lines:
        events = [json.loads(line) for line in islice(lines, 0, None, 4)]
    write(client, events)
    stored, ours = both(store_settings, events)
    assert stored == ours
    assert sum(each for (_, name), each in ours.items() if name == "calls") > 10_000


def odd(rng, names, chance=0.5):
    """Return one of some names, or nothing."""
    return rng.choice(names) if rng.random() < chance else None


def guard(rng):
    """Return what a guard says, in words that nobody may know."""
    findings = [
        {
            "category": odd(rng, ("content.vcr", "S10", "", *NAMES), 1), "severity": rng.choice((None, 0, 1, 2, 3, 4)),
            "native_taxonomy": odd(rng, ("AZURE", "azure_x", *NAMES)),
        }
        for _ in range(rng.randrange(4))
    ]  # fmt: skip
    said = {name: odd(rng, (known, *NAMES), 1) for name, known in (
        ("layer", "output"), ("verdict", "flag"), ("action", "none"), ("mode", "enforce"))}  # fmt: skip
    return said | {"guard_name": odd(rng, ("Azure", *NAMES), 1), "status": odd(rng, ("ok", "ok", "fine"), 1),
                   "findings": findings}  # fmt: skip


def hostile(rng, number, now):
    """Return an event of any kind whose every field may be missing, odd or of somebody else."""
    service = rng.choice(SERVICES)
    ids = [f"{service}-{n}" for n in range(0, number, 7)]
    common = {"event_id": f"{service}-{number}", "source": "s", "service_name": service,
              "time_unix_nano": now - number * NANO // 100, "trace_id": odd(rng, NAMES, 0.3)}  # fmt: skip
    kind = rng.choice(("inference", "inference", "agent_step", "guard_verdict", "telemetry"))
    numbers = ("usage_input_tokens", "usage_output_tokens", "usage_cache_read_input_tokens",
               "usage_cache_write_input_tokens", "usage_reasoning_output_tokens")  # fmt: skip
    fields = {
        "inference": lambda: {name: rng.choice(NUMBERS) for name in numbers} | {
            "operation_name": odd(rng, ("chat", "embeddings", *NAMES)), "duration_ms": rng.choice((None, 0, 0.5, 1e12)),
            "outcome": odd(rng, ("completed", "error", "blocked", *NAMES)), "error_type": odd(rng, NAMES, 0.2),
            "session_id": odd(rng, ("one", "one", *NAMES)), "conversation_id": odd(rng, ("all",), 0.9),
            "response_model": odd(rng, NAMES), "guards": [guard(rng) for _ in range(rng.randrange(3))],
        },
        "agent_step": lambda: {
            "step_kind": odd(rng, ("plan", *NAMES), 1), "status": odd(rng, ("ok", *NAMES)),
            "authorization": odd(rng, ("allowed", *NAMES)), "guards": [guard(rng)],
        },
        "guard_verdict": lambda: {
            "target_event_id": odd(rng, ["gone", *ids]), "target_id": odd(rng, NAMES, 0.1), "guard": guard(rng),
        },
        "telemetry": lambda: {
            "dropped": rng.choice((0, 1, 2**53)), "refused": rng.randrange(1, 9), "reason": odd(rng, NAMES),
        },
    }[kind]()  # fmt: skip
    return {"event_type": f"ai.safety.{kind}.v1"} | _said(common | fields)


def _said(value):
    """Return a value without what is not said."""
    if isinstance(value, dict):
        return {name: _said(each) for name, each in value.items() if each is not None}
    return [_said(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(3))
def test_hostile_telemetry_is_counted_as_we_count_it(client, store_settings, seed):
    """Quotes, line ends, words nobody knows, names of everything, huge numbers and fields that are not there."""
    rng, now = random.Random(seed), sick.time.time_ns()
    events = [hostile(rng, number, now) for number in range(1_500)]
    write(client, events)
    stored, ours = both(store_settings, events)
    assert stored == ours
    assert all(len(ours[name, "words"][0]) == SHOWN and ours[name, "words"][1] > SHOWN for name in SERVICES)
    said = {one.check for one in complaints(look_at_store(store_settings))}
    assert {"codes", "words", "coverage", "losses", "fields", "tokens", "severities"} <= said


def test_a_thousand_names_come_back_as_a_few(client, store_settings):
    """However many categories somebody invents, the most frequent few come back, and of the rest how many they are."""
    events = [sick.call(n, event_id=f"e{n}", guards=sick.finding(category=f"made.up{n}")) for n in range(1_000)]
    write(client, events)
    [look] = look_at_store(store_settings)
    assert (len(look.codes.times), look.codes.different) == (SHOWN, 1_000)
    assert "and 995 more" in str(look.codes)


def test_events_that_came_late_are_counted_by_the_store(client, store_settings):
    """A service a tenth of whose events came two minutes after they had happened is named with how many."""
    now = sick.time.time_ns()
    events = [sick.call(n, now - (120 * NANO if n % 10 == 0 else 0), event_id=f"e{n}") for n in range(sick.COUNT)]
    client.insert(
        "inferences",
        [
            [e["event_id"], e["service_name"], e["time_unix_nano"], now - n * NANO + NANO, n]
            for n, e in enumerate(events)
        ],
        column_names=["event_id", "service_name", "time", "counted_time", "kafka_offset"],
    )
    found = [one.evidence for one in complaints(look_at_store(store_settings)) if one.check == "clocks"]
    assert found == ["4 of 40 (10 %) events came more than 60 s late"]
