"""Contact points, filled in: what the file has as ``${NAME}`` is taken from settings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from dashboards.grafana.shapes import SECRETS, Item, Object

_NAME: Final = re.compile(r"\$\{(\w+)\}")


class ContactError(ValueError):
    """A contact point that would reach nobody; the message says what to set."""


def contact_items(points: Sequence[Object], values: Mapping[str, str]) -> list[Item]:
    """Return the receivers of contact points, as the API takes them: one by one.

    Parameters
    ----------
    points
        The contact points of the file.
    values
        Values by name. A receiver with a name that has none is left out.

    Raises
    ------
    ContactError
        Where nothing is left of a contact point.
    """
    items = {point["name"]: list(_filled(point, values)) for point in points}
    for point in points:
        if not items[point["name"]]:
            ways = " or ".join(" and ".join(_names(receiver["settings"])) for receiver in point["receivers"])
            raise ContactError(f"nobody would be told by the contact point {point['name']}: set {ways}")
    return [item for made in items.values() for item in made]


def _filled(point: Object, values: Mapping[str, str]) -> Iterator[Item]:
    for receiver in point["receivers"]:
        if all(values.get(name) for name in _names(receiver["settings"])):
            settings = {key: _fill(value, values) for key, value in receiver["settings"].items()}
            body = receiver | {"name": point["name"], "settings": settings, "disableResolveMessage": False}
            yield Item("contact point", receiver["uid"], body, secret=bool(SECRETS[receiver["type"]]))


def _names(settings: Mapping[str, Any]) -> list[str]:
    return [name for value in settings.values() if isinstance(value, str) for name in _NAME.findall(value)]


def _fill(value: Any, values: Mapping[str, str]) -> Any:
    return _NAME.sub(lambda match: values[match[1]], value) if isinstance(value, str) else value
