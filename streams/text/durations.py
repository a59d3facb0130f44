"""Durations in words: the one place that decides how they are written."""

from streams.text.shares import NOT_KNOWN


def span(seconds: float | None) -> str:
    """Return a duration in its two largest units.

    >>> [span(seconds) for seconds in (None, 0.4, 75, 7500, 200000, -90)]
    ['not known', '0 s', '1 min 15 s', '2 h 5 min', '2 d 7 h', '-1 min 30 s']
    """
    if seconds is None:
        return NOT_KNOWN
    if seconds < 0:
        return f"-{span(-seconds)}"
    whole = int(seconds)
    for size, name, part, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // part} {smaller}"
    return f"{whole} s"
