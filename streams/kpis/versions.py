"""What versions of models, prompts and indexes do, as people read it, and how far two of them differ."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from msgspec import Struct
from rich.table import Table

from detectors.intervals import Interval, difference
from schemas.kpis import BY_ID
from schemas.metrics import RATES
from schemas.quantities import VERSION_MIXES
from schemas.sql import query
from streams.kpis.period import Period
from streams.settings import Settings
from streams.store.ask import ask_rows
from streams.text.shares import NOT_KNOWN, interval, percent
from streams.text.times import utc

SUBJECTS: Final = ("model", *VERSION_MIXES)
VERSIONS: Final = query("streams.kpis", "versions")
SHOWN: Final = ("unsafe_served", "unsafe_attempted", "mitigation", "leak", "injection_flag", "prompt_pii", "blocked",
                "filtered", "refusal", "over_refusal", "quality", "error")  # fmt: skip
"""What is told of a version, in this order."""


class Version(Struct, frozen=True):
    """A version: of what, its calls, when the first and the last of them were, and its shares by KPI."""

    service: str
    subject: str
    name: str
    first: int
    last: int
    calls: int
    shares: dict[str, Interval]
    n: dict[str, int]


class Pair(Struct, frozen=True):
    """One KPI of two versions, and by how much the one is above the other; None where one of them is not known."""

    kpi: str
    one: Interval | None
    other: Interval | None
    difference: Interval | None


def versions(settings: Settings, period: Period, subject: str = "") -> list[Version]:
    """Return the versions of a period, by service, subject and first call.

    Parameters
    ----------
    subject
        One of `SUBJECTS`; all of them where it is empty.
    """
    found = ask_rows(settings, VERSIONS, period.parameters() | {"subject": subject})
    named = groupby(found, key=lambda row: (row["service_name"], row["subject"], row["version"]))
    return [_version(name, list(rows)) for name, rows in named]


def _version(name: tuple[str, str, str], rows: list[dict[str, Any]]) -> Version:
    any_ = rows[0]
    shares = {
        row["kpi"]: Interval(row["value"], row["lower"], row["upper"]) for row in rows if row["value"] is not None
    }
    n = {row["kpi"]: int(row["n"]) for row in rows}
    return Version(*name, int(any_["first"]), int(any_["last"]), int(any_["calls"]), shares, n)


def pairs(one: Version, other: Version) -> Iterator[Pair]:
    """Yield each KPI that is known of at least one of two versions."""
    for kpi in SHOWN:
        first, second = one.shares.get(kpi), other.shares.get(kpi)
        if first or second:
            yield Pair(kpi, first, second, difference(first, second) if first and second else None)


def title(kpi: str) -> str:
    """Return what a KPI is called."""
    return BY_ID[kpi].title if kpi in BY_ID else _RATES[kpi]


_RATES: Final[dict[str, str]] = {rate.name: rate.name.replace("_", " ").capitalize() for rate in RATES}


def words(share: Interval | None) -> str:
    """Return a share and its interval in words."""
    return f"{percent(share.value)} ({interval(share.lower, share.upper)})" if share else NOT_KNOWN


def table(found: Sequence[Version], heading: str) -> Table:
    """Return versions as a table, a line for each KPI that is known of one."""
    shown = Table("service", "of", "version", "calls", "since", "KPI", "share (95 % interval)", "n", title=heading)
    for version in found:
        cells = [version.service, version.subject, version.name, f"{version.calls:,}", utc(version.first)]
        for kpi in (kpi for kpi in SHOWN if kpi in version.shares):
            shown.add_row(*cells, title(kpi), words(version.shares[kpi]), f"{version.n[kpi]:,}")
            cells = [""] * len(cells)
    return shown


def as_rows(found: Iterable[Version]) -> Iterator[dict[str, Any]]:
    """Yield versions for machines: one row for each KPI."""
    for version in found:
        about = {"service_name": version.service, "subject": version.subject, "version": version.name}
        for kpi, n in version.n.items():
            share = version.shares.get(kpi)
            bounds = dict(zip(("value", "lower", "upper"), share or (None,) * 3, strict=True))
            yield about | {"kpi": kpi, **bounds, "n": n, "calls": version.calls}
