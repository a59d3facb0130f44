"""Durations as people, Prometheus and Grafana write them: whole numbers with units, the larger ones first or not."""

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_PART: Final = re.compile(r"(\d{1,12})(ms|[smhdwy])", re.ASCII)

LONGEST_SECONDS: Final = 100 * _UNITS["y"]
"""From any time of ours on, a duration up to this one ends at a time that its 64 bits can hold."""


def seconds(duration: str) -> float:
    """Return a duration in seconds.

    Raises
    ------
    ValueError
        Where it is none, or longer than a hundred years.

    >>> seconds("1h30m"), seconds("24h") == seconds("1d"), seconds("500ms"), seconds("0s")
    (5400.0, True, 0.5, 0.0)
    >>> seconds("soon")
    Traceback (most recent call last):
    ...
    ValueError: 'soon' is no duration; write for example 30s, 15m, 1h30m or 7d
    """
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration; write for example 30s, 15m, 1h30m or 7d")
    total = float(sum(int(number) * _UNITS[unit] for number, unit in parts))
    if total > LONGEST_SECONDS:
        raise ValueError(f"{duration} is longer than 100y; write a shorter duration")
    return total
