"""The scenario, played like the recorded week; at its end stands whether every KPI has a value."""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from schemas.events import Event, Inference
from schemas.fields import NANO
from schemas.kpis import BY_ID
from schemas.sql import query
from schemas.topics import CHANGES, EVALUATIONS, REVIEWS, Topic
from streams.api.client import call
from streams.demo.engineer import Engineer
from streams.demo.kpis import settle, write_page
from streams.demo.news import Played
from streams.demo.play import Pace, Player
from streams.demo.run import play_out
from streams.demo.scenario.events import events
from streams.demo.scenario.records import changes, evaluations, feedback
from streams.demo.scenario.reviewer import ITEMS_QUERY, labels
from streams.demo.scenario.story import DESK, HOURS, Story
from streams.demo.settled import NotReadError
from streams.kafka import sending
from streams.kpis.period import Period
from streams.kpis.show import period_rows
from streams.settings import Settings
from streams.store.ask import ask_rows, ask_running
from streams.text.durations import span

TICK_SECONDS: Final = 30
"""Of event time: services as quiet as these need no shorter ones."""

CONTROLS: Final = query("streams.demo", "controls")
Told = Any
"""A record of its own topic: a change, an evaluation, a label."""


def prepared() -> dict[str, Any]:
    """Return the settings that the scenario needs, and give the workers a key for controls where they have none."""
    os.environ.setdefault("WATCHKEEPER_CONTROL_KEY", secrets.token_hex(16))
    return {"policy": Path(str(resources.files("streams.demo.scenario") / "policy.yaml")), "tick_seconds": TICK_SECONDS}


def play_scenario(
    settings: Settings, pace: Pace, console: Console, ports: Mapping[str, int], check: Callable[[], None]
) -> int:
    """Play the scenario with people on call and at review, and return 0 where every KPI has a value afterwards.

    Parameters
    ----------
    ports, check
        As `streams.demo.run.play_and_compare`.
    """
    story = begun(pace.seed or 0)
    known = {event.event_id: event for event in events(story.start, pace.seed or 0)}
    announce(settings, story, known)
    player = Player(settings, pace, Played(), lambda _: iter(known.values()))
    readers = partial(review, settings, story, known)
    status, why = play_out(settings, console, player, Engineer(settings, [DESK]), ports, check, readers)
    if status:
        console.print(f"\nended early: {why}", style="bold yellow", highlight=False, markup=False)
        return status
    try:
        settle(settings, console)
    except NotReadError as error:
        console.print(f"\nended early: {error}", style="bold yellow", highlight=False, markup=False)
        return os.EX_TEMPFAIL
    return _report(settings, player.sent, period(story), console)


def begun(seed: int = 0) -> Story:
    """Return the story, begun so that it ends with the last full hour: what is long over is asked of no service."""
    return Story((int(time.time()) // 3_600 - HOURS) * 3_600, np.random.default_rng(seed))


def period(story: Story) -> Period:
    """Return the time that the KPIs are asked for: all of it, and the evaluations before."""
    since, until = (datetime.fromtimestamp(story.nano(hour) / NANO, UTC) for hour in (-24, HOURS))
    return Period(since, until)


def announce(settings: Settings, story: Story, known: Mapping[str, Event]) -> None:
    """Tell the canary, the evaluations and what users thought."""
    answers = (event for event in known.values() if isinstance(event, Inference) and event.probe_id is None)
    told = ((CHANGES, changes(story)), (EVALUATIONS, evaluations(story)), (REVIEWS, feedback(story, answers)))
    for topic, records in told:
        _tell(settings, topic, records)


def review(settings: Settings, story: Story, known: Mapping[str, Event]) -> None:
    """Judge what is stored of what was drawn for review."""
    _tell(settings, REVIEWS, labels(story, ask_rows(settings, ITEMS_QUERY, {}), known))


def _tell(settings: Settings, topic: Topic, records: Iterable[Told]) -> None:
    sending.send_all(settings, topic, [sending.message(settings, topic, each, _key(each)) for each in records])


def _key(record: Told) -> str:
    return getattr(record, "target_event_id", None) or str(record.service_name)


def _report(settings: Settings, sent: int, asked: Period, console: Console) -> int:
    console.print(incidents_table(call(settings, "GET", "/incidents")["incidents"]))
    console.print(controls_table(ask_running(settings, CONTROLS, {})))
    lacking = empty(period_rows(settings, asked))
    console.print(
        f"events sent {sent:,}; KPIs with a value {len(BY_ID) - len(lacking)} of {len(BY_ID)}: "
        + (f"[bold red]EMPTY: {', '.join(lacking)}[/]" if lacking else "[green]none is empty[/]"),
        highlight=False,
    )
    write_page(settings, asked, console)
    return 1 if lacking else 0


def empty(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the KPIs that have a value for no service.

    >>> "leak_events" in empty([{"kpi": "leak_events", "value": 0.0}]), "leak_events" in empty([])
    (False, True)
    """
    known = {row["kpi"] for row in rows if row["value"] is not None}
    return [kpi for kpi in BY_ID if kpi not in known]


def incidents_table(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return the incidents with the clocks of the people on call."""
    shown = Table("incident", "services", "about", "state", "detected", "clocks", title="Incidents")
    for each in sorted(found, key=lambda incident: str(incident["detected"])):
        clocks = [f"{name} {span(after)}" for name, after in each["seconds_to"].items() if after is not None]
        shown.add_row(each["incident_id"], ", ".join(each["services"]), each["family"], each["status"],
                      str(each["detected"]), ", ".join(clocks))  # fmt: skip
    return shown


def controls_table(found: Iterable[Mapping[str, Any]]) -> Table:
    """Return what services were asked for, by rules and by the gate of the canary."""
    shown = Table("at", "service", "asked for", "by", "why", title="Controls")
    for each in found:
        why = str(each["reason"]).partition(";")[0]
        shown.add_row(each["at"], each["service_name"], each["control"], each["rule"], why)
    return shown
