"""The committed files in the shapes of Grafana's HTTP API, and what of an object can be compared.

The files have the shape of Grafana's provisioning from disk, which differs from that of its API in names
(``keepFiringFor``, ``keep_firing_for``), in durations (text, seconds) and in what a folder is called by (title, uid).
Grafana adds to what it stores, writes durations its own way, and hides secrets. So two things are held against each
other by their *facts*: a plain form with durations in seconds and secrets masked, of which only what we set counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.alerting import FOLDER as ALERTS_TITLE
from dashboards.panels import TYPE, UID
from schemas.durations import seconds

Object = dict[str, Any]

PREFIX: Final = "watchkeeper-"
BOARDS_FOLDER: Final = "watchkeeper-boards"
ALERTS_FOLDER: Final = "watchkeeper-alerts"
FOLDERS: Final = {BOARDS_FOLDER: "Watchkeeper", ALERTS_FOLDER: ALERTS_TITLE}
"""Titles of our folders by their uids."""

POLICY: Final = "routes"
OURS: Final = ["source", "=", "watchkeeper"]
"""The matcher by which a route is ours: every rule carries this label."""

REDACTED: Final = "[REDACTED]"
SECRETS: Final = {
    "webhook": ("authorization_credentials",),
    "pagerduty": ("integrationKey",),
    "slack": ("url",),
    "email": (),
}
"""Settings of receivers that Grafana does not give back, by type."""

_NEWER: Final = ("keep_firing_for", "missingSeriesEvalsToResolve")
"""What an older Grafana does not know, and does not give back."""
_UNSET: Final = ("notification_settings", "record")
"""What must stay unset in a rule of ours: somebody may have sent its notices elsewhere."""
_SILENCING: Final = ("continue", "mute_time_intervals", "active_time_intervals", "routes")
"""What must stay unset in a route of ours: somebody may have muted it."""
_DURATIONS: Final = ("for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that Grafana shall have: what is sent, and whether it holds a secret."""

    kind: str
    uid: str
    body: Object
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where Grafana finds ClickHouse's HTTP interface, and as whom it asks."""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    database: str
    authority: str = ""
    """Certificate (PEM) by which Grafana knows it; its system's own when empty."""


def folder_items() -> list[Item]:
    """Return the folders of boards and of rules; their titles differ, see `dashboards.alerting`."""
    return [Item("folder", uid, {"uid": uid, "title": title}) for uid, title in FOLDERS.items()]


def source_item(source: Source) -> Item:
    """Return the data source that rules and boards name."""
    hidden = {"password": source.password, "tlsCACert": source.authority}
    given = {name: value for name, value in hidden.items() if value}
    body: Object = {
        "uid": UID,
        "name": "Watchkeeper",
        "type": TYPE,
        "access": "proxy",
        "jsonData": {
            "host": source.host,
            "port": source.port,
            "protocol": "http",
            "secure": source.secure,
            "username": source.user,
            "defaultDatabase": source.database,
            "queryTimeout": "20",
            **({"tlsAuthWithCACert": True} if source.authority else {}),
        },
    }
    if not given:
        return Item("data source", UID, body)
    return Item("data source", UID, body | {"secureJsonData": given}, secret=True)


def board_item(board: Object) -> Item:
    """Return a board as it is saved: Grafana counts versions itself, and raises the schema as it likes."""
    body = {
        "dashboard": {key: value for key, value in board.items() if key != "version"},
        "folderUid": BOARDS_FOLDER,
        "overwrite": True,
        "message": "watchkeeper grafana deploy",
    }
    return Item("board", board["uid"], body)


def group_item(group: Object) -> Item:
    """Return a rule group of the file as the API takes it."""
    body = {
        "title": group["name"],
        "folderUid": ALERTS_FOLDER,
        "interval": int(seconds(group["interval"])),
        "rules": [rule_body(rule, group) for rule in group["rules"]],
    }
    return Item("rule group", group["name"], body)


def rule_body(rule: Object, group: Object) -> Object:
    """Return a rule of the file as the API takes it.

    The board and panel of a rule have no field there; its annotations ``__dashboardUid__`` and ``__panelId__`` say it.
    """
    renamed = {"keepFiringFor": "keep_firing_for", "missing_series_evals_to_resolve": "missingSeriesEvalsToResolve"}
    left_out = ("dashboardUid", "panelId")
    body = {renamed.get(key, key): value for key, value in rule.items() if key not in left_out}
    return body | {"folderUID": ALERTS_FOLDER, "ruleGroup": group["name"], "orgID": group["orgId"]}


def policy_item(routes: Sequence[Object]) -> Item:
    """Return our routes; the root of the tree is nobody's but the organisation's."""
    return Item("policy", POLICY, {"routes": list(routes)})


def facts(kind: str, found: Object) -> Object:
    """Return what of an object, sent or found, can be compared; secrets are masked.

    Not seen: another password, token, key or Slack address in the place of ours.
    """
    if kind == "rule group":
        rules = {rule["uid"]: _rule_facts(rule) for rule in found["rules"] if rule["uid"].startswith(PREFIX)}
        return {"interval": found["interval"], "rules": rules}
    if kind == "policy":
        return {"routes": [_route_facts(route) for route in found.get("routes") or [] if is_ours(route)]}
    return {"data source": _source_facts, "board": _board_facts, "contact point": _point_facts}.get(kind, dict)(found)


def is_ours(route: Object) -> bool:
    """Return whether a route is for the alerts of our rules."""
    return OURS in [list(matcher) for matcher in route.get("object_matchers") or []]


def seen(wanted: Any, found: Any) -> Any:
    """Return what is found, as far as it is wanted to be something: what Grafana added is not looked at.

    >>> seen({"a": 1, "b": None}, {"a": 2, "id": 7})
    {'a': 2, 'b': None}
    """
    if wanted == found or (_nothing(wanted) and _nothing(found)):
        return wanted
    if isinstance(wanted, dict) and isinstance(found, dict):
        absent = {key: wanted[key] for key in _NEWER if key in wanted and key not in found}
        return {key: seen(value, found.get(key)) for key, value in wanted.items()} | absent
    if isinstance(wanted, list) and isinstance(found, list):
        own = [item for item in found if not (isinstance(item, dict) and item.get("builtIn"))]
        return [seen(*pair) for pair in zip(wanted, own, strict=True)] if len(wanted) == len(own) else own
    return found


def _nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _in_seconds(found: Object) -> Object:
    return {key: seconds(value) if key in _DURATIONS else value for key, value in found.items()}


def _rule_facts(rule: Object) -> Object:
    return dict.fromkeys(_UNSET) | {key: value for key, value in _in_seconds(rule).items() if key != "orgID"}


def _route_facts(route: Object) -> Object:
    matchers = sorted(list(matcher) for matcher in route["object_matchers"])
    return dict.fromkeys(_SILENCING) | _in_seconds(route) | {"object_matchers": matchers}


def _source_facts(source: Object) -> Object:
    made = {key: source.get(key) for key in ("name", "type", "access", "jsonData")}
    secret = (source.get("secureJsonFields") or source.get("secureJsonData") or {}).get("password")
    return made | ({"password": REDACTED} if secret else {})


def _board_facts(board: Object) -> Object:
    model = {key: value for key, value in board["dashboard"].items() if key not in ("id", "version", "schemaVersion")}
    return {"folderUid": board["folderUid"], "dashboard": model}


def _point_facts(point: Object) -> Object:
    hidden = SECRETS.get(point["type"], ())
    settings: Mapping[str, Any] = point["settings"]
    masked = {key: REDACTED if key in hidden and value else value for key, value in settings.items()}
    return {"name": point["name"], "type": point["type"], "disableResolveMessage": False, "settings": masked} | {
        key: point[key] for key in ("disableResolveMessage",) if key in point
    }
