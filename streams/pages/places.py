"""The geometry of the small plots of the console, whose template draws them in the colours of its pages."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from msgspec import Struct

from schemas.fields import NANO
from streams.pages.plots import Point
from streams.text.shares import figures

SPARK: Final = (120.0, 30.0)
BAR: Final = 120.0
LEFT, TOP, BOTTOM, WIDTH, HEIGHT = 58.0, 44.0, 24.0, 760.0, 240.0
DAY_NANO: Final = 86_400 * NANO


class Spark(Struct, frozen=True):
    """A day of a share: its lines between gaps, single points, and the strip of its normal range (top, height)."""

    lines: list[str]
    dots: list[tuple[float, float]]
    normal: tuple[float, float] | None


class Bar(Struct, frozen=True):
    """A value with its interval and objective, as places on a line of `BAR` units; None where there is none."""

    at: float
    lower: float
    upper: float
    objective: float | None


class Tick(NamedTuple):
    """A place on an axis with its text."""

    at: float
    text: str


class Moment(NamedTuple):
    """What is marked in a plot: when, in which words, and as what (`bad`, `good`, `change` or empty)."""

    at: int
    text: str
    kind: str = ""


class Flag(Struct, frozen=True):
    """A moment in its place: where, how high its text stands, on which side, and its words."""

    x: float
    y: float
    text: str
    kind: str
    anchor: str


class Rate(Struct, frozen=True):
    """A rate over time: its band and lines between gaps, what is normal, axes, moments, and what is shaded."""

    bands: list[str]
    lines: list[str]
    dots: list[tuple[float, float]]
    normal: float | None
    ceiling: float | None
    across: list[Tick]
    up: list[Tick]
    flags: list[Flag]
    shaded: list[tuple[float, float]]


def spark(values: Sequence[float | None], normal: tuple[float, float] | None) -> Spark:
    """Return a day of values, evenly spaced; None is a gap.

    >>> spark([0.0, 0.1, None, 0.1], (0.0, 0.05)).dots
    [(120.0, 3.0)]
    """
    width, height = SPARK
    top = max([value for value in values if value is not None] + [normal[1] if normal else 0, 1e-9])
    step = width / max(len(values) - 1, 1)
    runs = list(_runs([None if v is None else (i * step, _down(v, top, height)) for i, v in enumerate(values)]))
    strip = None if normal is None else (_down(normal[1], top, height), 0.0)
    if normal is not None and strip is not None:
        strip = strip[0] - 1, round(_down(normal[0], top, height) - strip[0] + 2, 1)
    return Spark([_text(run) for run in runs if len(run) > 1], [run[0] for run in runs if len(run) == 1], strip)


def bar(value: float, lower: float, upper: float, objective: float | None) -> Bar:
    """Return a share with its interval on a scale that holds its objective too.

    >>> bar(0.02, 0.01, 0.04, 0.02).objective
    60.0
    """
    scale = (BAR - 12) / max(upper, 2 * (objective or 0), 1e-9)
    at, low, high = (round(6 + each * scale, 1) for each in (value, lower, upper))
    return Bar(at, low, high, None if objective is None else round(6 + objective * scale, 1))


def rate(
    points: Sequence[Point], moments: Sequence[Moment] = (), ceiling: float | None = None,
    spans: Sequence[tuple[int, int]] = (),
) -> Rate | None:  # fmt: skip
    """Return a rate over time; None where there are fewer than two points.

    Parameters
    ----------
    points
        In order of time; the baseline of the last that has one is drawn as what is normal.
    moments
        What is marked; those outside of the points are left out.
    spans
        From and to, Unix nanoseconds: hours that are not trusted.
    """
    if len(points) < 2:
        return None
    first, last = points[0].at, points[-1].at
    normal = next((p.baseline for p in reversed(points) if p.baseline is not None), None)
    top, step = _scale(max(_most(points), normal or 0, 1e-4))

    def across(at: int) -> float:
        return round(LEFT + (at - first) / (last - first) * (WIDTH - LEFT - 12), 1)

    def up(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(value / top, 1)), 1)

    runs = list(_runs([None if p.rate is None else (across(p.at), up(p.rate)) for p in points]))
    inside = sorted(each for each in moments if first <= each.at <= last)
    return Rate(
        bands=list(_bands(points, across, up)),
        lines=[_text(run) for run in runs if len(run) > 1],
        dots=[run[0] for run in runs if len(run) == 1],
        normal=None if normal is None else up(normal),
        ceiling=None if ceiling is None or ceiling > top else up(ceiling),
        across=[Tick(across(at), moment(at, last - first)) for at in steps(first, last)],
        up=[Tick(up(step * n), f"{figures(100 * step * n, 3)} %") for n in range(round(top / step) + 1)],
        flags=list(_flags([(across(each.at), each) for each in inside])),
        shaded=[
            (across(max(start, first)), round(across(min(end, last)) - across(max(start, first)), 1))
            for start, end in spans
            if start < last and end > first
        ],
    )


def _most(points: Sequence[Point]) -> float:
    """Return what an axis has to hold: the bands too, but for those of few events that would flatten the line."""
    seen = [v for p in points for v in (p.upper, p.rate) if v is not None]
    return min(max(seen, default=0), 2 * max((p.rate for p in points if p.rate is not None), default=0))


def _bands(points: Sequence[Point], across: Callable[[int], float], up: Callable[[float], float]) -> Iterator[str]:
    whole = [(p.at, p.lower, p.upper) if p.lower is not None and p.upper is not None else None for p in points]
    high = _runs([None if each is None else (across(each[0]), up(each[2])) for each in whole])
    low = _runs([None if each is None else (across(each[0]), up(each[1])) for each in whole])
    for above, below in zip(high, low, strict=True):
        yield _text([*above, *reversed(below)])


def _flags(moments: Sequence[tuple[float, Moment]]) -> Iterator[Flag]:
    """Yield moments with their texts in rows, so that neighbours do not cover each other."""
    ends = [0.0, 0.0, 0.0]
    for x, each in moments:
        text = each.text if len(each.text) <= 26 else each.text[:25] + "…"
        length = 6.3 * len(text) + 10
        turned = x + length > WIDTH
        start = x - length if turned else x
        row = next((row for row, end in enumerate(ends) if start >= end), None)
        if row is None:
            yield Flag(x, TOP, "", each.kind, "start")
            continue
        ends[row] = start + length
        yield Flag(x, 11 + 13.0 * row, text, each.kind, "end" if turned else "start")


def _scale(most: float) -> tuple[float, float]:
    """Return the top of an axis that holds a value, and its step: one, two or five of a power of ten."""
    step = next(
        unit * 10.0**power for power in range(-7, 1) for unit in (1, 2, 2.5, 5) if 5 * unit * 10.0**power >= most
    )
    count = next(count for count in range(2, 6) if count * step >= most or count == 5)
    return step * count, step


def steps(first: int, last: int) -> list[int]:
    """Return the round moments between two, eight at most, all in Unix nanoseconds."""
    steps = (60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000)
    step = next((each * NANO for each in steps if (last - first) / (each * NANO) <= 8), steps[-1] * NANO)
    return list(range(-(-first // step) * step, last + 1, step))


def moment(at: int, length: int) -> str:
    """Return a moment as it stands at an axis of that length, both in nanoseconds."""
    form = "%H:%M" if length <= 2 * DAY_NANO else "%d %b" if length > 4 * DAY_NANO else "%d %b %H:%M"
    return datetime.fromtimestamp(at // NANO, UTC).strftime(form)


def _runs(places: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for place in [*places, None]:
        if place is not None:
            run.append((round(place[0], 1), round(place[1], 1)))
        elif run:
            yield run
            run = []


def _text(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def _down(value: float, top: float, height: float) -> float:
    return round(3 + (height - 6) * (1 - value / top), 1)
