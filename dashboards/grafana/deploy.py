"""Read what is there, plan, write; or read, plan, and show what would be written."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards.generate import FOLDER
from dashboards.grafana.contacts import contact_items
from dashboards.grafana.plan import plan
from dashboards.grafana.server import Server
from dashboards.grafana.shapes import (
    Item,
    Object,
    Source,
    board_item,
    folder_items,
    group_item,
    policy_item,
    source_item,
)


@dataclass(frozen=True, slots=True)
class Files:
    """What is generated, as Python has it."""

    boards: list[Object]
    groups: list[Object]
    points: list[Object]
    routes: list[Object]


def read_files(folder: Path = FOLDER) -> Files:
    """Return the generated files."""
    alerting = {name: _yaml(folder / f"alerting/{name}.yaml") for name in ("rules", "contact-points", "policy")}
    return Files(
        boards=[json.loads(path.read_text()) for path in sorted((folder / "boards").glob("*.json"))],
        groups=alerting["rules"]["groups"],
        points=alerting["contact-points"]["contactPoints"],
        routes=alerting["policy"]["policies"][0]["routes"],
    )


def wanted(files: Files, source: Source, values: Mapping[str, str]) -> list[Item]:
    """Return everything that Grafana shall have, what others need first.

    Parameters
    ----------
    files
        What is generated.
    source
        Where Grafana finds the store.
    values
        What contact points are filled in with, by name.

    Raises
    ------
    ContactError
        Where a contact point would reach nobody.
    """
    return [
        *folder_items(),
        source_item(source),
        *map(board_item, files.boards),
        *contact_items(files.points, values),
        policy_item(files.routes),
        *map(group_item, files.groups),
    ]


def deploy(server: Server, items: list[Item], *, secrets: bool = False) -> Iterator[str]:
    """Bring Grafana to what is wanted, and yield a line for each thing that was changed.

    Parameters
    ----------
    server
        The Grafana.
    items
        What it shall have.
    secrets
        Send passwords, tokens and keys again, though Grafana cannot tell whether they differ.

    Raises
    ------
    GrafanaError, GrafanaUnavailableError
        Where a call fails. What was done stays; run it again.
    """
    server.check()
    for step in plan(items, server.read(items), secrets=secrets):
        server.apply(step)
        yield step.done()


def differences(server: Server, items: list[Item]) -> list[str]:
    """Return a unified diff for each thing that `deploy` would change; nothing is written."""
    server.check()
    return [step.diff() for step in plan(items, server.read(items))]


def _yaml(path: Path) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(path.read_text())
    return made
