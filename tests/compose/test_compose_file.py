"""The compose file says what the code, the configuration files and the provisioning files expect."""

import copy
import json
import shlex

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from streams.access.secrets import SECRETS, USERS_FILE
from streams.app import WORKERS as KINDS
from streams.commands.main import app
from streams.local.jars import ENDPOINT
from streams.settings import WORKER_PORTS, Settings, load
from tests.compose.json_schema import problems
from tests.compose.parts import (
    COMPOSE,
    OURS,
    ROOT,
    SERVICES,
    WORKERS,
    mounts_of,
    provisioned,
    secrets_of,
    variables,
    xml_of,
)

SCHEMA = json.loads((ROOT / "tests/compose/compose-spec.json").read_text())


def test_the_file_fits_the_compose_specification():
    """Every key and value is one that the specification knows."""
    assert problems(SCHEMA, COMPOSE) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "kafka", "memlimit"), "1g"),
        (("services", "kafka", "healthcheck", "retries"), True),
        (("services", "watch", "depends_on", "topics", "condition"), "service_done"),
        (("services", "watch", "cap_drop"), ["ALL", "ALL"]),
        (("services", "watch", "restart"), 3),
        (("networks", "data", "internl"), True),
        (("service",), {}),
    ],
)
def test_the_specification_refuses_what_is_wrong(path, value):
    """A misspelt key, a wrong type, an unknown value and a doubled item are all seen, each by its path."""
    changed = copy.deepcopy(COMPOSE)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    assert any(".".join(("$", *path)) in wrong for wrong in problems(SCHEMA, changed))


def test_names_that_services_use_are_declared():
    """Networks, volumes, secrets and dependencies exist, and none is declared in vain."""
    used = {"networks": set(), "volumes": set(), "secrets": set()}
    for service in SERVICES.values():
        used["networks"] |= set(service["networks"])
        used["volumes"] |= {source for source in mounts_of(service).values() if not source.startswith(".")}
        used["secrets"] |= set(secrets_of(service).values())
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert used == {name: set(COMPOSE[name]) for name in used}


def test_every_secret_is_one_that_the_command_writes():
    """`watchkeeper secrets secrets` writes exactly the files that the compose file names."""
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert files == {f"secrets/{name}" for name in (*SECRETS, USERS_FILE)}
    assert "secrets secrets" in (ROOT / "Makefile").read_text()


def test_mounted_files_exist():
    """Each path of this repository that a container gets is there."""
    sources = [source for service in SERVICES.values() for source in mounts_of(service).values()]
    assert [source for source in sources if source.startswith(".") and not (ROOT / source).exists()] == []


def test_only_grafana_the_api_and_otlp_are_reachable_on_loopback():
    """Three ports are published, for this machine alone; the network of Kafka and the store leads nowhere else."""
    published = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    api, otlp = (Settings.model_fields[name].default for name in ("api_port", "otlp_port"))
    assert published == {
        "grafana": ["127.0.0.1:3000:3000"],
        "incidents": [f"127.0.0.1:{api}:{api}"],
        "receiver": [f"127.0.0.1:{otlp}:{otlp}"],
    }
    assert COMPOSE["networks"]["data"]["internal"]
    assert {name for name, service in SERVICES.items() if "front" in service["networks"]} == set(published)


def test_all_workers_run():
    """There is one service for each kind of worker, started as that worker."""
    assert {name: service["command"] for name, service in WORKERS.items()} == {name: ["worker", name] for name in KINDS}


@pytest.mark.parametrize("name", OURS)
def test_a_command_parses(name):
    """What a container is started with is a command of ours with options that it has."""
    command, arguments = get_command(app), list(OURS[name]["command"])
    while arguments and hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context(name, arguments)


@pytest.mark.parametrize("name", OURS)
def test_the_environment_is_settings(name, tmp_path, monkeypatch):
    """Each variable is a setting with a value that it takes, and each secret of a worker is a setting of that name."""
    environment = dict(OURS[name]["environment"])
    assert environment.pop("WATCHKEEPER_SECRETS") == "/run/secrets"
    for path in secrets_of(OURS[name]):
        (tmp_path / path.removeprefix("/run/secrets/")).write_text("s3cret")
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    for variable, value in environment.items():
        assert variable.removeprefix("WATCHKEEPER_").lower() in Settings.model_fields
        monkeypatch.setenv(variable, str(value))
    settings = load()
    for path in secrets_of(OURS[name]):
        field = path.removeprefix("/run/secrets/watchkeeper_")
        assert getattr(settings, field).get_secret_value() == "s3cret"
    brokers, stores = f"kafka:{_kafka_port()}", "@clickhouse:8123"
    assert settings.kafka == brokers
    assert settings.clickhouse.endswith(stores)


def _kafka_port():
    return SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].rsplit(":", 1)[1]


def test_health_is_asked_at_the_port_of_each_worker():
    """The health check of a worker asks the port that this kind of worker answers at."""
    asked = {name: service["healthcheck"]["test"][1:] for name, service in WORKERS.items()}
    assert asked == {name: ["python", "-m", "streams.worker.healthcheck", str(WORKER_PORTS[name])] for name in KINDS}
    otlp = str(Settings.model_fields["otlp_port"].default)
    assert SERVICES["receiver"]["healthcheck"]["test"][1:] == ["python", "-m", "streams.worker.healthcheck", otlp]
    assert not any("WATCHKEEPER_PORT" in service["environment"] for service in WORKERS.values())


def test_every_long_lived_service_has_limits():
    """What stays up restarts, has a memory limit, a health check and bounded logs; one-shot services end."""
    for name, service in SERVICES.items():
        assert service["mem_limit"]
        assert service["logging"]["options"]["max-size"]
        if name in ("topics", "tables", "demo"):
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"]["test"]


def test_our_containers_may_do_little():
    """Our own image runs without root, without capabilities, and with nothing to write to but /tmp and its data folder.

    What a worker had in work when it died outlives its container; what ends after its work keeps nothing.
    """
    for service in OURS.values():
        assert service["user"].split(":")[0] != "0"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        data = service["environment"]["WATCHKEEPER_DATA_DIR"]
        stays = service["restart"] != "no"
        assert [entry.split(":")[0] for entry in service["tmpfs"]] == (["/tmp"] if stays else ["/tmp", data])
        assert mounts_of(service) == ({data: "workers"} if stays else {})
    assert "-o 10001 -g 10001 -m 0700 /data" in (ROOT / "Dockerfile").read_text()


def test_images_are_pinned():
    """Nothing is `latest`; broker and engine are those of the tests, our image has our version, the plugin its own."""
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert all(":" in image and not image.endswith("latest") for image in images.values())
    assert images["kafka"].split(":")[1] == ENDPOINT.split("+")[0].rsplit(":", 1)[1]
    assert f"chdb-core=={images['clickhouse'].split(':')[1]}." in (ROOT / "requirements-dev.txt").read_text()
    assert f'version = "{images["watch"].split(":")[1]}"' in (ROOT / "pyproject.toml").read_text()
    assert "@" in SERVICES["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]


def test_grafana_has_what_its_files_ask_for():
    """Each variable and secret file of the provisioning files is given to the container, and its plugin installed."""
    grafana = SERVICES["grafana"]
    for text in provisioned().values():
        names, files = variables(text)
        assert names <= set(grafana["environment"])
        assert files <= set(secrets_of(grafana))
    assert grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] in secrets_of(grafana)
    [source] = yaml.safe_load((ROOT / "dashboards/provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    assert grafana["environment"]["GF_PLUGINS_PREINSTALL_SYNC"].split("@")[0] == source["type"]
    assert source["jsonData"]["host"] in SERVICES
    assert source["jsonData"]["defaultDatabase"] == Settings.model_fields["clickhouse_database"].default


def test_grafana_finds_its_files_where_they_are_mounted():
    """The provider reads a mounted folder, and each provisioned kind lies where Grafana looks for it."""
    mounts = mounts_of(SERVICES["grafana"])
    alerting = {"rules": "generated", "policy": "generated", "contact-points": "provisioning"}
    for name, folder in alerting.items():
        file = f"alerting/{name}.yaml"
        assert mounts[f"/etc/grafana/provisioning/{file}"] == f"./dashboards/{folder}/{file}"
    for kind in ("datasources", "dashboards"):
        assert mounts[f"/etc/grafana/provisioning/{kind}"] == f"./dashboards/provisioning/{kind}"
    for text in provisioned().values():
        for provider in yaml.safe_load(text).get("providers", []):
            path = provider["options"]["path"]
            assert any(path == mount or path.startswith(f"{mount}/") for mount in mounts)


def test_grafana_tells_the_api_of_the_incidents_worker():
    """The address of its contact points is the service, port and path that the API listens at, with the API's token."""
    points = yaml.safe_load((ROOT / "dashboards/provisioning/alerting/contact-points.yaml").read_text())
    for receiver in (receiver for point in points["contactPoints"] for receiver in point["receivers"]):
        told, port = receiver["settings"], Settings.model_fields["api_port"].default
        assert told["url"] == f"http://incidents:{port}/alerts"
        assert set(SERVICES["grafana"]["networks"]) & set(SERVICES["incidents"]["networks"])
        [token] = variables(told["authorization_credentials"])[1]
        assert secrets_of(SERVICES["grafana"])[token] == secrets_of(SERVICES["incidents"])[token]


def test_the_users_of_the_server_are_those_that_log_in():
    """The server's files define the user of our own address and the one of Grafana's data source, and no more."""
    users = {user.tag for user in xml_of(ROOT / "schemas/server/users.xml").find("users")}
    [source] = yaml.safe_load((ROOT / "dashboards/provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    ours = {service["environment"]["WATCHKEEPER_CLICKHOUSE"].split("//")[1].split("@")[0] for service in OURS.values()}
    assert users == {"default", source["jsonData"]["username"], *ours}


def test_the_server_keeps_less_than_its_container():
    """The cap on the server's memory is below the limit of its container, and each log table ends or is left out."""
    config = xml_of(ROOT / "schemas/server/config.xml")
    assert int(config.findtext("max_server_memory_usage")) < int(SERVICES["clickhouse"]["mem_limit"][:-1]) * 2**30
    for table in (item for item in config if item.tag.endswith("_log")):
        assert table.get("remove") or "INTERVAL" in table.findtext("ttl")


def test_the_server_has_the_bounds_of_the_embedded_engine():
    """What both bound has one value, but for marks: a server reads more of them."""
    server, embedded = (xml_of(ROOT / name) for name in ("schemas/server/config.xml", "streams/sql/engine.xml"))
    bounds = {item.tag: item.text for item in embedded.iter() if item.tag != "mark_cache_size" and not len(item)}
    same = [item for item in server.iter() if item.tag in bounds]
    assert [item.text for item in same] == [bounds[item.tag] for item in same]
    assert len(same) == 4


def test_the_first_command_is_one_of_ours():
    """`make secrets` calls a command that there is."""
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "watchkeeper secrets" in line)
    assert CliRunner().invoke(app, [*shlex.split(line)[1:2], "--help"]).exit_code == 0
