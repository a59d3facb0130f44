"""Pages about what one person did alone that takes two, and about steps that are not ours."""

from typing import Final

from schemas.approvals import Approval
from schemas.controls import Control
from schemas.fields import NANO
from schemas.findings import Finding
from streams.findings.finding import finding
from streams.incidents.approvals.acts import in_words

DETECTOR: Final = "two_persons"
_HOUR: Final = 3_600 * NANO


def glass(request: Approval, said: Approval, written: int) -> Finding:
    """Return the page that somebody broke the glass."""
    text = f"{said.actor_id} broke the glass and did alone what takes two persons: {in_words(request)}. {said.reason}"
    return _page(("broken_glass", said.request_id), "broken_glass", request.service_name, written, text[:2_000])


def lifted(control: Control, written: int) -> Finding:
    """Return the page that a kill switch was lifted past the second person, with the key of controls."""
    text = f"{control.actor_id or control.source} lifted the kill switch of {control.service_name} alone, past the API"
    return _page(("lifted_alone", control.event_id), "lifted_alone", control.service_name, written, text)


def forged(said: Approval, written: int) -> Finding:
    """Return the page that a step was written that is not ours; however many there are, one an hour."""
    text = f"somebody wrote to approvals.v1 as {said.actor_id} ({said.step}), without our signature; it does not count"
    return _page(("forged_approval", written // _HOUR), "forged_approval", "watchkeeper", written, text)


def _page(name: tuple[object, ...], metric: str, service: str, at: int, text: str) -> Finding:
    return finding(
        name, at, onset_time_unix_nano=at, kind="breach", severity="page", service_name=service, metric=metric,
        family="conduct", detector=DETECTOR, evidence=text,
    )  # fmt: skip
