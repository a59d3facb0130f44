"""Numbers of another unit or scale than they are taken for."""

from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.fields import ENOUGH
from streams.intake.doctor.look import Look, Row

FASTEST: Final = 3_000.0
"""Output tokens a second of one call, beyond any model that is served: then the duration is in seconds."""

SHORTEST_MS: Final = 10.0
"""Median below which a model's answer of some length is not timed in milliseconds."""

SEVERE: Final = 0.3
"""Share of level 4 among findings with a severity from which the scale is not ours."""

GENERATES: Final = ("chat", "text_completion", "generate_content", None)


def seconds(look: Look) -> Iterator[Complaint]:
    """Yield durations that look like seconds: answers of that many tokens take longer."""
    timed = [call for call in look.calls if _number(call, "duration_ms") and call.get("operation_name") in GENERATES]
    rates = [
        1_000 * tokens / duration
        for call in timed
        if (tokens := _number(call, "usage_output_tokens")) and (duration := _number(call, "duration_ms"))
    ]
    durations = [float(call["duration_ms"]) for call in timed]
    if len(rates) >= ENOUGH and median(rates) > FASTEST:
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
    for part, whole, what in (
        ("usage_cache_read_input_tokens", "usage_input_tokens", "input tokens include those read from the cache"),
        ("usage_reasoning_output_tokens", "usage_output_tokens", "output tokens include those of reasoning"),
    ):
        both = [call for call in look.calls if _number(call, part) and call.get(whole) is not None]
        wrong = sum((_number(call, part) or 0) > (_number(call, whole) or 0) for call in both)
        if wrong:
            seen = f"{share(wrong, len(both))} calls have more {part} than {whole}"
            yield Complaint("tokens", look.service, seen, f"{what}; add them before sending")


def _number(row: Row, name: str) -> float | None:
    value: Any = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
