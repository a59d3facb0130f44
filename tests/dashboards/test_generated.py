"""What is committed is what the code makes, and fits what stands around it."""

from pathlib import Path

import yaml

import dashboards
from dashboards.generate import FOLDER as GENERATED
from dashboards.generate import files
from dashboards.panels import TYPE, UID

FOLDER = Path(dashboards.__file__).parent
ROOT = FOLDER.parent


def test_the_committed_files_are_the_generated_ones():
    """`python -m dashboards` would change, add and remove nothing."""
    committed = {str(path.relative_to(GENERATED)): path.read_text() for path in GENERATED.rglob("*.*")}
    assert committed == files()


def test_the_provisioned_data_source_is_the_one_that_rules_and_variables_name():
    """Rules, the data source variable and provisioning agree."""
    [source] = yaml.safe_load((FOLDER / "provisioning/datasources/clickhouse.yaml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == (TYPE, UID)


def test_compose_mounts_what_exists_and_starts_what_there_is():
    """Every mounted path exists, only loopback ports are open, and the workers are those the command knows."""
    from streams.app import READS
    from streams.settings import Settings

    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    mounts = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    assert all((ROOT / mount).exists() for mount in mounts if mount.startswith("."))
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", []))
    workers = [service["command"][1] for service in services.values() if service.get("command", [""])[0] == "worker"]
    assert sorted(workers) == sorted(READS)
    named = {name.removeprefix("WATCHKEEPER_").lower() for name in services["watch"]["environment"]} - {"secrets"}
    assert named <= set(Settings.model_fields)
