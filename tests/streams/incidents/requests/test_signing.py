"""Controls on a real broker: who gets one obeys what is signed, in force and new, and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import requests
from pydantic import SecretStr
from typer.testing import CliRunner

import schemas
from schemas.actions import Control
from schemas.fields import NANO
from schemas.signature import HEADER, verify
from schemas.topics import CONTROLS
from streams.api.controls import router
from streams.commands.main import app
from streams.incidents.requests.signing import check_key, signed
from streams.kafka.sending import send_all
from streams.policy.policy import parse_policy
from streams.settings import SettingsError, load
from tests.faults.log import log
from tests.support.serving import served

EXAMPLE = Path(schemas.__file__).with_name("examples") / "consumers" / "control_consumer.py"


@pytest.fixture
def settings(kafka_settings, monkeypatch):
    """Settings with a key, also in the environment."""
    monkeypatch.setenv("WATCHKEEPER_TOPIC_PREFIX", kafka_settings.topic_prefix)
    monkeypatch.setenv("WATCHKEEPER_CONTROL_KEY", "a long secret")
    return kafka_settings.model_copy(update={"control_key": SecretStr("a long secret")})


def control(number, **more):
    """Return a control of now."""
    own = {"service_name": "chat", "control": "pause", "reason": f"r{number}", "actor_kind": "human"}
    return Control(event_id=f"c{number}", source="t", time_unix_nano=time.time_ns(), **(own | more))


def test_the_example_consumer_obeys_what_is_ours_alone(settings):
    """Forged, unsigned, altered, expired, repeated and other services' controls are ignored; good ones are printed."""
    good, last = signed(settings, control(1)), signed(settings, control(2, control="resume"))
    forged = signed(settings.model_copy(update={"control_key": SecretStr("guessed")}), control(3))
    unsigned = signed(settings, control(4))._replace(headers=())
    altered = signed(settings, control(5))
    altered = altered._replace(value=altered.value.replace(b"chat", b"mail"))
    expired = signed(settings, control(6, expires_at=time.time_ns() - NANO))
    other = signed(settings, control(7, service_name="search"))
    garbage = good._replace(value=b"\xff{")
    send_all(settings, CONTROLS, [good, forged, unsigned, altered, expired, other, garbage, good, last])
    arguments = [settings.kafka, settings.topic(CONTROLS.name), "chat"]
    environment = os.environ | {"PYTHONPATH": str(Path(schemas.__file__).parents[1])}
    running = subprocess.Popen(
        [sys.executable, EXAMPLE, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        printed = [running.stdout.readline().strip() for _ in range(2)]
    finally:
        running.kill()
        rest, _ = running.communicate()
    assert printed == ["pause chat : r1", "resume chat : r2"]
    assert not rest


def test_a_person_asks_from_the_terminal(settings):
    """The control is signed, in force for as long as was said, and under the name of who asked."""
    given = ["chat", "--reason", "leaks", "--actor", "ann", "--kafka", settings.kafka]
    done = CliRunner().invoke(app, ["control", "kill-switch", *given, "--for", "2h", "--incident", "i1"])
    assert done.exit_code == 0, done.exception
    for command in ("pause", "review-required", "resume"):
        assert CliRunner().invoke(app, ["control", command, *given]).exit_code == 0
    [records] = [each for each in log(settings, CONTROLS).values() if each]
    assert all(verify(each.value, dict(each.headers)[HEADER].decode(), b"a long secret") for each in records)
    controls = [msgspec.json.decode(each.value, type=Control) for each in records]
    assert [each.control for each in controls] == ["kill_switch", "pause", "review_required", "resume"]
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
    with served(kafka_settings, router) as address:
        assert requests.post(f"{address}/controls", json=body, timeout=60).status_code == 503
    policy = parse_policy("controls: [{name: a, when: {family: leak}, do: pause}]")
    check_key(load(), parse_policy(""))
    with pytest.raises(SettingsError, match="WATCHKEEPER_CONTROL_KEY"):
        check_key(load(), policy)


def test_http_takes_what_can_be_read(settings):
    """202 for a control; 422 for a duration, a control or a field that is none."""
    body = {"service_name": "chat", "control": "kill_switch", "reason": "r", "actor_id": "ann", "for": "30m"}
    with served(settings, router) as address:
        answers = [
            requests.post(f"{address}/controls", json=body | more, timeout=60).status_code
            for more in (
                {},
                {"for": "soon"},
                {"for": "999999d"},
                {"service_name": "a\0b"},
                {"control": "rollback"},
                {"reason": ""},
                {"more": 1},
            )
        ]
    assert answers == [202] + [422] * 6
