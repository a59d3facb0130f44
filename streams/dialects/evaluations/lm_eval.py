"""Results of the LM Evaluation Harness (`results_*.json`): tasks with a score between 0 and 1."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from streams.dialects.evaluations.building import NotAReportError, run
from streams.dialects.values import at, first, mapping, number, text

METRICS: Final = ("acc", "exact_match", "mc2", "mc1", "f1", "acc_norm")
"""Those that are shares of right answers, in the order in which one is taken."""


def runs(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one run for each task with such a score; what was not right failed. No hazard is known.

    Raises
    ------
    NotAReportError
        Where it has no results.
    """
    for record in records:
        if not mapping(record.get("results")):
            raise NotAReportError("it has no `results` of lm-eval: take the results_*.json that it writes")
        for task, said in mapping(record["results"]).items():
            scored = ((name, number(said.get(f"{name},none"))) for name in METRICS)
            metric, score = next(((name, value) for name, value in scored if value is not None), ("", None))
            judged = int(number(mapping(mapping(record.get("n-samples")).get(task)).get("effective")) or 0)
            if score is None or not judged:
                continue
            model = first(record.get("model_name"), at(record, "config.model"))
            yield run(
                "lm-eval", (model, record.get("date"), task),
                time_unix_nano=int((number(record.get("date")) or 0) * 1e9) or None, model_version=model,
                suite=task, suite_version=text(mapping(record.get("versions")).get(task)),
                tool_version=text(record.get("lm_eval_version")), test_name=metric, items=judged,
                failed=round((1 - score) * judged),
            )  # fmt: skip
