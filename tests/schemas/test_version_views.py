"""What the store says of versions: of models, prompts and indexes, with the verdicts that came alone."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.metrics import RATES
from streams.store.client import rows

pytestmark = pytest.mark.store

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
BIT = {rate.name: 1 << number for number, rate in enumerate(RATES)}
TRIED = BIT["unsafe_attempted"] | BIT["refusal"] | BIT["error"]
CALL = ("event_id", "service_name", "trace_id", "response_id", "prompt_name", "prompt_version", "counted_version",
        "operation_name", "probe_id", "flagged", "safety_harm", "security_harm")  # fmt: skip
SEARCH = ("event_id", "service_name", "trace_id", "data_source_id", "index_version")
VERDICT = ("event_id", "service_name", "target_event_id", "target_id", "trials", "flagged", "safety_harm")

ASKED = """
SELECT version, toUInt64(numerator), toUInt64(n)
FROM version_kpis(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})
WHERE subject = {subject:String} AND kpi = {kpi:String}
"""


def put(client, table, columns, given, **more):
    """Store rows, a second apart."""
    own = {"time": START, "counted_time": START, **more}
    client.insert(
        table,
        [
            [START + timedelta(seconds=number), *list(own.values())[1:], number, *row]
            for number, row in enumerate(given)
        ],
        column_names=[*own, "kafka_offset", *columns],
    )


def kpis(client, **of):
    """Return by version numerator and number of a KPI."""
    until = START + timedelta(hours=1)
    asked = {"since": START, "until": until, **of}
    found = rows(client, ASKED, asked)
    return {version: (int(k), int(n)) for version, k, n in found}


@pytest.fixture
def told(client):
    """Return a store with calls of two versions of a prompt, a search before one, and verdicts that came alone."""
    put(client, "inferences", CALL, [
        ("a", "shop", "t1", "r1", "help", "12", "m1", "chat", "", 0, 0, 0),
        ("b", "shop", "t2", "r2", "help", "13", "m1", "chat", "", BIT["refusal"], 0, 0),
        ("c", "shop", "t3", "r3", "help", "13", "m1", "chat", "", BIT["unsafe_attempted"], 3, 0),
        ("d", "shop", "t4", "r4", "", "13", "~unknown", "chat", "", BIT["error"], 0, 0),
        ("e", "shop", "t5", "r5", "help", "13", "m1", "chat", "probe", BIT["refusal"], 3, 0),
        ("f", "shop", "t6", "r6", "help", "", "m2", "invoke_agent", "", 0, 0, 0),
    ], trials=TRIED)  # fmt: skip
    put(client, "retrievals", SEARCH, [("s1", "shop", "t1", "faq", "7"), ("s2", "shop", "t1", "", "x"),
                                       ("s3", "shop", "t2", "faq", "8"), ("s4", "shop", "t9", "faq", "9")])  # fmt: skip
    put(client, "guard_verdicts", VERDICT, [
        ("v1", "shop", "a", "", BIT["unsafe_attempted"], BIT["unsafe_attempted"], 1),
        ("v2", "shop", "", "r2", BIT["leak"], BIT["leak"], 0),
        ("v3", "other", "a", "", BIT["leak"], BIT["leak"], 3),
    ], event_kind="guard_verdict")  # fmt: skip
    return client


@pytest.mark.parametrize(
    ("subject", "kpi", "expected"),
    [
        ("prompt", "unsafe_attempted", {"help@12": (1, 1), "help@13": (1, 2), "13": (0, 1)}),
        ("prompt", "unsafe_served", {"help@12": (0, 1), "help@13": (1, 2), "13": (0, 1)}),
        ("prompt", "mitigation", {"help@12": (1, 1), "help@13": (0, 1), "13": (0, 0)}),
        ("prompt", "refusal", {"help@12": (0, 1), "help@13": (1, 2), "13": (0, 1)}),
        ("prompt", "leak", {"help@12": (0, 0), "help@13": (1, 1), "13": (0, 0)}),
        ("prompt", "error", {"help@12": (0, 1), "help@13": (0, 2), "13": (1, 1)}),
        ("model", "unsafe_attempted", {"m1": (2, 3), "m2": (0, 1)}),
        ("index", "unsafe_attempted", {"faq@7": (1, 1), "faq@8": (0, 1), "x": (1, 1)}),
    ],
)
def test_each_version_has_its_own_shares(told, subject, kpi, expected):
    """Of calls alone, without probes, each with the verdicts that name it; an answer stands under its indexes."""
    assert kpis(told, subject=subject, kpi=kpi) == expected


def test_shares_have_intervals_and_what_nobody_tried_has_no_value(told):
    """Wilson's interval holds the share; among nothing there is none. A run that only holds others is no call."""
    found = rows(told, "SELECT version, calls, value, lower, upper FROM version_kpis(since='2026-03-02 00:00:00',"
                       " until='2026-03-03 00:00:00') WHERE kpi = 'refusal' AND subject IN ('prompt', 'model')"
                       " ORDER BY version")  # fmt: skip
    by_version = {version: measures for version, *measures in found}
    calls, value, lower, upper = by_version["help@13"]
    assert (calls, value) == (2, 0.5)
    assert (lower, upper) == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert by_version["m2"][0] == 0
    leaks = rows(told, "SELECT value, lower, upper, n FROM version_kpis(since='2026-03-02 00:00:00',"
                       " until='2026-03-03 00:00:00') WHERE kpi = 'leak' AND version = 'm2'")  # fmt: skip
    assert leaks == [(None, None, None, 0)]
