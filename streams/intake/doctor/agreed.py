"""What a policy agreed and time has overtaken."""

from collections.abc import Iterator
from datetime import date

from streams.intake.doctor.complaint import Complaint
from streams.policy.policy import Policy


def expired_risks(policy: Policy, today: date) -> Iterator[Complaint]:
    """Yield each risk of a service that was accepted until a day that is past."""
    for name, service in sorted(policy.services.items()):
        for risk in service.posture.expired(today):
            seen = f"the risk {risk.risk!r} was accepted until {risk.until} by {risk.by}"
            yield Complaint("policy", name, seen, "accept it anew with a new date, or end what it is about")
