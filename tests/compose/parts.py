"""The compose file and what belongs to it, as the tests read them."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
WORKERS = {name: service for name, service in OURS.items() if service["command"][0] == "worker"}


def secrets_of(service):
    """Return the path of each secret in the container, and the name of its source."""
    found = {}
    for secret in service.get("secrets", []):
        source, target = (secret, secret) if isinstance(secret, str) else (secret["source"], secret["target"])
        found[target if target.startswith("/") else f"/run/secrets/{target}"] = source
    return found


def mounts_of(service):
    """Return where each bind mount or volume is in the container, and its source."""
    return {volume.split(":")[1]: volume.split(":")[0] for volume in service.get("volumes", [])}


def provisioned():
    """Return the text of every file that Grafana provisions itself from."""
    return {file: file.read_text() for file in sorted((ROOT / "dashboards/provisioning").rglob("*.yaml"))}


def variables(text):
    """Return the names of environment variables and the paths of files that a provisioning file asks for."""
    files = set(re.findall(r"\$__file\{([^}]+)\}", text))
    return set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)\}?", text)) | set(re.findall(r"\$__env\{([^}]+)\}", text)), files


def xml_of(file):
    """Return the root element of one of our own XML files."""
    return ET.parse(file).getroot()  # noqa: S314
