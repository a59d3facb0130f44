"""Guards: what was not looked at, and what was served all the same."""

from typing import Final

from dashboards.panels import Board, Panel, history

BOARD: Final = Board(
    name="guards",
    title="Watchkeeper: guards",
    text="Coverage, fail-open exposure, failures and latency of the guards, and how they do on known attacks.",
    panels=(
        history("guard_coverage"),
        history("fail_open"),
        Panel(
            title="Guard results that were not ok",
            text="Guards that failed or timed out (not_ok) and outputs without any verdict (uncovered), by the hour."
            " Neither is evidence of safety.",
            query="guard_failures",
        ),
        history("blocked"),
        history("filtered"),
        history("prompt_pii"),
        history("quality"),
        Panel(
            title="Codes and words that nobody knows",
            text="Categories of other systems count as the usual hazard of their layer, a word that is not of the"
            " contract keeps its event out of the rates that rest on it: map them to ours. Also: watchkeeper status.",
            query="unknown_codes", kind="table",
            units={"since": "dateTimeAsIso", "latest": "dateTimeAsIso"}, width=24,
        ),
        history("mitigation"),
        Panel(
            title="Guards of the last day",
            text="Verdicts, share not ok and latency of each guard, over at most the last day of the time shown: this"
            " one reads every verdict.",
            query="guard_verdicts", kind="table",
            units={"not_ok_share": "percentunit", "p50_ms": "ms", "p95_ms": "ms"}, width=24,
        ),
        history("guard_time"),
        history("injection_detection"),
        history("injection_flag"),
    ),
)  # fmt: skip
