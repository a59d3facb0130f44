"""Controls on a real broker: who gets one obeys what is signed, in force and new, and nothing else."""

import msgspec
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from schemas.controls import Control
from schemas.fields import NANO
from schemas.signature import HEADER, verify
from schemas.topics import CONTROLS
from streams.api.controls import router
from streams.commands.main import app
from streams.incidents.requests.signing import check_key
from streams.policy.policy import parse_policy
from streams.settings import SettingsError, load
from tests.faults.log import log
from tests.support.serving import served


@pytest.fixture
def settings(kafka_settings, monkeypatch):
    """Settings with a key, also in the environment."""
    monkeypatch.setenv("WATCHKEEPER_TOPIC_PREFIX", kafka_settings.topic_prefix)
    monkeypatch.setenv("WATCHKEEPER_CONTROL_KEY", "a long secret")
    return kafka_settings.model_copy(update={"control_key": SecretStr("a long secret")})


def test_a_person_asks_from_the_terminal(settings):
    """The control is signed, in force for as long as was said, and under the name of who asked."""
    given = ["chat", "--reason", "leaks", "--actor", "ann", "--kafka", settings.kafka]
    done = CliRunner().invoke(app, ["control", "kill-switch", *given, "--for", "2h", "--incident", "i1"])
    assert done.exit_code == 0, done.exception
    for command in ("pause", "review-required", "resume"):
        assert CliRunner().invoke(app, ["control", command, *given]).exit_code == 0
    for command in ("quarantine", "release"):
        assert CliRunner().invoke(app, ["control", command, *given, "--source", "wiki"]).exit_code == 0
    [records] = [each for each in log(settings, CONTROLS).values() if each]
    assert all(verify(each.value, dict(each.headers)[HEADER].decode(), b"a long secret") for each in records)
    controls = [msgspec.json.decode(each.value, type=Control) for each in records]
    assert [(each.control, each.data_source_id) for each in controls] == [
        ("kill_switch", None), ("pause", None), ("review_required", None), ("resume", None),
        ("quarantine", "wiki"), ("release", "wiki"),
    ]  # fmt: skip
    first = controls[0]
    assert (first.event_id, first.actor_id, first.incident_id) == (done.output.strip(), "ann", "i1")
    assert first.expires_at - first.time_unix_nano == 7_200 * NANO
    assert controls[3].expires_at is None


def test_without_a_key_nothing_is_sent(kafka_settings, monkeypatch):
    """The command, the route and a policy with rules all say which setting is missing."""
    monkeypatch.delenv("WATCHKEEPER_CONTROL_KEY", raising=False)
    refused = CliRunner().invoke(app, ["control", "pause", "chat", "--reason", "r", "--kafka", kafka_settings.kafka])
    assert "WATCHKEEPER_CONTROL_KEY" in str(refused.exception)
    body = {"service_name": "chat", "control": "pause", "reason": "r", "actor_id": "ann"}
    with served(kafka_settings, router) as post:
        assert post("/controls", body).status_code == 503
    policy = parse_policy("controls: [{name: a, when: {family: leak}, do: pause}]")
    check_key(load(), parse_policy(""))
    with pytest.raises(SettingsError, match="WATCHKEEPER_CONTROL_KEY"):
        check_key(load(), policy)


def test_http_takes_what_can_be_read(settings):
    """202 for a control; 422 for a duration, a control or a field that is none, and a quarantine of no source."""
    body = {"service_name": "chat", "control": "kill_switch", "reason": "r", "actor_id": "ann", "for": "30m"}
    with served(settings, router) as post:
        answers = [
            post("/controls", body | more).status_code
            for more in (
                {},
                {"control": "quarantine", "data_source_id": "wiki"},
                {"control": "quarantine"},
                {"for": "soon"},
                {"for": "999999d"},
                {"service_name": "a\0b"},
                {"control": "rollback"},
                {"reason": ""},
                {"more": 1},
            )
        ]
    assert answers == [202] * 2 + [422] * 7
