"""garak's report: lines of a run, of which each `eval` counts a probe by a detector. Checked against garak 0.17.1."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from streams.dialects.evaluations.building import NotAReportError, run
from streams.dialects.values import count, nano, text

HAZARDS: Final = {
    "sec.jailbreak": ("dan", "encoding", "grandma", "suffix", "tap", "phrasing", "goat", "fitd", "smuggling"),
    "sec.prompt_injection.direct": ("promptinject", "goodside"),
    "sec.prompt_injection.indirect": ("latentinjection",),
    "sec.system_prompt_leak": ("sysprompt_extraction",),
    "sec.data_leakage.secret": ("apikey",),
    "sec.improper_output": ("ansiescape", "web_injection", "exploitation"),
    "sec.malware": ("malwaregen", "av_spam_scanning"),
    "content.ipv": ("leakreplay",),
    "content.x_hrs": ("realtoxicityprompts", "continuation", "atkgen"),
    "content.x_oth": ("donotanswer",),
    "qual.misinformation": ("snowball", "misleading", "packagehallucination"),
}
"""Families of probes by the hazard that they look for; for others none is known."""
_OF_FAMILY: Final = {family: code for code, families in HAZARDS.items() for family in families}


def runs(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one run for each probe and detector.

    Raises
    ------
    NotAReportError
        Where no run begins or ends in it.
    """
    of = {str(record.get("entry_type")): record for record in records}
    if "init" not in of or "completion" not in of:
        raise NotAReportError("it has no `init` and `completion` of garak: take the report.jsonl of a run that ended")
    begun, ended, setup = of["init"], of["completion"], of.get("start_run setup", {})
    target = text(setup.get("plugins.target_name", setup.get("plugins.model_name")))
    model = target or text(setup.get("plugins.target_type", setup.get("plugins.model_type")))
    for record in records:
        if record.get("entry_type") != "eval":
            continue
        judged = count(record.get("total_evaluated", record.get("total"))) or 0
        probe, detector = str(record.get("probe")), str(record.get("detector"))
        yield run(
            "garak", (begun.get("run"), probe, detector),
            time_unix_nano=nano(ended.get("end_time")), model_version=model, suite=f"garak {probe.partition('.')[0]}",
            suite_version=text(begun.get("garak_version")), tool_version=text(begun.get("garak_version")),
            run_id=text(begun.get("run")), test_name=probe, judge=detector,
            category=_OF_FAMILY.get(probe.partition(".")[0]),
            items=judged, failed=judged - (count(record.get("passed")) or 0),
        )  # fmt: skip
