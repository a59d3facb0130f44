"""What time has overtaken: what a policy agreed, and the certificate of the ports."""

from collections.abc import Iterator
from datetime import date

from streams.intake.doctor.complaint import Complaint
from streams.policy.policy import Policy
from streams.settings import Settings
from streams.tls.expiry import wrong_with_certificate


def expired_risks(policy: Policy, today: date) -> Iterator[Complaint]:
    """Yield each risk of a service that was accepted until a day that is past."""
    for name, service in sorted(policy.services.items()):
        for risk in service.posture.expired(today):
            seen = f"the risk {risk.risk!r} was accepted until {risk.until} by {risk.by}"
            yield Complaint("policy", name, seen, "accept it anew with a new date, or end what it is about")


def expiring_certificate(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the certificate of the ports, or will be soon."""
    if wrong := wrong_with_certificate(settings):
        yield Complaint(
            "certificate", "all ports", wrong, "renew it: the ports show the new one as soon as its file is there"
        )
