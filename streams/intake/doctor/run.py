"""All checks, over all services."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from streams.intake.doctor.clocks import clocks, losses
from streams.intake.doctor.complaint import Complaint
from streams.intake.doctor.fields import missing, one_session
from streams.intake.doctor.guards import coverage, only_hits, orphans, unknown_codes
from streams.intake.doctor.identifiers import identifiers
from streams.intake.doctor.look import Look
from streams.intake.doctor.meanings import seconds, severities, tokens

CHECKS: Final[tuple[Callable[[Look], Iterator[Complaint]], ...]] = (
    clocks, losses, missing, one_session, seconds, tokens, unknown_codes, orphans, coverage, only_hits, severities,
    identifiers,
)  # fmt: skip


def complaints(looks: Iterable[Look]) -> list[Complaint]:
    """Return everything that looks wrong, service by service."""
    ordered = sorted(looks, key=lambda look: look.service)
    return [complaint for look in ordered for check in CHECKS for complaint in check(look)]
