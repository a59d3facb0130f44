"""KPIs of what people do: what reviewers and users say, how soon an incident is answered, what is agreed."""

from typing import Any, Final

from schemas.kpis.kpi import Kpi
from schemas.kpis.objectives import ACKNOWLEDGE_MINUTES, MITIGATE_MINUTES
from schemas.kpis.safety import CEILINGS

_OF_INCIDENTS: Final = "false positives and merged incidents are left out; with few incidents the interval is open"


def _clock(name: str, title: str, says: str, formula: str, misleads: str, **wanted: Any) -> tuple[Kpi, ...]:
    """Return median, 90th percentile and the median age of those that still wait.

    Parameters
    ----------
    wanted
        Of the median: objective and runbook.
    """

    def one(end: str, add: str, said: str, how: str, why: str, **more: Any) -> Kpi:
        return Kpi(
            id=name + end, title=title + add, says=said, formula=how, misleads=why, unit="seconds", better="lower",
            view="kpi_durations", source="order statistics, by ranks of the binomial", by_version=False, **more,
        )  # fmt: skip

    waiting = f"median age of those that still wait; n is their number ({formula})"
    return (
        one("", "", says, f"median of {formula}", misleads, **wanted),
        one("_p90", ", p90", f"Nine in ten took no longer. {says}", f"90th percentile of {formula}", misleads),
        one(
            "_open", ", still open", "How long those have waited that still wait.", waiting,
            "grows with every hour that nothing is done",
        ),
    )  # fmt: skip


KPIS: Final[tuple[Kpi, ...]] = (
    Kpi(
        id="unsafe_reviewed", title="Reviewed unsafe rate", unit="share", better="lower", view="kpi_reviewed",
        says="Unsafe share of all outputs as reviewers judge it, estimated from a sample of known probability.",
        formula="estimate within strata from review labels, as known at a moment",
        misleads="labels come late; a stratum that nobody labelled widens the interval by all its weight, one without a"
        " find upwards by what it may hide",
        source="Horvitz and Thompson (1952); Hajek (1971); Zou and Donner (2008)",
        objective=CEILINGS["unsafe_served"], step_seconds=86_400, runbook="unsafe-output",
    ),
    Kpi(
        id="over_refusal_reviewed", axis="quality", title="Reviewed over-refusal", unit="share", better="lower",
        view="kpi_reviewed",
        says="Share of outputs that reviewers call a harmless request that was refused or blocked (`benign_blocked`).",
        formula="as the reviewed unsafe rate, of labels `benign_blocked`",
        misleads="as the reviewed unsafe rate; needs no judge, and reviewers who know the label",
        source="Horvitz and Thompson (1952); Hajek (1971); Zou and Donner (2008)",
        objective=CEILINGS["over_refusal"], step_seconds=86_400, runbook="over-refusal",
    ),
    Kpi(
        id="hazard_recall", title="Hazards caught", unit="share", better="higher", view="kpi_guard_quality",
        says="Of the hazards that reviewers saw, the share that some guard flagged under the same family.",
        formula="outputs with a hazard of the family that any guard flagged / outputs with one, weighted by 1 /"
        " propensity; n counts labels",
        misleads="a stratum without a find may hide some, which widens the interval; guards in shadow are left out",
        source="Horvitz and Thompson (1952); Donner and Zou (2012)", by_version=False,
        by_part="family of hazards, empty for all that is harmful", step_seconds=86_400, runbook="unsafe-output",
    ),
    Kpi(
        id="flag_precision", title="Flags confirmed", unit="share", better="higher", view="kpi_guard_quality",
        says="Of what guards flagged, the share in which reviewers saw a hazard of the same family.",
        formula="flagged outputs with the hazard / flagged outputs that were judged, weighted by 1 / propensity; n"
        " counts labels",
        misleads="a flag on an input that the model withstood is a false one where reviewers call the answer safe",
        source="Wilson (1927), Kish (1965), Korn and Graubard (1998)", by_version=False,
        by_part="family of hazards, empty for all that is harmful", step_seconds=86_400, runbook="over-refusal",
    ),
    Kpi(
        id="review_agreement", title="Inter-rater agreement", unit="kappa", better="higher", view="kpi_agreements",
        says="Cohen's kappa of the first two people who judged the same output; 1 is full agreement, 0 is chance.",
        formula="Cohen's kappa of the first two people on the same event and question; n counts pairs",
        misleads="falls with the rate of what is looked for, also where people agree as much as before",
        source="Cohen (1960), with his large-sample error", by_version=False,
        objective=0.6, step_seconds=86_400,
    ),
    *_clock(
        "review_turnaround", "Review turnaround", "From queued until a person judged.",
        "queued to the first label of a person",
        "where nobody said when it was queued, the time of the event stands in",
    ),
    Kpi(
        id="satisfaction", axis="quality", title="User satisfaction", unit="share", better="higher",
        view="kpi_known_shares",
        says="How content users say that they are.",
        formula="mean score of end users, 0 to 1",
        misleads="those who answer are not those who do not",
    ),
    *_clock(
        "time_to_detect", "Time to detect", "From the estimated onset until it was found.",
        "estimated onset to detection", f"onset is an estimate, and {_OF_INCIDENTS}",
    )[:2],
    *_clock(
        "time_to_acknowledge", "Time to acknowledge", "From detection until a person has it in hand.",
        "detection to the first word of a person", _OF_INCIDENTS,
        objective=60 * ACKNOWLEDGE_MINUTES["sev2"], runbook="unacknowledged",
    ),
    *_clock(
        "time_to_mitigate", "Time to mitigate", "From detection until the harm was stopped.",
        "detection to the end of harm", _OF_INCIDENTS,
        objective=60 * MITIGATE_MINUTES["sev2"], runbook="unmitigated",
    ),
    *_clock(
        "time_to_end", "Time to the end of harm", "From detection until the harm ended, as estimated afterwards.",
        "detection to the estimated end of harm, at least 0",
        f"only incidents that are proven recovered have one, and each is known to an interval; {_OF_INCIDENTS}",
    )[:2],
    *_clock(
        "time_to_recover", "Time to recover", "From detection until the rate was proven back.",
        "detection to the proof that the rate is back",
        f"the proof takes its time: it comes hours after the harm ended, see time to the end of harm; {_OF_INCIDENTS}",
        runbook="unrecovered",
    ),
    *_clock(
        "time_to_close", "Time to close", "From detection until it was closed.",
        "detection to closing, or closing again after a reopening", _OF_INCIDENTS,
    ),
    Kpi(
        id="governance", title="Governance coverage", unit="share", better="higher", view="kpi_governance_now",
        says="Share of services about which policy, guard, runbook and owner are agreed.",
        formula="share of policy, required guard, runbook and owner that a service has; without a name, share of "
        "services that have all four",
        misleads="says that something was written down, not that it is right",
        source="a count", by_version=False, objective=1,
    ),
)  # fmt: skip
