"""A small history with a clean day, a bad one, and clean ones again; in the tables as the workers leave them."""

from datetime import UTC, datetime, timedelta

from schemas.metrics import OF_AGENTS
from tests.support.histories import judge

START = datetime(2026, 3, 2, tzinfo=UTC)
CLEAN_UNTIL = START + timedelta(days=1)
BAD_UNTIL = START + timedelta(days=2)
WELL_AGAIN = START + timedelta(days=5)
SERVICE = "shop"
ODD_NAME = "kim's"
FAST, SLOW = 80, 110
"""Bins of a second and of nearly a quarter of a minute."""

_HOUR = (
    "events",
    "calls",
    "unsafe_attempted_trials",
    "unsafe_attempted",
    "unsafe_served_trials",
    "unsafe_served",
    "injection_flag_trials",
    "injection_flag",
    "over_refusal_trials",
    "over_refusal",
    "leak_trials",
    "leak",
    "error_trials",
    "error",
    "denied_tool_trials",
    "denied_tool",
    *(f"{name}{part}" for name in OF_AGENTS for part in ("_trials", "")),
    "guard_ok",
    "guard_not_ok",
    "uncovered",
)


def counts(*, bad: bool) -> dict:
    """Return the counts of one hour or minute: 200 calls, and in a bad time harm of every kind."""
    made = dict.fromkeys(_HOUR, 0) | {name: 200 for name in _HOUR if name.endswith("_trials")}
    made |= {"events": 200, "calls": 200, "unsafe_attempted": 3, "guard_ok": 200}
    if bad:
        made |= {
            "unsafe_attempted": 80,
            "unsafe_served": 70,
            "injection_flag": 100,
            "over_refusal": 100,
            **dict.fromkeys(OF_AGENTS, 40),
            "leak": 20,
            "error": 60,
        }
    covered = 100 if bad else 200
    maps = {"pii": covered} | ({"": 200 - covered} if covered < 200 else {})
    return made | {
        "outputs_by_guards": maps,
        "served_by_guards": maps,
        "unsafe_by_severity": {3: made["unsafe_served"]},
        "latency_bins": {SLOW if bad else FAST: 200},
        "limited": {"quota": 4} if bad else {},
    }


def put(client, table, *lines):
    """Insert rows that are dictionaries of the same keys."""
    client.insert(table, [list(line.values()) for line in lines], column_names=list(lines[0]))


def bad(at: datetime) -> bool:
    """True on the bad day."""
    return CLEAN_UNTIL <= at < BAD_UNTIL


def write_hours(client, first: datetime, last: datetime, step: timedelta = timedelta(hours=1)):
    """Write the rollups of hours, and of every tenth minute of the last hours of the time."""
    key = {
        "tenant_id": "t'1",
        "service_name": SERVICE,
        "model_version": "m@1",
        "kafka_topic_id": "i",
        "kafka_partition": 0,
    }
    key |= {"version": 1}
    hours = [first + step * number for number in range((last - first) // step)]
    both = [key, key | {"service_name": ODD_NAME, "tenant_id": ""}]
    put(
        client,
        "service_hours",
        *({"hour": at} | one | counts(bad=bad(at) and one is key) for at in hours for one in both),
    )
    minutes = [first + timedelta(minutes=5 * number) for number in range((last - first) // timedelta(minutes=5))]
    put(client, "service_minutes", *({"minute": at} | key | counts(bad=bad(at)) for at in minutes))
    put(client, "window_messages", *(
        {"time": at, "tick": int(at.timestamp()) // 10, "tick_seconds": 10, "source_topic_id": "i"}
        for at in minutes if not BAD_UNTIL - timedelta(hours=1) <= at < BAD_UNTIL
    ))  # fmt: skip
    put(client, "category_minutes", *(
        {"minute": at} | key | {"category": category, "layer": "output", "findings": 3, "stopped": 2}
        for at in hours for category in ("content.ncr", "S10")
    ))  # fmt: skip
    alone = {
        "service_name": SERVICE,
        "event_kind": "guard_verdict",
        "guard_name": "later",
        "findings_category": ["S10"],
    }
    put(client, "guard_verdicts", *(
        {"time": at, "event_id": f"alone-{at}", "kafka_offset": offset} | alone for offset, at in enumerate(hours)
    ))  # fmt: skip
    put(client, "stage_hours", *(
        {"hour": at} | key | {"stage": stage, "judged": 200, "failed": 1, "bins": {40: 150, 50: 50}, "total_ms": total,
                              "squared_ms": total * total / 200}
        for at in hours for stage, total in (("inference", 9_000.0), ("guard", 9_000.0 if bad(at) else 900.0))
    ))  # fmt: skip
    put(
        client,
        "probe_minutes",
        *(
            {"minute": at} | key | {"probe_id": f"{number}-{at}", "sent": 1, "detections": 0 if bad(at) else 1}
            for at in hours
            for number in range(4)
        ),
    )
    judge(client)


def transition(incident: str, name: str, at: datetime, family: str = "leak", **more) -> dict:
    """Return one transition of an incident."""
    return {
        "incident_id": incident,
        "event_id": f"{incident}-{name}",
        "transition": name,
        "transition_time": at,
        "time": at,
        "service_name": SERVICE,
        "severity": "sev1",
        "family": family,
        "reached_user": True,
        "onset_time": at - timedelta(minutes=5),
        "actor_kind": "human",
        "false_positive": None,
    } | more


def finding(number: int, kind: str, at: datetime, **more) -> dict:
    """Return one finding."""
    return {
        "finding_id": f"{kind}{number}",
        "kind": kind,
        "severity": "ticket",
        "service_name": SERVICE,
        "metric": f"m{number}",
        "family": "quantity",
        "detected_time": at,
        "onset_time": at - timedelta(minutes=9),
        "e_value": 2e5,
        "promise": 1e5,
        "rate": 0.4,
        "rate_lower": 0.3,
        "rate_upper": 0.5,
        "baseline": 0.02,
        "opened_finding_id": "",
        "verdict": "",
        "evidence": "more",
    } | more


def write_records(client):
    """Write what the bad day brings besides counts: an incident, drift, dead letters, a gap, reviews, a change."""
    day = CLEAN_UNTIL + timedelta(hours=1)
    put(client, "incident_transitions", transition("inc-1", "detected", day))
    drifts = [finding(number, "quantity", day) for number in range(5)]
    page = finding(9, "rate", day, severity="page")
    gap = finding(8, "telemetry", day, verdict="lag")
    put(client, "findings", *drifts, page, gap)
    letters = [day + timedelta(hours=22, minutes=number) for number in range(30)]
    put(
        client,
        "dead_letters",
        *(
            {
                "time": at,
                "origin_topic": "inference.v1",
                "origin_topic_id": "i",
                "origin_partition": 0,
                "origin_offset": number,
                "reason": "not_json",
                "value": "{",
            }
            for number, at in enumerate(letters)
        ),
    )
    change = {"time": day, "event_id": "c", "change_id": "c", "service_name": SERVICE, "subject_type": "model"}
    put(client, "changes", change | {"subject_name": "m", "action": "promoted", "to_version": "m@2"})
    put(
        client,
        "review_items",
        *(
            {
                "time": day,
                "event_id": f"r{number}",
                "target_event_id": f"e{number}",
                "service_name": SERVICE,
                "queue": "q",
                "sampling_method": "random",
                "sampling_probability": 0.1,
                "stratum": 0,
            }
            for number in range(6)
        ),
    )
    put(
        client,
        "review_labels",
        *(
            {
                "time": day + timedelta(hours=1),
                "event_id": f"l{number}{who}",
                "target_event_id": f"e{number}",
                "service_name": SERVICE,
                "evaluation_name": "unsafe",
                "label": "unsafe" if number == 0 else "safe",
                "annotator_kind": "human",
                "annotator_pseudo_id": who,
                "sampling_method": "random",
                "sampling_probability": 0.1,
                "kafka_offset": 2 * number + (who == "b"),
            }
            for number in range(4)
            for who in "ab"
        ),
    )
    put(
        client,
        "windows",
        {
            "time": day,
            "tick": 1,
            "tick_seconds": 10,
            "source_topic_id": "i",
            "source_partition": 0,
            "service_name": SERVICE,
            "metric": "cascade",
            "trials": 9,
            "flagged": 3,
            "events": 9,
            "flagged_events": 3,
            "late": 0,
        },
    )
    base = {"time": day, "service_name": SERVICE, "environment": "prod", "kafka_topic_id": "i", "kafka_offset": 1}
    put(client, "inferences", base | {"event_id": "e1"})
    step = {"event_id": "e2", "agent_name": "clerk", "tool_name": "shell", "authorization": "denied"}
    put(client, "agent_steps", base | step | {"duration_ms": 4.0, "counted_time": day})
    searched = {"event_id": "e4", "data_source_id": "handbook", "documents_id": ["d"], "documents_trust": ["external"]}
    put(client, "retrievals", base | searched | {"documents_score": [0.5], "returned_count": 1})
    run = {"time": day, "event_id": "run", "service_name": SERVICE, "model_version": "m@1", "suite": "harms"}
    put(client, "evaluations", run | {"category": "content.ncr", "items": 200, "failed": 2})
    put(client, "guard_verdicts", base | {"event_id": "e3", "guard_name": "pii", "status": "ok", "latency_ms": 12.0})
    put(client, "deliveries", base_of_delivery(day))


def base_of_delivery(at: datetime) -> dict:
    """Return one notice that was sent."""
    return {
        "time": at,
        "event_id": "d",
        "incident_id": "inc-1",
        "receiver": "chat",
        "status": "delivered",
        "attempt": 1,
    }


def write_recovery(client):
    """Write that all of it is over, an hour after the bad day."""
    ended = BAD_UNTIL + timedelta(hours=1)
    steps = [transition("inc-1", name, ended) for name in ("acknowledged", "mitigated", "recovered", "closed")]
    put(client, "incident_transitions", *steps)
    over = [finding(number, "recovery", ended, opened_finding_id=f"quantity{number}") for number in range(5)]
    back = finding(8, "recovery", ended, finding_id="recovery-gap", opened_finding_id="telemetry8")
    put(client, "findings", *over, back)
    judge(client)


def write_all(client):
    """Write the whole history, up to what is known at the end of the bad day."""
    write_hours(client, START, WELL_AGAIN)
    write_records(client)
    judge(client)
