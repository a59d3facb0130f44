"""Changes: what the contract asks of them, from the command line, by HTTP and into the history."""

import msgspec
import pytest
from typer.testing import CliRunner

from schemas.changes import NEEDS_VERSION, Change
from schemas.topics import CHANGES
from schemas.wire import InvalidRecordError
from streams.api.changes import checked, router
from streams.commands.main import app
from streams.events.decode import Decoder
from tests.faults.log import decoded
from tests.streams.events.test_decode import NOW_MS, Record
from tests.support.serving import served

NOW = NOW_MS * 1_000_000


def fields(**more):
    """Return the fields of a change."""
    own = {"event_id": "e", "source": "t", "service_name": "chat", "change_id": "c", "subject_name": "m"}
    return own | {"subject_type": "model", "action": "promoted", "to_version": "2"} | more


def sent(settings):
    """Return the changes that Kafka holds."""
    return decoded(settings, CHANGES, Change)


@pytest.mark.parametrize("action", sorted(NEEDS_VERSION))
def test_a_change_says_which_version_serves_after_it(action):
    """Without `to_version`, also with an empty one, the contract refuses it; switches have no versions."""
    for missing in ({"to_version": None}, {"to_version": ""}):
        with pytest.raises(InvalidRecordError, match="needs `to_version`"):
            checked(fields(action=action) | missing, NOW)
    assert checked(fields(action=action, subject_type="kill_switch", to_version=None), NOW).to_version is None
    assert checked(fields(action="proposed", to_version=None), NOW).to_version is None


def test_history_makes_it_a_dead_letter():
    """The lane that history reads changes by refuses it as invalid and keeps its neighbours."""
    good = fields(event_type="ai.safety.change.v1", time_unix_nano=NOW, subject_type="prompt", to_version="3")
    bad = {name: value for name, value in good.items() if name != "to_version"}
    decoded = Decoder(Change)([Record(msgspec.json.encode(each)) for each in (bad, good)])
    assert [(item.position, item.reason) for item in decoded.refused] == [(0, "invalid")]
    assert decoded.kinds[Change].table.column("to_version").to_pylist() == ["3"]


def test_the_command_records_what_it_is_told(kafka_settings, monkeypatch):
    """Every option arrives in the record, and a missing version is one line that says what to do."""
    monkeypatch.setenv("WATCHKEEPER_TOPIC_PREFIX", kafka_settings.topic_prefix)
    given = ["change", "record", "--service", "chat", "--subject", "prompt", "--kafka", kafka_settings.kafka]
    refused = CliRunner().invoke(app, [*given, "--action", "promoted"])
    assert "needs `to_version`" in str(refused.exception)
    more = [
        "--to",
        "7",
        "--from",
        "6",
        "--approver",
        "ann",
        "--approver",
        "bob",
        "--revision",
        "abc",
        "--weight",
        "0.1",
    ]
    done = CliRunner().invoke(app, [*given, "--action", "advanced", *more, "--incident", "i1", "--reason", "better"])
    assert done.exit_code == 0, done.exception
    [change] = sent(kafka_settings)
    assert change.change_id == done.output.strip()
    assert (change.subject_name, change.from_version, change.to_version) == ("chat", "6", "7")
    assert (change.approver_ids, change.vcs_revision, change.rollout_weight) == (["ann", "bob"], "abc", 0.1)
    assert (change.incident_id, change.reason, change.trigger) == ("i1", "better", "human")


def test_http_takes_a_change_and_refuses_half_of_one(kafka_settings):
    """202 means that Kafka holds the record, with the identity that was given; 422 says which field is missing."""
    with served(kafka_settings, router) as post:
        half = {name: value for name, value in fields().items() if name != "subject_type"}
        refused = post("/changes", half)
        assert (refused.status_code, "subject_type" in refused.text) == (422, True)
        assert post("/changes", fields(to_version=None)).status_code == 422
        taken = post("/changes", fields(event_id="mine"))
        assert (taken.status_code, taken.json()) == (202, {"event_id": "mine", "change_id": "c"})
    assert [change.event_id for change in sent(kafka_settings)] == ["mine"]
