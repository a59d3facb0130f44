"""Sources under quarantine: asked for, kept or broken, over by themselves or given free, and one page where broken."""

import zlib
from datetime import timedelta

import pytest

from schemas.controls import Control
from schemas.fields import NANO
from streams.incidents.requests.quarantine import Quarantines
from streams.incidents.requests.rules import ControlRules
from streams.policy.policy import PolicyError, parse_policy
from streams.sql.server import Endpoint
from streams.store.client import rows
from tests.support.dashboards.history import put
from tests.support.histories import START
from tests.support.incidents.entries import page

STATES = "SELECT data_source_id, control_id, searches, documents, event_ids FROM source_quarantines ORDER BY control_id"


def control(name, kind, minute, source, ends=None):
    """Return a row of a control that kim asked for; `ends` are minutes too."""
    return {"event_id": name, "control": kind, "time": START + timedelta(minutes=minute), "data_source_id": source,
            "service_name": "a", "reason": "poisoned", "actor_id": "kim",
            "expires_at": None if ends is None else START + timedelta(minutes=ends)}  # fmt: skip


def search(name, minute, source, probe=""):
    """Return a row of a search that gave two documents."""
    return {"event_id": name, "time": START + timedelta(minutes=minute), "data_source_id": source, "probe_id": probe,
            "service_name": "a", "documents_id": ["d1", "d2"], "kafka_offset": zlib.crc32(name.encode())}  # fmt: skip


@pytest.fixture
def store(client):
    """A store with three sources: one given free, one whose quarantine ended, one that still lasts and is kept."""
    put(client, "controls", control("q1", "quarantine", 10, "wiki"), control("r1", "release", 30, "wiki"),
        control("q2", "quarantine", 10, "web", ends=20), control("q3", "quarantine", 10, "mail"),
        control("p", "pause", 5, ""))  # fmt: skip
    put(client, "retrievals", *(
        search(f"{source}{minute}", minute, source) for source in ("wiki", "web") for minute in (5, 10.5, 15, 25, 35)
    ), search("probe", 15, "mail", "p1"))  # fmt: skip
    return client


@pytest.mark.store
def test_what_is_retrieved_from_a_quarantined_source_is_counted(store):
    """From a minute after it was asked for until it ends or is given free; probes are no searches of the service."""
    assert rows(store, STATES) == [
        ("wiki", "q1", 2, 4, ["wiki15", "wiki25"]), ("web", "q2", 1, 2, ["web15"]), ("mail", "q3", 0, 0, []),
    ]  # fmt: skip


@pytest.mark.store
@pytest.mark.enable_socket
async def test_a_broken_quarantine_is_one_page(store, store_settings):
    """It names source, by whom and why; whoever reads the log again does not say it twice, and asks only when asked."""
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    settings = store_settings.model_copy(update={"sql_port": endpoint.port})
    subject = Quarantines(settings)
    assert await subject.due() == []
    asked = Control(event_id="q1", source="s", time_unix_nano=int(START.timestamp()) * NANO, service_name="a",
                    control="quarantine", data_source_id="wiki", actor_kind="human", reason="poisoned")  # fmt: skip
    subject.take(asked)
    found = await subject.due()
    assert [(each.severity, each.service_name, each.event_ids) for each in found] == [
        ("page", "a", ["wiki15", "wiki25"]), ("page", "a", ["web15"]),
    ]  # fmt: skip
    assert found[0].evidence == (
        "a searched wiki, which kim had put under quarantine: poisoned (2 searches, 4 documents)"
    )
    again = Quarantines(settings)
    for record in (asked, found[0]):
        again.take(record)
    assert [each.finding_id for each in await again.due()] == [found[1].finding_id]
    endpoint.stop()


def test_only_controls_of_sources_name_one():
    """A quarantine without a source, and a pause with one, are refused by the contract."""
    common = {"event_id": "e", "source": "s", "time_unix_nano": int(START.timestamp()) * NANO, "service_name": "a",
              "actor_kind": "human", "reason": "r"}  # fmt: skip
    with pytest.raises(ValueError, match="quarantine needs `data_source_id`"):
        Control(**common, control="quarantine")
    with pytest.raises(ValueError, match="pause has no `data_source_id`"):
        Control(**common, control="pause", data_source_id="wiki")


def test_a_rule_puts_its_source_under_quarantine_for_a_while():
    """The control that a finding makes due names the source and its end; a rule without a source is refused."""
    rule = "controls: [{{name: no strangers, when: {{family: leak}}, do: {}, for_minutes: 30}}]"
    policy = parse_policy(rule.format("quarantine, data_source: web"))
    [asked] = ControlRules(policy.controls).take(page())
    assert (asked.control, asked.data_source_id) == ("quarantine", "web")
    assert asked.expires_at - asked.time_unix_nano == 1_800 * NANO
    for wrong in ("quarantine", "pause, data_source: web"):
        with pytest.raises(PolicyError, match="data_source"):
            parse_policy(rule.format(wrong))
