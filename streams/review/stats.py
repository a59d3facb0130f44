"""What the labels say: how far people have come, how they agree, the true rate, and how good the guards are."""

from datetime import datetime
from itertools import groupby
from typing import Any, Final

import numpy as np

from detectors.review.more import labels_to_halve
from schemas.sql import query
from streams.kpis.period import Period
from streams.kpis.show import some_rows
from streams.settings import Settings
from streams.store.ask import ask_rows
from streams.text.times import second

KPIS: Final = (
    "unsafe_attempted", "unsafe_reviewed", "over_refusal", "over_refusal_reviewed", "review_turnaround",
    "review_turnaround_p90", "review_turnaround_open", "review_agreement",
)  # fmt: skip

_COUNTED: Final = ("events", "labelled", "found")
_BOUNDED: Final = ("value", "lower", "upper")

_COUNTS: Final = query("streams.review", "counts")
_QUALITY: Final = query("streams.review", "quality")
_PROGRESS: Final = query("streams.review", "progress")


def stats(settings: Settings, period: Period, known_at: datetime) -> dict[str, Any]:
    """Return what was known at a moment of the events of a period.

    Parameters
    ----------
    known_at
        Labels given later are left out: so it looked then.
    """
    known = second(known_at)
    asked = {"known": known} | {
        name: value for name, value in period.parameters().items() if name in ("since", "until", "step")
    }
    kpis = some_rows(settings, period, KPIS, known_at)
    rates = {row["service_name"]: interval(row) for row in kpis if row["kpi"] == "unsafe_reviewed"}
    guards = _by_service(ask_rows(settings, _QUALITY, asked))
    services = {
        name: _told(found, rates.get(name), guards.get(name, []))
        for name, found in _by_service(ask_rows(settings, _COUNTS, asked)).items()
    }
    return {"known_at": known, "progress": progress(settings, known), "services": services, "kpis": kpis}


def progress(settings: Settings, known: str) -> dict[str, Any]:
    """Return how far people had come at a moment, a UTC time as ClickHouse reads it."""
    [found] = ask_rows(settings, _PROGRESS, {"known": known})
    return found


def _by_service(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return rows by their service, of which they come in the order."""
    return {
        str(name): [{key: value for key, value in row.items() if key != "service_name"} for row in found]
        for name, found in groupby(rows, key=lambda row: row["service_name"])
    }


def _told(strata: list[dict[str, Any]], rate: dict[str, Any] | None, guards: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the true rate of a service, precision and recall of its guards, and how many more labels halve the first.

    The rate is the KPI `unsafe_reviewed`, so that there is one answer. Precision and recall are of all guards together;
    `guards` has those of each guard, layer and hazard. The events of a stratum are those that its items stand for (the
    sum of 1 / propensity).
    """
    together = next((row for row in guards if not row["guard_name"] and not row["layer"] and not row["hazard"]), {})
    events, labelled, found = np.array([[float(row[name]) for name in _COUNTED] for row in strata]).T
    labels = int(labelled.sum())
    return {
        "labels": labels,
        "true_rate": rate,
        "precision": interval(together, "precision"),
        "recall": interval(together, "recall"),
        "labels_to_halve": int(labels_to_halve(np.maximum(events, labelled), labelled, found).sum())
        if labels
        else None,
        "guards": guards,
    }


def interval(row: dict[str, Any], name: str = "") -> dict[str, float] | None:
    """Return an estimate of a row with its interval, or None where it has none; that of the row itself has no name.

    >>> interval({"recall": 0.5, "recall_lower": 0.2, "recall_upper": 0.8}, "recall")
    {'value': 0.5, 'lower': 0.2, 'upper': 0.8}
    """
    names = (name, f"{name}_lower", f"{name}_upper") if name else _BOUNDED
    if row.get(names[0]) is None:
        return None
    return dict(zip(_BOUNDED, (row[each] for each in names), strict=True))
