"""KPIs of what answers rest on: documents, and the searches that found them."""

from typing import Final

from schemas.kpis.kpi import Kpi

KPIS: Final = (
    Kpi(
        id="unvetted_served", axis="security", title="Documents that nobody vetted", unit="share", better="lower",
        view="kpi_known_shares",
        says="Of the documents that searches gave, the share that says a trust other than trusted or internal.",
        formula="documents retrieved that say a trust and neither trusted nor internal / documents retrieved",
        misleads="one that says no trust is not in it (`unsaid_share` of the view `source_quality`); "
        "a document counts as often as it was retrieved",
        by_version=False, objective=0.05, family="injection", runbook="sources",
    ),
    Kpi(
        id="empty_searches", axis="quality", title="Searches that found nothing", unit="share", better="lower",
        view="kpi_known_shares",
        says="Share of searches that gave back no document; an answer after one rests on nothing.",
        formula="searches without a document / searches",
        misleads="a search may rightly find nothing; one that gives back the least bad document is not in it",
        by_version=False, objective=0.1, family="quality", runbook="sources",
    ),
)  # fmt: skip
