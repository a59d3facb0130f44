"""Plots as SVG that stands in a page: no network, no display, no configuration of the user's.

Texts and axes take the colour of the page around them (`currentColor`), so that light and dark mode both work. No
name from outside is drawn: those stand in the HTML, where they are escaped.
"""

import atexit
import functools
import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from msgspec import Struct

INK: Final = "#123456"
"""Stands for the colour of the text until the SVG is written."""
RATE: Final = "#3b82f6"
BASE: Final = "#10a37f"
SHADE: Final = "#e5484d"


class Point(Struct, frozen=True):
    """A value at a time in Unix nanoseconds, its 95 per cent interval, and what is normal; None is a gap."""

    at: int
    rate: float | None = None
    lower: float | None = None
    upper: float | None = None
    baseline: float | None = None


class Mark(NamedTuple):
    """A moment that is marked in a plot."""

    at: int
    text: str


def plot(
    points: Sequence[Point],
    marks: Sequence[Mark] = (),
    spans: Sequence[tuple[int, int]] = (),
    *,
    percent: bool = True,
) -> str:
    """Return a value with its interval and baseline over time, as an SVG element.

    Parameters
    ----------
    points
        In order of time; a point without a value is a gap.
    marks
        Vertical lines, numbered in their order; the page says what the numbers mean.
    spans
        From and to, Unix nanoseconds: shaded, as incidents are, and hours that are not trusted.
    percent
        The values are shares; else the axis has plain numbers.
    """
    figure, axes = _figure(percent=percent)
    times = [_time(point.at) for point in points]
    axes.fill_between(times, _column(points, "lower"), _column(points, "upper"), color=RATE, alpha=0.25, linewidth=0)
    axes.plot(times, _column(points, "rate"), color=RATE, linewidth=1.4, marker="." if len(points) < 50 else "")
    axes.plot(times, _column(points, "baseline"), color=BASE, linewidth=1.2, linestyle="--")
    for start, end in spans:
        axes.axvspan(_time(start), _time(end), color=SHADE, alpha=0.2, linewidth=0)
    for number, mark in enumerate(marks, start=1):
        axes.axvline(_time(mark.at), color=INK, linewidth=1, linestyle=":")
        top = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom", "color": INK}
        axes.annotate(str(number), (_time(mark.at), 1), **top)
    known = [value for point in points for value in (point.rate, point.lower) if value is not None]
    if min(known, default=0) >= 0:  # an overspent budget is below
        axes.set_ylim(bottom=0)
    return _svg(figure)


def _figure(*, percent: bool) -> tuple[Any, Any]:
    figure = _matplotlib().Figure(figsize=(8, 2.6), layout="constrained")
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import PercentFormatter

    axes = figure.subplots()
    locator = AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(colors=INK, labelcolor=INK)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(INK)
    return figure, axes


@functools.cache
def _matplotlib() -> Any:
    """Import matplotlib with a folder for its caches that is nobody's; it is slow, and most commands need none."""
    if "MPLCONFIGDIR" not in os.environ:
        os.environ["MPLCONFIGDIR"] = folder = tempfile.mkdtemp(prefix="watchkeeper-plots-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    import matplotlib.figure

    matplotlib.rcdefaults()  # whatever a matplotlibrc here or elsewhere says
    return matplotlib.figure


def _svg(figure: Any) -> str:
    """Return a figure as an SVG element, the same for the same figure."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    FigureCanvasSVG(figure)
    out = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "watchkeeper"}):
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    text = out.getvalue()
    return text[text.index("<svg") :].replace(INK, "currentColor")


def _column(points: Sequence[Point], name: str) -> list[float]:
    values = (getattr(point, name) for point in points)
    return [float("nan") if value is None else value for value in values]


def _time(unix_nano: int) -> datetime:
    return datetime.fromtimestamp(unix_nano / 1e9, UTC)
