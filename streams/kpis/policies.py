"""The policy as rows, so that SQL can hold services against it."""

from datetime import datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from streams.policy.policy import Policy, Service
from streams.store.client import WRITE

COLUMNS = (
    "service_name", "tier", "owner", "runbook", "required_guards", "severity_weights", "error_share",
    "slow_ms", "slow_share", "published_at",
)  # fmt: skip

DUTIES: Final = ("duty", "families", "severities", "services", "hours", "authority", "basis", "published_at")


def publish_policy(client: Client, policy: Policy, published_at: datetime) -> None:
    """Store what is agreed about each service; what was published last is what holds.

    The row without a name is what is agreed about every service that the policy does not name.

    Parameters
    ----------
    published_at
        When; an aware time, so that of several workers the last one wins as a whole.
    """
    agreed = {"": policy.defaults, **policy.services}
    weights = list(policy.severity_weights.model_dump().values())
    rows = [[*_agreed(name, service), weights, *_calls(service), published_at] for name, service in agreed.items()]
    client.insert("service_policies", rows, column_names=list(COLUMNS), settings=WRITE)
    client.insert("reporting_rules", _duties(policy, published_at), column_names=list(DUTIES), settings=WRITE)


def _duties(policy: Policy, published_at: datetime) -> list[list[object]]:
    """Return the reporting duties as rows; one without a name says that this is all of them."""
    none: list[object] = ["", [], [], [], 0.0, "", "", published_at]
    return [none] + [
        [
            each.name,
            each.families,
            each.severities,
            each.services,
            each.hours,
            each.authority,
            each.source,
            published_at,
        ]
        for each in policy.duties
    ]


def _agreed(name: str, service: Service) -> list[object]:
    return [name, service.tier, service.owner, service.runbook, service.required_guards]


def _calls(service: Service) -> tuple[float, float, float]:
    return service.calls.errors, service.calls.slow_ms, service.calls.slow
