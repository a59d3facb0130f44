"""What became of the incidents of the played week, held against what had been recorded."""

from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from streams.api.client import call
from streams.demo.engineer import ACKNOWLEDGES, CLOSES, MITIGATES, moment
from streams.settings import Settings
from streams.text.durations import span

HARMFUL: Final = (
    "attack_wave",
    "silent_policy_change",
    "pii_leak",
    "provider_outage",
    "injection_wave",
    "defence_removed",
)
"""Kinds of recorded change that do harm; the others may be seen, but wake nobody."""

QUIET: Final = ("assistant-internal", "agent-slack-eu", "agent-airline")


def compare_incidents(
    settings: Settings, answers: list[dict[str, Any]], console: Console, *, unread: bool = False
) -> bool:
    """Print the incidents and how they fit what was recorded, and tell whether all is as it should be.

    Parameters
    ----------
    unread
        Not everything has been read: an incident that is not there is not said to be missing.
    """
    found = call(settings, "GET", "/incidents")["incidents"]
    shown, good = changes_table(answers, found, unread=unread)
    console.print(shown)
    strange = [each for each in found if not any(_about(each, answer) for answer in answers)]
    quiet = sum(service in QUIET for each in found for service in each["services"])
    console.print(
        f"incidents {len(found)}, about nothing that was recorded {len(strange)}, on the quiet services {quiet}"
    )
    return good and not strange and not quiet


def changes_table(answers: list[dict[str, Any]], found: list[dict[str, Any]], *, unread: bool) -> tuple[Table, bool]:
    """Return the harmful changes with their incidents, and whether each has one as it should be."""
    shown = Table("change", "service", "incidents", "onset off by", "recovered", "clocks of the scripted engineer",
                  title="Harmful changes, and their incidents")  # fmt: skip
    good = True
    for answer in answers:
        if answer["kind"] in HARMFUL:
            about = [each for each in found if _about(each, answer)]
            well = len(about) == 1 and _clocks_fit(about[0]) and _recovered_after(about[0], answer)
            good = good and well
            if not well and unread:
                shown.add_row(answer["id"], answer["service"], str(len(about) or "not read yet"), style="yellow")
            else:
                shown.add_row(*_row(answer, about), style="green" if well else "bold red")
    return shown, good


def _row(answer: dict[str, Any], about: list[dict[str, Any]]) -> tuple[str, ...]:
    named = (answer["id"], answer["service"], str(len(about)))
    if not about:
        return (*named, "-", "-", "-")
    one = about[0]
    off = moment(one["onset"]) - moment(answer["start"])
    sign = "-" if off < timedelta(0) else "+"
    if answer["end"] is None:
        back = "never ended"
    elif one["seconds_to"]["recovered"] is None:
        back = "not proven yet"
    else:
        back = f"{span((_recovered(one) - moment(answer['end'])).total_seconds())} after its end"
    return *named, sign + span(abs(off).total_seconds()), back, "to the second" if _clocks_fit(one) else "WRONG"


def _about(incident: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Tell whether an incident is of the service of a change and was detected while it lasted, or soon after."""
    if answer["service"] not in incident["services"] or not answer["metrics"]:
        return False
    detected = moment(incident["detected"])
    end = moment(answer["end"]) + timedelta(hours=2) if answer["end"] else None
    return (
        incident["metric"] in answer["metrics"]
        and detected >= moment(answer["start"])
        and (end is None or detected <= end)
    )


def _clocks_fit(incident: dict[str, Any]) -> bool:
    """Tell whether the clocks say, to the second, what the scripted engineer did."""
    clocks = incident["seconds_to"]
    fits = clocks["acknowledged"] == ACKNOWLEDGES.total_seconds() and clocks["mitigated"] == MITIGATES.total_seconds()
    if clocks["recovered"] is None:
        return fits and clocks["closed"] is None
    return fits and clocks["closed"] == clocks["recovered"] + CLOSES.total_seconds()


def _recovered_after(incident: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Tell whether a recovery was claimed only after what had happened was over."""
    if incident["seconds_to"]["recovered"] is None:
        return True
    return answer["end"] is not None and _recovered(incident) >= moment(answer["end"])


def _recovered(incident: dict[str, Any]) -> datetime:
    return moment(incident["detected"]) + timedelta(seconds=incident["seconds_to"]["recovered"])
