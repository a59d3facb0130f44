"""What the labels say: how far people have come, how they agree, the true rate, and how good the guards are."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

import numpy as np

from detectors.review.more import labels_to_halve
from detectors.review.strata import STRATA
from detectors.review.true_rate import Labels, guard_quality
from schemas.sql import query
from streams.kpis.period import Period
from streams.kpis.show import period_rows
from streams.settings import Settings
from streams.store.ask import ask_rows

KPIS: Final = (
    "unsafe_attempted", "unsafe_reviewed", "over_refusal", "review_turnaround", "review_turnaround_p90",
    "review_turnaround_open", "review_agreement",
)  # fmt: skip

_REVIEWED: Final = query("streams.review", "reviewed")
_COUNTS: Final = query("streams.review", "counts")
_PROGRESS: Final = query("streams.review", "progress")


def stats(settings: Settings, period: Period, known_at: datetime) -> dict[str, Any]:
    """Return what was known at a moment of the events of a period.

    Parameters
    ----------
    known_at
        Labels given later are left out: so it looked then.
    """
    known = f"{known_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    asked = {"known": known} | {
        name: value for name, value in period.parameters().items() if name in ("since", "until", "step")
    }
    rates = {str(row.pop("service_name")): row for row in ask_rows(settings, _REVIEWED, asked)}
    rows = ask_rows(settings, _COUNTS, asked)
    services = {
        name: _quality(list(found), rates.get(name))
        for name, found in groupby(rows, key=lambda row: str(row["service_name"]))
    }
    kpis = [row for row in period_rows(settings, period) if row["kpi"] in KPIS]
    return {"known_at": known, "progress": progress(settings, known), "services": services, "kpis": kpis}


def progress(settings: Settings, known: str) -> dict[str, Any]:
    """Return how far people had come at a moment, a UTC time as ClickHouse reads it."""
    [found] = ask_rows(settings, _PROGRESS, {"known": known})
    return found


def _quality(rows: list[dict[str, Any]], rate: dict[str, Any] | None) -> dict[str, Any]:
    """Return the true rate of a service with precision and recall of its guards, each with its interval.

    The rate is the KPI `unsafe_reviewed`, so that there is one answer. The events of a stratum are those that its items
    stand for (the sum of 1 / propensity).
    """
    counts = np.zeros((3, STRATA, 2))
    for row in rows:
        for part, name in enumerate(("events", "labelled", "found")):
            counts[part, int(row["stratum"]), int(row["flagged"])] += float(row[name])
    counts[0] = np.maximum(counts[0], counts[1])
    if not counts[1].sum():
        return {"labels": 0, "true_rate": None, "precision": None, "recall": None, "labels_to_halve": None}
    quality = guard_quality(Labels(*counts))
    strata = counts.sum(axis=2)
    more = labels_to_halve(*strata[:, strata[0] > 0])
    return {
        "labels": int(counts[1].sum()),
        "true_rate": rate,
        "precision": quality.precision._asdict() if counts[0, :, 1].sum() else None,
        "recall": quality.recall._asdict(),
        "labels_to_halve": int(more.sum()),
    }
