"""Rows of reviews: what was drawn, what people said of it, what guards had said."""

from datetime import UTC, datetime, timedelta

from tests.support.histories import START


def item(number, stratum, propensity, method="stratified", **fields):
    """Return an event that was drawn for review."""
    return {
        "target_event_id": f"e{number}", "event_id": f"q{number}", "time": START, "service_name": "a",
        "model_version": "m", "sampling_method": method, "sampling_probability": propensity, "stratum": stratum,
    } | fields  # fmt: skip


def label(number, word, minute=5, who="x", kind="human", **fields):
    """Return a label of an event, so many minutes after the start."""
    return {
        "target_event_id": f"e{number}", "event_id": f"l{number}/{who}/{minute}", "evaluation_name": "safety",
        "time": START + timedelta(minutes=minute), "service_name": "a", "model_version": "m", "label": word,
        "categories": [], "annotator_kind": kind, "annotator_pseudo_id": who, "score": None, "supersedes_label_id": "",
    } | fields  # fmt: skip


def verdict(number, guard, codes, layer="output", mode="enforce", **fields):
    """Return what a guard said inside an event: categories, each with whether its finding counts."""
    count = len(codes)
    return {
        "event_id": f"e{number}", "event_kind": "inference", "time": START, "service_name": "a", "guard_name": guard,
        "layer": layer, "mode": mode, "status": "ok", "verdict": "flag" if any(codes.values()) or fields else "allow",
        "findings_category": list(codes), "finding_counts": list(codes.values()), "findings_severity": [None] * count,
        "findings_count": [None] * count, "findings_score": [None] * count, "findings_threshold": [None] * count,
        "findings_score_kind": ["probability"] * count,
    } | fields  # fmt: skip


def ask_quality(client, view="guard_quality", **more):
    """Return {(service, guard, layer, hazard): row} of a day."""
    given = "".join(f", {name}={{{name}:Float64}}" for name in more)
    query = (
        f"SELECT * FROM {view}(since={{since:DateTime('UTC')}}, until={{until:DateTime('UTC')}}, step=86400,"
        f" known_at={{known_at:DateTime('UTC')}}{given})"
    )
    times = {"since": START, "until": START + timedelta(days=1), "known_at": datetime(2100, 1, 1, tzinfo=UTC)}
    found = client.query(query, parameters=times | more)
    rows = [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]
    return {(row["service_name"], row["guard_name"], row["layer"], row["hazard"]): row for row in rows}
