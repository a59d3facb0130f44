"""The table of composed weeks: by kind of change what was found and how soon, and what was said for nothing."""

from typing import Any, Final

import numpy as np
from scipy.stats import chi2

from tests.benchmarks.weeks.plan import KINDS
from tests.benchmarks.weeks.score import PEERS
from tests.benchmarks.weeks.shared import SHARED

NAMES: Final = {"fixed": "best fixed limit", "z": "moving z > 3", "adwin": "ADWIN", "page_hinkley": "PageHinkley"}
REACH: Final = "median <= 1.1, 95th <= 2"
LARGE, BUSY = 2.0, 200.0


def rows_of(weeks: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the rows of the table."""
    changes = [change for week in weeks for change in week["changes"] if change["bound"] is not None]
    rows = [_row(kind, [change for change in changes if change["kind"] == kind]) for kind in KINDS]
    large = [change for change in changes if _size(change) >= LARGE and change["sessions"] >= BUSY]
    shared = [cause for week in weeks for cause in week["shared"] if cause["bound"] is not None]
    return [*rows, _row("all", changes), *_shared_rows(shared), _found_row(large), *_false_rows(weeks)]


def _shared_rows(causes: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return of each kind of shared cause how soon the first service was told of, and how many of all were."""
    rows = [_row(kind, [cause for cause in causes if cause["kind"] == kind]) for kind in SHARED]
    rows.append(_row("all that is shared", causes))
    members, named = (sum(cause[name] for cause in causes) for name in ("members", "named"))
    alone = sum(cause["single"] is not None for cause in causes)
    pages = np.quantile([cause["pages"] for cause in causes], (0.5, 0.95)) if causes else (0, 0)
    return [
        *rows,
        {
            "what": f"services of {len(causes)} shared causes ({members}): told of while they last",
            "reach": "",
            "measured": f"{named / max(members, 1):.1%}; pages a cause: median {pages[0]:.0f}, 95th percentile "
            f"{pages[1]:.0f}",
            "beside": f"the bound on single series finds {alone} of the {len(causes)}",
        },
    ]


def _size(change: dict[str, Any]) -> float:
    factor = change["factor"]
    return float("inf") if change["kind"] == "total" else max(factor, 1 / max(factor, 0.02))


def _row(kind: str, changes: list[dict[str, Any]]) -> dict[str, str]:
    paged = sum(change["paged"] is not None for change in changes)
    beside = (f"{NAMES[name]} {_told(changes, [change['peers'][name] for change in changes])}" for name in PEERS)
    return {
        "what": f"composed weeks, {kind} ({len(changes)}): found; delay / bound: median, 95th percentile",
        "reach": REACH,
        "measured": f"{_told(changes, [change['ours'] for change in changes])} (paged {paged})",
        "beside": ", ".join(beside),
    }


def _told(changes: list[dict[str, Any]], delays: list[float | None]) -> str:
    """Return what was found, and the quantiles of the delay over the bound; what was not found took for ever."""
    if not changes:
        return "none"
    ratios = ratios_of(changes, delays)
    middle, most = np.quantile(ratios, (0.5, 0.95), method="higher")
    return f"{np.isfinite(ratios).mean():.0%}; {_times(middle)}, {_times(most)}"


def ratios_of(changes: list[dict[str, Any]], delays: list[float | None]) -> np.ndarray:
    """Return the delays over their bounds, infinite where a change was not found while it lasted."""
    bounds = np.array([change["bound"] for change in changes])
    return np.array([np.inf if delay is None else delay for delay in delays]) / bounds


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if np.isfinite(ratio) else "not"


def _found_row(changes: list[dict[str, Any]]) -> dict[str, str]:
    found = sum(change["ours"] is not None for change in changes)
    return {
        "what": f"changes of x2 and more, services of 200 sessions a day and more ({len(changes)}): found while they last",
        "reach": ">= 98 %",
        "measured": f"{found / max(len(changes), 1):.1%}",
        "beside": "of those that the bound finds",
    }


def _false_rows(weeks: list[dict[str, Any]]) -> list[dict[str, str]]:
    days = sum(week["false"]["days"] for week in weeks)
    services = sum(week["services"] for week in weeks) / len(weeks)
    peers = {name: sum(week["peers"][name] for week in weeks) / days for name in PEERS}
    others = ", ".join(f"{NAMES[name]} {rate:.2f}" for name, rate in peers.items())
    tickets = {key: sum(week["false"].get(key, 0) for week in weeks) for key in ("rate", "drift_vote", "telemetry")}
    parts = ", ".join(f"{name} {count / days:.2f}" for name, count in tickets.items())
    pages = sum(week["false"]["page"] for week in weeks)
    return [
        {
            "what": f"false pages a day, {services:.0f} services on average, {days:.0f} days",
            "reach": "<= 1 with 95 %",
            "measured": interval(pages, days),
            "beside": f"{others} (of any direction)",
        },
        {
            "what": "tickets a day with nothing wrong, same fleets",
            "reach": "<= 2 for 19 services",
            "measured": f"{interval(sum(tickets.values()), days)} ({parts})",
            "beside": "",
        },
    ]


def interval(count: float, days: float) -> str:
    """Return a rate a day with its exact 95 per cent interval (Garwood, "Fiducial limits for the Poisson", 1936).

    >>> interval(3, 10)
    '0.30 (0.06 to 0.88)'
    """
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return f"{count / days:.2f} ({low / days:.2f} to {chi2.ppf(0.975, 2 * count + 2) / 2 / days:.2f})"
