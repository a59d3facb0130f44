"""Runs of suites, put together from what a tool's file says."""

from typing import Any

from schemas.evaluations import EvaluationRun
from schemas.identity import identity
from streams.dialects.otlp.tables.words import CATEGORIES
from streams.dialects.values import present


class NotAReportError(ValueError):
    """A file that is no report of the tool that it is taken for, or of a run that came to no end."""


def run(tool: str, parts: tuple[Any, ...], **fields: Any) -> dict[str, Any]:
    """Return a run as plain values; what is not known is left out.

    Parameters
    ----------
    tool
        The program; with `parts` it gives the `event_id`.
    parts
        What identifies suite, test and hazard in one run of the tool.
    """
    kind = EvaluationRun.__struct_config__.tag
    return present(
        {"event_type": kind, "event_id": identity(tool, *parts), "source": f"evaluation/{tool}", "tool": tool}
        | {name: value for name, value in fields.items() if value not in (None, "")}
    )


def hazard(word: Any) -> str | None:
    """Return our code for a tool's word for a hazard; a code of ours stays, another word is none.

    >>> hazard("sec.jailbreak"), hazard("prompt-injection"), hazard("pii:direct"), hazard("politeness")
    ('sec.jailbreak', 'sec.prompt_injection.direct', 'sec.data_leakage.pii', None)
    """
    said = str(word or "").lower()
    if said.partition(".")[0] in ("content", "sec", "qual") and "." in said:
        return said
    known = (said, said.partition(":")[2], said.partition(":")[0])
    return next((CATEGORIES[one] for each in known if (one := each.replace("-", "_")) in CATEGORIES), None)
