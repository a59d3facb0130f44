"""KPIs of evaluations: how what suites say of a version stands beside what production does."""

from typing import Final

from schemas.kpis.kpi import Kpi

_SEEN: Final = "only what guards of production see, and only hazards with a code, can be held against a suite"

KPIS: Final = (
    Kpi(
        id="evaluation_gap", title="Production beside evaluation", unit="share", better="lower",
        view="kpi_evaluations",
        says="How much more often a hazard is seen in production than its evaluation says; above nothing it is worse.",
        formula="share of outputs of seven days with a finding of the hazard, less the share of items that failed in"
        " the newest runs for the version that served most",
        misleads=f"the items of a suite are chosen to be hard, so that below nothing is usual; watch its sign and its"
        f" changes; {_SEEN}",
        source="Newcombe (1998), method 10", by_version=False, by_part="hazard",
    ),
    Kpi(
        id="evaluation_staleness", title="Age of the newest evaluation", unit="seconds", better="lower",
        view="kpi_evaluations",
        says="How long ago the version that serves most was evaluated.",
        formula="time since the newest run for the version that served most in seven days",
        misleads="a run of one suite makes all look fresh", source="a count", by_version=False, exact=True,
        objective=2_592_000,
    ),
    Kpi(
        id="evaluation_coverage", title="Evaluated of what production meets", unit="share", better="higher",
        view="kpi_evaluations",
        says="Of what guards found on outputs in production, the share whose hazard some suite tests.",
        formula="findings on outputs of seven days whose hazard has items in a suite / findings on outputs with a code",
        misleads=f"one item is enough to cover a hazard; {_SEEN}", by_version=False, objective=0.8,
    ),
    Kpi(
        id="evaluation_saturation", title="Suites that tell nothing apart", unit="share", better="lower",
        view="kpi_evaluations",
        says="Of the tests that more than one version took, the share that tells none of them from another.",
        formula="tests whose intervals of all versions overlap / tests that two versions or more took",
        misleads="versions that are alike are told apart by no test, however good",
        source="overlap of Wilson's intervals", by_version=False,
    ),
)  # fmt: skip
