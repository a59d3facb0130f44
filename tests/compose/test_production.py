"""The Compose file of production: nothing stands open by its settings, and a broker with them keeps to its rules."""

import copy
import json

import pytest
import yaml
from kafka import KafkaProducer
from kafka.errors import TopicAuthorizationFailedError

from schemas.topics import INFERENCE, OTLP_SPANS, TOPICS
from streams.access.principals import create, tokens_file
from streams.access.rights import WORKERS, of_workers, rules
from streams.access.secrets import JAAS_FILE, PRODUCTION, SECRETS, USERS_FILE, write_secrets
from streams.kafka.rules import apply
from streams.kafka.topics import client_arguments, create_topics
from streams.local import broker
from streams.local.broker import Broker
from streams.local.ports import free_port
from streams.policy.policy import load_policy
from streams.production.asked import kafka_gaps
from streams.production.lying import file_gaps, image_gaps, token_gaps
from streams.production.named import gaps
from streams.settings import load
from tests.compose.json_schema import problems
from tests.compose.parts import COMPOSE, ROOT, mounts_of, secrets_of, xml_of
from tests.support.authority import DAY, Authority

FILE = ROOT / "compose/production.yml"
OVER = yaml.safe_load(FILE.read_text())
PARTS = ("tls_ca.crt", "tls_kafka.pem", "tls_clickhouse.pem", "tls_watchkeeper.pem")
REPLACED = ("command", "test")
HANDED = "/run/secrets"


def laid_over(one, other):
    """Return what Compose makes of two files: mappings are merged, lists are one after the other, commands replaced."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: laid_over(one[key], other[key]) for key in one.keys() & other.keys() - set(REPLACED)}
        return one | other | both
    return [*one, *(each for each in other if each not in one)] if isinstance(one, list) else other


WHOLE = laid_over(copy.deepcopy(COMPOSE), OVER)
SERVICES = {name: service for name, service in WHOLE["services"].items() if name != "demo"}
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}


@pytest.fixture
def installed(tmp_path):
    """The folder of secrets as the command makes it, with certificates of an authority, and a policy beside it."""
    folder = tmp_path / "secrets"
    write_secrets(folder, production=True)
    authority = Authority(tmp_path / "authority")
    (folder / "tls_ca.crt").write_text(authority.file.read_text())
    for name in PARTS[1:]:
        certificate, key = authority.signed(name.removesuffix(".pem"), ends=100 * DAY)
        (folder / name).write_text(key.read_text() + certificate.read_text())
    (tmp_path / "policy.yaml").write_text("retention: {}\n")
    return tmp_path


def settings_of(name, installed, monkeypatch, **changed):
    """Return the settings that a service of ours has, its secrets and its files in a folder of the test."""
    service, folder = OURS[name], installed / f"of-{name}"
    folder.mkdir(mode=0o700)
    for path, source in secrets_of(service).items():
        (folder / path.removeprefix(f"{HANDED}/")).write_text((installed / "secrets" / source).read_text())
        (folder / path.removeprefix(f"{HANDED}/")).chmod(0o600)
    for variable, value in service["environment"].items():
        here = str(value).replace(HANDED, str(folder)).replace("/etc/watchkeeper", str(installed))
        monkeypatch.setenv(variable, here)
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(installed / "data"))
    return load(**changed)


def test_both_files_together_fit_the_specification():
    """Also the one that is laid over the other; what is named is declared, each secret is made or asked for."""
    schema = json.loads((ROOT / "tests/compose/compose-spec.json").read_text())
    assert [problems(schema, each) for each in (OVER, WHOLE)] == [[], []]
    used = {source for service in SERVICES.values() for source in secrets_of(service).values()}
    assert used == set(WHOLE["secrets"]) == {*SECRETS, *PRODUCTION, USERS_FILE, JAAS_FILE, *PARTS}
    sources = [source for service in SERVICES.values() for source in mounts_of(service).values() if source[0] == "."]
    assert [source for source in sources if source != "./policy.yaml" and not (ROOT / source).exists()] == []
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_each_part_is_closed(name):
    """No service may write to its root, has a capability, may gain one, takes any memory, or is root."""
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert name == "kafka" or not service["user"].startswith("0")  # the image of Kafka has a user of its own
    assert "build" in service or "@sha256:" in service["image"]


def test_the_doctor_finds_nothing_open(installed, monkeypatch):
    """By the settings of the installation, its policy, its files and its images; where Kafka answers, see below."""
    settings = settings_of("doctor", installed, monkeypatch)
    create(tokens_file(settings), "kim", ("responder",), 3_600)
    assert settings.policy == installed / "policy.yaml"
    found = [
        *gaps(settings, load_policy(settings.policy)),
        *file_gaps(settings),
        *token_gaps(settings),
        *image_gaps(FILE),
    ]
    assert [str(each) for each in found] == []
    assert [each.check for each in image_gaps(ROOT / "docker-compose.yml")] == ["unpinned image"] * 3
    tokens_file(settings).unlink()
    assert [each.check for each in token_gaps(settings)] == ["shared token"]


@pytest.mark.parametrize("name", [name for name in OURS if name in WORKERS])
def test_each_worker_is_itself_and_has_no_more_than_it_needs(name, installed, monkeypatch):
    """Its own user and password at Kafka, TLS at its ports; what stands open for it are keys that it is not given."""
    settings = settings_of(name, installed, monkeypatch)
    assert f"User:{settings.kafka_username}" in of_workers(settings)[name]
    assert settings.kafka_password.get_secret_value() == (installed / "secrets" / f"kafka_{name}").read_text()
    open_here = {each.check for each in gaps(settings, load_policy(settings.policy))}
    assert open_here <= {"control key", "hash key", "otlp token", "store password"}


@pytest.mark.kafka
def test_the_broker_of_these_settings_asks_who_somebody_is(installed, monkeypatch):
    """The same Kafka, moved to loopback: the operator makes topics and rules, and nobody does what is not theirs."""
    given = SERVICES["kafka"]["environment"]
    settings = {name.removeprefix("KAFKA_").lower().replace("_", "."): str(value) for name, value in given.items()
                if name not in ("KAFKA_HEAP_OPTS", "KAFKA_OPTS")}  # fmt: skip
    port = free_port()
    settings |= {
        "listeners": f"CLIENTS://127.0.0.1:{port},INTERNAL://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller}}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{port},INTERNAL://127.0.0.1:{{port}}",
        "controller.quorum.voters": "1@127.0.0.1:{controller}", "log.dirs": "{data}",
        "listener.name.clients.ssl.keystore.location": str(installed / "secrets/tls_kafka.pem"),
    }  # fmt: skip
    monkeypatch.setattr(broker, "PROPERTIES", "".join(f"{name}={value}\n" for name, value in settings.items()))
    option = given["KAFKA_OPTS"].replace(HANDED, str(installed / "secrets"))
    own = Broker(installed / "kafka", environment={"JAVA_TOOL_OPTIONS": option})
    own.start()
    try:
        operator, history, receiver = (
            settings_of(name, installed, monkeypatch, kafka=f"127.0.0.1:{port}")
            for name in ("doctor", "history", "receiver")
        )
        assert len(create_topics(operator)) == len(TOPICS)
        assert apply(operator, rules(operator, of_workers(operator))) > len(TOPICS)
        assert [str(each) for each in kafka_gaps(operator)] == []
        assert (written(receiver, OTLP_SPANS), written(receiver, INFERENCE), written(history, OTLP_SPANS)) == (
            True, False, False,
        )  # fmt: skip
    finally:
        own.stop()


def written(settings, topic):
    """Tell whether the broker takes a record of somebody."""
    producer = KafkaProducer(**client_arguments(settings), enable_idempotence=False)
    try:
        producer.send(topic.name, value=b"{}").get(30)
    except TopicAuthorizationFailedError:
        return False
    finally:
        producer.close()
    return True


def test_the_server_has_no_port_without_tls():
    """The file takes the plain ports away, and Grafana and we ask at the one that is left."""
    root = xml_of(ROOT / "schemas/server/tls.xml")
    assert {each.tag for each in root if each.get("remove")} >= {"http_port", "tcp_port"}
    port = root.findtext("https_port")
    grafana = yaml.safe_load((ROOT / "schemas/server/grafana.yaml").read_text())["datasources"][0]["jsonData"]
    assert (str(grafana["port"]), grafana["secure"]) == (port, True)
    for service in OURS.values():
        assert f"@clickhouse:{port}?ca_cert=" in service["environment"]["WATCHKEEPER_CLICKHOUSE"]
