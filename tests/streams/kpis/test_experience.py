"""Refusals, time of guards, faults of quality, modalities and measures, from events through the history writer."""

import math
from datetime import timedelta

import numpy as np
import pytest

from schemas.emitter import Emitter
from schemas.events import GuardVerdict, Inference, Telemetry
from schemas.guards import GuardFinding, GuardResult
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.store.client import rows
from tests.streams.events.test_decode import Record
from tests.support.histories import START, ask, fill, holds, judge, near, of

pytestmark = pytest.mark.store

PERIOD = f"(since='{START:%F %T}', until='{START + timedelta(days=1):%F %T}')"


def call(number, seconds, **fields):
    """Return a call of a model, so many seconds after the start."""
    given = {"outcome": "completed", "model_version": "m"} | fields
    at = int(START.timestamp() + seconds) * 10**9
    return Inference(event_id=f"e{number}", source="s", service_name="a", time_unix_nano=at, **given)


def stored(store, *events):
    """Empty the store and write events as history does."""
    fill(store)
    later = int((START + timedelta(days=1)).timestamp()) * 1_000
    columns = events_decoder()([Record(encode(event), later) for event in events]).kinds.values()
    origin = Origin("inference.v1", "id", 0, np.arange(len(events)))
    HistoryWriter(store).write(origin, [part for each in columns for part in rows_of(each, origin)])
    judge(store)


def test_refusals_say_how_they_were_put(store):
    """Each rate has those that say; a retry is a call of the session within five minutes, a later one is none."""
    stored(
        store,
        call(0, 0, outcome="refused", session_id="x", refusal_reason="policy", refusal_alternative=True),
        call(1, 60, session_id="x"),
        call(2, 0, outcome="refused", session_id="y", refusal_alternative=False, handed_over=True),
        call(3, 600, session_id="y"),
        call(4, 0, outcome="refused", session_id="z"),
        call(5, 30, session_id="other"),
        call(6, 40, outcome="refused"),
    )
    found = ask(store, "kpi_refusals")
    for kpi, numerator, n in (
        ("refusal_reasons", 1, 2), ("refusal_alternatives", 1, 2), ("refusal_handovers", 1, 1),
        ("refusal_retries", 1, 3),
    ):  # fmt: skip
        assert holds(of(found, kpi)[0, "a", ""], numerator, n), kpi


def timed(ms, **fields):
    """Return what a guard said after so many milliseconds."""
    return GuardResult(guard_name="g", layer="output", status="ok", verdict="allow", latency_ms=ms, **fields)


def test_the_time_of_guards_is_a_share_of_that_of_requests(store):
    """Guards in shadow cost nobody time; the interval is that of the odds; guards are a stage of latency."""
    stored(
        store,
        call(0, 0, duration_ms=300.0, guards=[timed(50.0), timed(50.0)]),
        call(1, 1, duration_ms=500.0, guards=[timed(100.0), timed(9_000.0, mode="shadow")]),
    )
    row = of(ask(store, "kpi_guard_time"), "guard_time")[0, "a", ""]
    half = 1.959963984540054 * math.sqrt((50**2 * 2 + 100**2) / 200**2 + (300**2 + 500**2) / 800**2)
    bounds = (1 / (1 + 4 * math.exp(half)), 1 / (1 + 4 * math.exp(-half)))
    assert near((row["value"], row["lower"], row["upper"]), (0.2, *bounds))
    assert row["n"] == 3
    assert ask(store, "kpi_latencies")["latency_p95", "guard", 0, "a", ""]["n"] == 3


def test_faults_of_quality_are_rates_of_outputs(store):
    """An output that two judges call biased is one; what was found later and alone counts for its output."""
    bias, ungrounded = (
        GuardResult(
            guard_name=name, layer="output", status="ok", verdict="flag", findings=[GuardFinding(category=code)]
        )
        for name, code in (("j", "qual.bias"), ("k", "qual.ungrounded"))
    )
    alone = GuardVerdict(
        event_id="v", source="s", service_name="a", model_version="m", target_event_id="e1", guard=ungrounded,
        time_unix_nano=int(START.timestamp() + 90) * 10**9,
    )  # fmt: skip
    stored(store, call(0, 0, guards=[bias, bias]), call(1, 1), call(2, 2), call(3, 3), alone)
    found = ask(store, "kpi_quality_codes")
    for kpi, numerator in (("bias", 1), ("ungrounded", 1), ("misinformation", 0)):
        assert holds(of(found, kpi)[0, "a", ""], numerator, 4), kpi


def test_rates_are_told_apart_by_what_went_in_and_came_out(store):
    """Images, sound and film are named beside the text that came with them; what says nothing is text."""
    stored(
        store,
        call(0, 0, usage_input_images=1, input_chars=20),
        call(1, 1, usage_input_audio_seconds=2.0, output_type="speech", outcome="error"),
        call(2, 2),
    )
    columns = "input_modality, output_modality, n, flagged"
    found = rows(store, f"SELECT {columns} FROM rates_by_modality{PERIOD} WHERE rate = 'error' ORDER BY 1")
    assert found == [("audio", "audio", 1, 1), ("text", "text", 1, 0), ("text+image", "text", 1, 0)]


def test_measures_of_a_service_are_stored_and_summed(store):
    """What `Emitter.measure` sends has total, mean and newest value by name, and is no loss of telemetry."""
    sent = []
    with Emitter(lambda *record: sent.append(record[1]), source="s", service_name="a") as emitter:
        for day, users in enumerate((40, 44)):
            at = int(START.timestamp() + day) * 10**9
            emitter.measure({"adoption.users": users, "value.saved": 0.5}, time_unix_nano=at)
        emitter.flush()
    decode = events_decoder()([Record(value, int(START.timestamp() + 60) * 1_000) for value in sent]).kinds
    assert list(decode) == [Telemetry]
    fill(store)
    origin = Origin("inference.v1", "id", 0, np.arange(len(sent)))
    HistoryWriter(store).write(origin, [part for each in decode.values() for part in rows_of(each, origin)])
    query = f"SELECT name, n, total, mean, newest FROM service_measures{PERIOD} ORDER BY name"
    assert rows(store, query) == [("adoption.users", 2, 84, 42, 44), ("value.saved", 2, 1, 0.5, 0.5)]
