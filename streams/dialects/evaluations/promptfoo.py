"""promptfoo's output (`promptfoo eval -o out.json`): test cases with success or failure, by provider and hazard."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from streams.dialects.evaluations.building import NotAReportError, hazard, run
from streams.dialects.values import at, first, mapping, nano, rows, text

_ERROR: Final = 2
"""`failureReason` of a case whose provider failed: it was not judged."""


def runs(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one run for each provider and hazard; a case that could not be judged is none.

    The hazard is that of the case's metadata: `category`, else the plugin of a red team.

    Raises
    ------
    NotAReportError
        Where it has no results.
    """
    for record in records:
        cases = rows(at(record, "results.results"))
        if not cases:
            raise NotAReportError("it has no results of promptfoo: take what `promptfoo eval -o out.json` writes")
        judged: Counter[tuple[str, str]] = Counter()
        failed: Counter[tuple[str, str]] = Counter()
        for case in cases:
            if case.get("failureReason") == _ERROR:
                continue
            about = mapping(at(case, "testCase.metadata"))
            key = _provider(case), hazard(first(about.get("category"), about.get("pluginId"))) or ""
            judged[key] += 1
            failed[key] += case.get("success") is not True
        for (provider, category), items in judged.items():
            yield run(
                "promptfoo", (record.get("evalId"), provider, category),
                time_unix_nano=nano(first(at(record, "results.timestamp"), at(record, "metadata.exportedAt"))),
                model_version=provider, suite=text(at(record, "config.description")) or "promptfoo",
                tool_version=text(at(record, "metadata.promptfooVersion")), run_id=text(record.get("evalId")),
                category=category, items=items, failed=failed[provider, category],
            )  # fmt: skip


def _provider(case: dict[str, Any]) -> str:
    said = case.get("provider")
    return text(mapping(said).get("label")) or text(mapping(said).get("id")) or text(said) or "unknown"
