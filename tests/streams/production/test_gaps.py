"""What stands open is named, each with what to do, and what is closed is not."""

import json
import re
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from streams.access.principals import create, tokens_file
from streams.access.tokens import made_token
from streams.commands.main import app
from streams.kafka.topics import admin
from streams.policy.policy import Policy
from streams.policy.retention import Retention
from streams.production.asked import kafka_gaps
from streams.production.lying import file_gaps, image_gaps, token_gaps
from streams.production.named import gaps
from streams.settings import Settings
from tests.support.authority import DAY, Authority
from tests.support.waiting import wait_until

RANDOM = "correct-horse-battery-"
CLOSED = {
    "kafka": "kafka:9093", "kafka_security": "SASL_SSL", "kafka_username": "watch", "kafka_password": f"{RANDOM}1",
    "clickhouse": "https://writer@ch:8443", "clickhouse_password": f"{RANDOM}2", "host": "0.0.0.0",
    "otlp_token": f"{RANDOM}3", "control_key": f"{RANDOM}4", "hash_key": f"{RANDOM}5", "api_token": f"{RANDOM}6",
    "public_url": "https://watch.example",
}  # fmt: skip
"""Settings with nothing open but that no policy names a retention."""


KEPT = Policy(retention=Retention())
"""A policy that says how long data are kept."""

OPENED = {
    "kafka tls": {"kafka_security": "PLAINTEXT"},
    "kafka sasl": {"kafka_security": "SSL"},
    "store tls": {"clickhouse": "http://writer@ch:8123"},
    "store user": {"clickhouse": "https://default@ch:8443"},
    "store password": {"clickhouse_password": ""},
    "otlp token": {"otlp_token": ""},
    "sql users": {"clickhouse": "chdb://data/clickhouse"},
    "ports tls": {"public_url": "http://watch.example"},
    "certificate": {"tls_cert": Path("gone.pem")},
    "default secret": {"kafka_password": "Watch"},
    "short secret": {"api_token": "abcdefghi"},
    "shared secret": {"api_token": f"{RANDOM}3"},
    "control key": {"control_key": ""},
    "hash key": {"hash_key": ""},
}


def found(settings, policy=KEPT):
    """Return the names of what stands open."""
    return [gap.check for gap in gaps(settings, policy)]


def test_what_is_closed_is_not_named():
    """With TLS, users, secrets of their own and a retention nothing is open."""
    assert found(Settings(**CLOSED)) == []


@pytest.mark.parametrize("check", OPENED)
def test_each_opening_is_named(check):
    """One setting that opens something is found by its name, and says what to do."""
    [*seen] = gaps(Settings(**CLOSED | OPENED[check]), KEPT)
    assert check in [gap.check for gap in seen]
    assert all(gap.advice for gap in seen)


def test_ports_without_tls_are_named_and_one_with_a_certificate_is_not(tmp_path):
    """Each port that is open without TLS stands there with its number; with a certificate of our own none is."""
    opened = CLOSED | {"public_url": "", "clickhouse": "chdb://data/clickhouse", "sql_users": "users.yaml"}
    [gap] = gaps(Settings(**opened), KEPT)
    assert "(API and console 8130, SQL 8123, OTLP 4318, health 6066, 6067, 6068, 6069, 6070)" in gap.seen
    authority = Authority(tmp_path)
    certificate, key = authority.signed("port", ends=100 * DAY)
    tls = {"tls_cert": certificate, "tls_key": key}
    assert found(Settings(**opened | tls)) == []
    assert list(file_gaps(Settings(data_dir=tmp_path / "none", **tls))) == []
    key.chmod(0o644)
    [gap] = file_gaps(Settings(data_dir=tmp_path / "none", **tls))
    assert gap.advice == f"`chmod 600 {key}`"
    near, key = authority.signed("near", ends=DAY)
    [gap] = gaps(Settings(**opened | {"tls_cert": near, "tls_key": key}), KEPT)
    assert gap.seen == f"{near} is over in 1 days"


def test_a_policy_without_retention_is_named():
    """Nobody has said how long data are kept."""
    assert found(Settings(**CLOSED), Policy()) == ["retention"]


def test_a_broker_on_this_machine_needs_no_tls_but_knows_nobody():
    """What does not leave the machine is read by nobody on its way."""
    here = Settings(**CLOSED | {"kafka": "127.0.0.1:9092,[::1]:9092,localhost:9092", "kafka_security": "PLAINTEXT"})
    assert found(here) == ["kafka sasl"]


def test_secrets_in_the_environment_are_named_without_their_values(monkeypatch):
    """The name of the variable is said, the secret is not."""
    monkeypatch.setenv("WATCHKEEPER_API_TOKEN", CLOSED["api_token"])
    [gap] = gaps(Settings(**CLOSED), KEPT)
    assert gap.check == "secret in environment"
    assert "WATCHKEEPER_API_TOKEN" in str(gap)
    assert RANDOM not in str(gap)


def test_files_that_others_may_read_or_change_are_named(tmp_path):
    """An open data folder, an open store inside it, and a policy that others may write; closed, none of it."""
    data, policy = tmp_path / "data", tmp_path / "policy.yaml"
    (data / "clickhouse").mkdir(parents=True)
    policy.touch()
    settings = Settings(data_dir=data, clickhouse=f"chdb://{data}/clickhouse", policy=policy)
    for path, mode in ((data, 0o755), (data / "clickhouse", 0o750), (policy, 0o664)):
        path.chmod(mode)
    assert [str(gap).rpartition("`")[0].rpartition("`")[2] for gap in file_gaps(settings)] == [
        f"chmod 700 {data}", f"chmod 700 {data}/clickhouse", f"chmod go-w {policy}",
    ]  # fmt: skip
    data.chmod(0o700)
    policy.chmod(0o644)
    assert list(file_gaps(settings)) == []


def test_a_data_folder_that_a_worker_makes_is_closed(tmp_path):
    """With the token of the installation, tokens of people and a store in it, others may read none of it."""
    settings = Settings(data_dir=tmp_path / "data", clickhouse=f"chdb://{tmp_path}/data/clickhouse")
    made_token(settings)
    create(tokens_file(settings), "kim", ("responder",), 3600)
    assert list(file_gaps(settings)) == []


def test_tokens_that_leave_open_who_somebody_is_are_named(tmp_path):
    """None but the one of all, one for years, a machine that may do everything."""
    settings = Settings(data_dir=tmp_path)
    assert [gap.check for gap in token_gaps(settings)] == ["shared token"]
    assert list(token_gaps(settings.model_copy(update={"oidc_issuer": "https://login.example"}))) == []
    create(tokens_file(settings), "kim", ("responder",), 3600)
    assert list(token_gaps(settings)) == []
    create(tokens_file(settings), "old", ("viewer",), 400 * 86_400)
    create(tokens_file(settings), "bot", ("service", "admin"), 3600)
    assert [gap.check for gap in token_gaps(settings)] == ["long token", "mighty machine"]


def test_images_without_a_digest_are_named(tmp_path, request):
    """Of the Compose file here each image that is not built; pinned ones are not, and what is none is refused."""
    compose = tmp_path / "compose.yml"
    compose.write_text("services: {a: {image: 'x:1'}, b: {image: 'y@sha256:00'}, c: {image: 'z', build: .}}")
    assert [re.search("runs (.*),", gap.seen)[1] for gap in image_gaps(compose)] == ["x:1"]
    own = request.config.rootpath / "docker-compose.yml"
    assert {gap.seen.split()[0] for gap in image_gaps(own)} <= {"kafka", "clickhouse", "grafana"}
    compose.write_text("nothing")
    with pytest.raises(ValueError, match="is no Compose file"):
        list(image_gaps(compose))


def test_the_command_says_all_of_it_and_ends_with_1(kafka_settings, tmp_path):
    """A broker without rules and a topic kept for ever stand open beside the rest, as lines and as JSON."""
    windows = kafka_settings.topic("windows.v1")
    with admin(kafka_settings) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, windows, configs={"retention.ms": "-1"})])
    wait_until(lambda: "topic retention" in [gap.check for gap in kafka_gaps(kafka_settings)])  # the broker hears of it
    environment = {
        "WATCHKEEPER_KAFKA": kafka_settings.kafka,
        "WATCHKEEPER_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "WATCHKEEPER_DATA_DIR": str(tmp_path),
    }
    said = CliRunner().invoke(app, ["doctor", "--production"], env=environment)
    assert said.exit_code == 1
    lines = said.stdout.splitlines()
    assert {"kafka sasl", "kafka acl", "retention", "shared token"} <= {line.partition(":")[0] for line in lines}
    assert [line.partition(";")[0] for line in lines if line.startswith("topic")] == [
        f"topic retention: {windows} is kept for ever"
    ]
    as_json = CliRunner().invoke(app, ["doctor", "--production", "--json"], env=environment)
    assert [json.loads(line)["check"] for line in as_json.stdout.splitlines()] == [
        line.partition(":")[0] for line in lines
    ]


def test_a_broker_that_forgets_before_refused_records_are_gone_is_told(kafka_settings):
    """A broker remembers for a year what was sent again: enough for letters of 30 days, not for those of two years."""
    letters = kafka_settings.topic("dead-letters.v1")
    assert "kafka memory" not in [gap.check for gap in kafka_gaps(kafka_settings)]
    years = {"retention.ms": str(730 * 86_400_000)}
    with admin(kafka_settings) as client:
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, letters, configs=years)])
    wait_until(lambda: "kafka memory" in [gap.check for gap in kafka_gaps(kafka_settings)])  # the broker hears of it
    [said] = [str(gap) for gap in kafka_gaps(kafka_settings) if gap.check == "kafka memory"]
    assert "forgets after 365 days" in said
    assert "has them for 730; set offsets.retention.minutes=1051200" in said
