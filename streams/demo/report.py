"""What a played week came to: counts that must be equal, and findings beside what was recorded."""

from datetime import timedelta
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from schemas.sql import query
from streams.demo.engineer import moment
from streams.demo.incidents import QUIET
from streams.findings.shown import FINDINGS_QUERY
from streams.settings import Settings
from streams.store.ask import ask_running

GRACE: Final = timedelta(hours=2)
"""A finding may come this long after the end of a change and still be about it."""

COUNTS: Final = query("streams.demo", "counts")
COUNTED: Final = "SELECT sum(events) AS counted FROM windows FINAL WHERE metric = 'injection_flag'"
"""Every model call and every tool step is a trial of injection_flag, so its events are all events."""


def compare(
    settings: Settings, sent: int, answers: list[dict[str, Any]], console: Console, *, unread: bool = False
) -> bool:
    """Print counts and findings against the answers, and tell whether all is as it should be.

    Parameters
    ----------
    unread
        Not everything has been read: what is not found is not said to be missing.
    """
    counts = ask_running(settings, COUNTS, {})[0] | ask_running(settings, COUNTED, {})[0]
    unequal = "[yellow]not all read yet[/]" if unread else "[bold red]NOT EQUAL[/]"
    equal = {sent} == {int(counts[name]) for name in ("stored", "rolled_up", "counted")}
    console.print(
        f"\nevents sent {sent}, stored {counts['stored']}, rolled up {counts['rolled_up']}, "
        f"counted by the detectors {counts['counted']}, refused {counts['dead_letters']}: "
        + ("[green]equal[/]" if equal else unequal)
    )
    found = ask_running(settings, FINDINGS_QUERY, {})
    pages = [item for item in found if item["severity"] == "page"]
    shown, complete = answers_table(answers, [item for item in found if item["kind"] != "recovery"], unread=unread)
    console.print(shown)
    false = [item for item in pages if not any(_about(item, answer) for answer in answers)]
    console.print(
        f"pages {len(pages)}, about nothing that was recorded {len(false)}, on the quiet services {_quiet(false)}"
    )
    return equal and complete and not _quiet(false)


def answers_table(answers: list[dict[str, Any]], found: list[dict[str, Any]], *, unread: bool) -> tuple[Table, bool]:
    """Return what was recorded beside what found it, and whether everything was found."""
    shown = Table(
        "change", "service", "kind", "began", "found after", "as", "by", title="Recorded changes, and what found them"
    )
    complete = True
    for answer in answers:
        if not answer["metrics"]:
            continue
        about = [item for item in found if _about(item, answer)]
        first = min(about, key=lambda item: (item["severity"] != "page", item["detected_ts"]), default=None)
        complete = complete and first is not None
        named = (answer["id"], answer["service"], answer["kind"], answer["start"][:16])
        if first is None:
            shown.add_row(*named, "not read yet" if unread else "not found", style="yellow" if unread else "bold red")
        else:
            delay = str(moment(first["detected_ts"]) - moment(answer["start"]))
            shown.add_row(*named, delay, first["severity"], first["metric"], style="green")
    return shown, complete


def _about(finding: dict[str, Any], answer: dict[str, Any]) -> bool:
    if finding["service"] != answer["service"] or finding["metric"] not in answer["metrics"]:
        return False
    begun = moment(finding["detected_ts"]) >= moment(answer["start"])
    return begun and (answer["end"] is None or moment(finding["detected_ts"]) <= moment(answer["end"]) + GRACE)


def _quiet(findings: list[dict[str, Any]]) -> int:
    return sum(item["service"] in QUIET for item in findings)
