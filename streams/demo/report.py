"""What a played week came to: counts that must be equal, findings beside what was recorded, queries to try."""

from datetime import timedelta
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from schemas.sql import query
from streams.demo.engineer import moment
from streams.demo.incidents import QUIET
from streams.demo.screen import SERVICES_QUERY, services_table
from streams.findings.shown import FINDINGS_QUERY, table
from streams.settings import Settings
from streams.store.ask import ask, ask_running

GRACE: Final = timedelta(hours=2)
"""A finding may come this long after the end of a change and still be about it."""

COUNTS: Final = query("streams.demo", "counts")
COUNTED: Final = "SELECT sum(events) AS counted FROM windows FINAL WHERE metric = 'injection_flag'"
"""Every model call and every tool step is a trial of injection_flag, so its events are all events."""

QUERIES: Final = (
    """SELECT service_name, count() AS calls, countIf(bitTest(flagged, 0)) AS unsafe
FROM inferences GROUP BY service_name ORDER BY unsafe DESC LIMIT 5""",
    """SELECT category, layer, sum(findings) AS findings, sum(stopped) AS stopped
FROM category_minutes_now GROUP BY category, layer ORDER BY findings DESC""",
    """SELECT guard_name, status, count() AS results, round(avg(latency_ms), 1) AS ms
FROM guard_verdicts GROUP BY guard_name, status ORDER BY guard_name, status""",
)


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
    console.print(table(item for item in found if item["severity"] == "page"))
    console.print(_others(found))
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


def _others(found: list[dict[str, Any]]) -> Table:
    """Return how many findings of each other kind there are, with the first of each."""
    shown = Table("kind", "", "findings", "for example", title="Everything else that was found")
    kinds: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in found:
        if item["severity"] != "page":
            kinds.setdefault((item["kind"], item["severity"]), []).append(item)
    for (kind, severity), items in sorted(kinds.items()):
        shown.add_row(kind, severity, str(len(items)), f"{items[0]['detected_ts']}: {items[0]['evidence']}")
    return shown


def _about(finding: dict[str, Any], answer: dict[str, Any]) -> bool:
    if finding["service"] != answer["service"] or finding["metric"] not in answer["metrics"]:
        return False
    begun = moment(finding["detected_ts"]) >= moment(answer["start"])
    return begun and (answer["end"] is None or moment(finding["detected_ts"]) <= moment(answer["end"]) + GRACE)


def _quiet(findings: list[dict[str, Any]]) -> int:
    return sum(item["service"] in QUIET for item in findings)


def print_grafana(settings: Settings, console: Console) -> None:
    """Print where Grafana can be pointed, and what brings the boards to it."""
    store = settings.clickhouse
    if store.startswith("chdb://"):
        store = f"http://{settings.host}:{Settings.model_fields['sql_port'].default}"
        console.print("\nGrafana's ClickHouse plugin (HTTP) reads this store while `watchkeeper up` runs on it:")
    else:
        console.print("\nGrafana's ClickHouse plugin (HTTP) reads this store:")
    console.print(
        f"WATCHKEEPER_GRAFANA_URL=http://HOST:3000 WATCHKEEPER_GRAFANA_TOKEN=... WATCHKEEPER_GRAFANA_CLICKHOUSE={store}"
        " WATCHKEEPER_ALERT_EMAIL=YOU watchkeeper grafana deploy, then open /d/watchkeeper-overview there;"
        " `docker compose up -d` brings a Grafana with the boards in it",
        highlight=False,
    )


def print_services(settings: Settings, console: Console) -> None:
    """Print what each service did in the week."""
    console.print(services_table(ask_running(settings, SERVICES_QUERY, {})))


def print_queries(settings: Settings, console: Console) -> None:
    """Print three questions to the store, with their answers."""
    for text in QUERIES:
        console.print(f'\nwatchkeeper sql "{text}"', style="bold", highlight=False)
        console.print(ask(settings, text, "PrettyCompactMonoBlock").decode(), highlight=False)
