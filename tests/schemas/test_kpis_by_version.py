"""KPIs by model version: what failed before anybody answered counts under what its service ran then."""

from datetime import timedelta

import pytest

from schemas.windows import UNKNOWN_VERSION
from streams.store.client import rows
from tests.support.dashboards import history
from tests.support.histories import judge

HOUR = timedelta(hours=1)


def put(client, hour, version, calls, errors):
    """Write an hour of a service's calls under one version, of which some were blocked."""
    row = {"hour": hour, "service_name": history.SERVICE, "model_version": version, "events": calls, "calls": calls,
           "blocked_trials": calls, "blocked": errors, "kafka_topic_id": "t", "version": 1}  # fmt: skip
    history.put(client, "service_hours", row | {"kafka_partition": 0 if version != UNKNOWN_VERSION else 1})


def blocked(client, versions, step=31_536_000):
    """Return version, n and value of each row of the KPI."""
    begin, end = (f"'{history.START + span:%Y-%m-%d %H:%M:%S}'" for span in (timedelta(0), 6 * HOUR))
    return rows(
        client,
        "SELECT model_version, n, value FROM kpi_output_shares"
        f"(since={begin}, until={end}, step={step}, versions={versions}) WHERE kpi = 'blocked' AND n > 0"
        " ORDER BY window_start, model_version",
    )


@pytest.mark.store
def test_a_call_that_nobody_answered_is_no_version_of_its_own(client):
    """It counts under the version that answered most in its hour; where none did, in the whole alone."""
    start = history.START
    put(client, start, "m-1", 90, 0)
    put(client, start, "m-2", 10, 0)
    put(client, start, UNKNOWN_VERSION, 10, 10)
    put(client, start + HOUR, UNKNOWN_VERSION, 20, 20)  # nothing answered in this hour
    put(client, start + 2 * HOUR, "m-2", 100, 0)
    put(client, start + 2 * HOUR, UNKNOWN_VERSION, 5, 5)
    judge(client)
    assert blocked(client, 0) == [("", 235, pytest.approx(35 / 235))]
    assert blocked(client, 1) == [
        ("m-1", 100, pytest.approx(10 / 100)),
        ("m-2", 115, pytest.approx(5 / 115)),
    ]
    assert [version for version, _, _ in blocked(client, 1, 3_600)] == ["m-1", "m-2", "m-2"]


@pytest.mark.store
def test_a_service_that_never_names_a_version_is_one_group(client):
    """Failures and answers of it count together, under no name."""
    put(client, history.START, "", 10, 0)
    put(client, history.START, UNKNOWN_VERSION, 2, 2)
    judge(client)
    assert blocked(client, 1) == [("", 12, pytest.approx(2 / 12))]
