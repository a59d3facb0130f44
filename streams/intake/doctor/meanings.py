"""Numbers of another unit or scale than they are taken for."""

from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from schemas.traps import ANSWERS, ENOUGH, FASTEST, SHORTEST_MS
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import Look, Row

BEYOND_DOUBT: Final = 10 * FASTEST
"""The same of a few calls."""

SEVERE: Final = 0.3
"""Share of level 4 among findings with a severity from which the scale is not ours."""


def seconds(look: Look) -> Iterator[Complaint]:
    """Yield durations that look like seconds: answers of that many tokens take longer."""
    timed = [
        call for call in look.calls if _number(call, "duration_ms") and call.get("operation_name") in (*ANSWERS, None)
    ]
    rates = [
        1_000 * tokens / duration
        for call in timed
        if (tokens := _number(call, "usage_output_tokens")) and (duration := _number(call, "duration_ms"))
    ]
    durations = [float(call["duration_ms"]) for call in timed]
    if rates and median(rates) > (FASTEST if len(rates) >= ENOUGH else BEYOND_DOUBT):
        seen = f"the median call makes {median(rates):,.0f} tokens a second"
    elif len(durations) >= ENOUGH and not rates and median(durations) < SHORTEST_MS:
        seen = f"the median call takes {median(durations):.2f} ms"
    else:
        return
    yield Complaint("durations", look.service, seen, "duration_ms is in milliseconds; multiply seconds by 1000")


def severities(look: Look) -> Iterator[Complaint]:
    """Yield a scale of severities that is not ours: 4 is critical here, and pages."""
    found = [
        (verdict.get("guard_name"), str(finding.get("native_taxonomy") or ""), level)
        for verdict in look.verdicts
        for finding in verdict.get("findings") or ()
        if isinstance(finding, dict) and (level := _number(finding, "severity"))
    ]
    for guard in sorted({str(name) for name, _, _ in found}):
        levels = [level for name, _, level in found if str(name) == guard]
        azure = any(
            "azure" in taxonomy.lower() or "azure" in guard.lower() for name, taxonomy, _ in found if str(name) == guard
        )
        critical = sum(level == 4 for level in levels)
        even = azure and all(level % 2 == 0 for level in levels)
        if critical and (even or (len(levels) >= ENOUGH and critical > SEVERE * len(levels))):
            seen = f"{share(critical, len(levels))} findings of guard {guard!r} have severity 4"
            seen += ", and all of them are even, as on Azure's scale of 0, 2, 4, 6" if even else ""
            advice = "ours goes from 0 to 4 and 4 pages; map the guard's levels (`schemas.vendors` does for known ones)"
            yield Complaint("severities", look.service, seen, advice)


def tokens(look: Look) -> Iterator[Complaint]:
    """Yield token counts that leave out what ours include: cached input, reasoning output."""
    for parts, whole, what in (
        (_CACHED, "usage_input_tokens", "input tokens include those read from the cache and written to it"),
        (_THOUGHT, "usage_output_tokens", "output tokens include those of reasoning"),
    ):
        both = [call for call in look.calls if _sum(call, parts) and call.get(whole) is not None]
        wrong = sum(_sum(call, parts) > (_number(call, whole) or 0) for call in both)
        if wrong:
            seen = f"{share(wrong, len(both))} calls have more {' and '.join(parts)} than {whole}"
            yield Complaint("tokens", look.service, seen, f"{what}; add them before sending")


_CACHED: Final = ("usage_cache_read_input_tokens", "usage_cache_write_input_tokens")
_THOUGHT: Final = ("usage_reasoning_output_tokens",)


def _sum(row: Row, names: tuple[str, ...]) -> float:
    return sum(_number(row, name) or 0 for name in names)


def _number(row: Row, name: str) -> float | None:
    value: Any = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
