"""A recording in which a leak begins, as events and as the windows that are stored of it."""

from datetime import UTC, datetime

import numpy as np

from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.windows import Window
from schemas.wire import encode
from streams.store.client import WRITE

START = 1_772_409_600
MINUTES = 400


def envelope(number, second, **more):
    """Return the fields of every event."""
    return {
        "event_id": f"e{number}", "source": "t", "time_unix_nano": int((START + second) * 1e9), "service_name": "a",
        "session_id": f"s{number}", "trace_id": f"t{number}", **more,
    }  # fmt: skip


def calls():
    """Yield calls of one service, ten a minute; one of them took a hundred times as long, later many leak."""
    rng = np.random.default_rng(1)
    for number in range(10 * MINUTES):
        leaks = rng.random() < (0.3 if number > 9 * MINUTES else 0.004)
        finding = GuardFinding(category="sec.data_leakage.pii", severity=3, score=0.9, score_kind="probability")
        guard = GuardResult(
            guard_name="pii", layer="output", status="ok", verdict="flag" if leaks else "allow",
            action="annotated" if leaks else "none", findings=[finding] if leaks else None,
        )  # fmt: skip
        odd = number == 8 * MINUTES
        yield Inference(
            **envelope(number, 6 * number), request_model="m", guards=[guard], outcome="completed",
            duration_ms=float(rng.lognormal(6.5, 0.3)) * (100 if odd else 1),
            usage_input_tokens=int(rng.lognormal(5, 0.4)), usage_output_tokens=int(rng.lognormal(5, 0.4)),
        )  # fmt: skip


def store_windows(client, steps):
    """Store the windows of recorded events as history does."""
    rows = []
    for offset, (tick, sums) in enumerate(closed for step in steps for closed in step.ticks):
        window = Window(source_topic="i", source_topic_id="x", source_partition=0, source_partitions=1, tick_seconds=10,
                        first_tick=tick, tick=tick, groups=sums)  # fmt: skip
        moment = datetime.fromtimestamp(tick * 10, UTC)
        rows.append([moment, tick, 10, "x", 0, encode(window).decode(), "windows.v1", "w", 0, offset, 0])
    columns = ["time", "tick", "tick_seconds", "source_topic_id", "source_partition", "payload", "kafka_topic",
               "kafka_topic_id", "kafka_partition", "kafka_offset", "kafka_index"]  # fmt: skip
    client.insert("window_messages", rows, column_names=columns, settings=WRITE)
