"""KPIs of what safety costs those who use the service: refusals, time of guards, faults of quality."""

from typing import Final

from schemas.kpis.kpi import Kpi
from schemas.kpis.objectives import GUARD_TIME_SHARE


def _of_refusals(name: str, title: str, says: str, formula: str, misleads: str, better: str = "higher") -> Kpi:
    return Kpi(
        id=name, axis="quality", title=title, unit="share", better=better, view="kpi_refusals",  # type: ignore[arg-type]
        says=says, formula=formula, misleads=misleads, runbook="over-refusal",
    )  # fmt: skip


def _of_quality(code: str, title: str, word: str) -> Kpi:
    return Kpi(
        id=code, axis="quality", title=title, unit="share", better="lower", view="kpi_quality_codes",
        says=f"Share of outputs that a guard or judge found {word}.",
        formula=f"outputs with a finding qual.{code} / outputs",
        misleads="only what is judged can be found; where no judge looks it is 0",
    )  # fmt: skip


KPIS: Final = (
    _of_refusals(
        "refusal_reasons", "Refusals with a reason", "Share of refusals that told the user why.",
        "refusals with a refusal_reason / refusals that say anything of how they were put",
        "a reason may be empty words",
    ),
    _of_refusals(
        "refusal_alternatives", "Refusals with an alternative",
        "Share of refusals that offered something safe instead.",
        "refusals with refusal_alternative true / those that say", "says nothing of whether it helped",
    ),
    _of_refusals(
        "refusal_handovers", "Refusals handed over", "Share of refusals after which a person took over.",
        "refusals with handed_over true / those that say", "neither high nor low is good by itself",
    ),
    _of_refusals(
        "refusal_retries", "Retries after refusals",
        "Share of refusals after which the same session called again within five minutes.",
        "refusals followed by a call of their session within five minutes / refusals with a session",
        "whoever asks for something else counts too; attackers try again as well", "lower",
    ),
    Kpi(
        id="guard_time", title="Time of guards", unit="share", better="lower", view="kpi_guard_time",
        says="Share of the time of requests that guards take; waiting for people is left out.",
        formula="time of guards that are not in shadow / that of guards, ingest, retrieval, model and actions",
        misleads="guards that run side by side add up; what does not report its time is not in it",
        source="interval of the odds of two sums", objective=GUARD_TIME_SHARE, severity="ticket", runbook="slow-calls",
    ),
    _of_quality("ungrounded", "Ungrounded outputs", "without a ground in what was given"),
    _of_quality("misinformation", "Misinformation", "misinforming"),
    _of_quality("bias", "Bias", "biased"),
)  # fmt: skip
