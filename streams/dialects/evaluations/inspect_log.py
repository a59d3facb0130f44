"""Inspect's log as JSON (`--log-format json`): a task, and its scores. Checked against inspect_ai 0.3.285."""

from collections.abc import Iterator, Sequence
from typing import Any

from streams.dialects.evaluations.building import NotAReportError, hazard, run
from streams.dialects.values import at, first, mapping, nano, number, rows, text


def runs(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one run for each scorer that has an accuracy; what was not right failed.

    The hazard is that of the task's metadata, under `category`.

    Raises
    ------
    NotAReportError
        Where it is no log, or of a task that did not succeed.
    """
    for record in records:
        task = mapping(record.get("eval"))
        if record.get("status") != "success" or not task:
            raise NotAReportError(
                "it is no log of a task that succeeded: take the .json of `inspect eval --log-format json`"
            )
        for score in rows(at(record, "results.scores")):
            accuracy = number(at(score, "metrics.accuracy.value"))
            judged = int(number(score.get("scored_samples", at(record, "results.completed_samples"))) or 0)
            if accuracy is None or not judged:
                continue
            yield run(
                "inspect", (task.get("run_id"), task.get("eval_id"), score.get("name")),
                time_unix_nano=nano(first(at(record, "stats.completed_at"), task.get("created"))),
                model_version=text(task.get("model")), suite=text(task.get("task")),
                suite_version=text(task.get("task_version")), tool_version=text(at(task, "packages.inspect_ai")),
                run_id=text(task.get("run_id")), test_name=text(score.get("name")), judge=text(score.get("scorer")),
                category=hazard(at(task, "metadata.category")), items=judged, failed=round((1 - accuracy) * judged),
            )  # fmt: skip
