"""A finding in words, and the query that shows it again from the stored windows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from detectors.base import Alarm, Recovery
from detectors.distributions.mixes import Swing
from detectors.distributions.quantities import Shift
from schemas.fields import NANO
from schemas.metrics import Rate
from schemas.quantities import AGENT_MIXES, Quantity
from schemas.sql import literal
from schemas.vocabulary import AROUND_STEPS, TOOL_STEPS
from streams.text.shares import interval, percent, tenths

MOST_OF_A_NAME: Final = 100
NEXT_TO_NOTHING: Final = 0.0005
"""A share below it is that of something new."""

DAY_NANO: Final = 86_400 * NANO


class Member(NamedTuple):
    """A service of a pool: trials and flags since a change, and how many flags are usual of them."""

    service: str
    trials: float
    flagged: float
    expected: float


class Move(NamedTuple):
    """The share of a name before a change and since, 0 to 1."""

    name: str
    before: float
    now: float

    def __str__(self) -> str:
        return f"{self.name[:MOST_OF_A_NAME]} {percent(self.before)} → {percent(self.now)}"


def describe_alarm(alarm: Alarm, rate: Rate, service: str, tick_seconds: int) -> str:
    """Return one sentence for a person who was just woken."""
    bound = "at most" if alarm.direction == "up" else "at least"
    counted = f"{alarm.flagged} of {alarm.trials} {unit_of(rate)}"
    return (
        f"{rate.name} of {service} is {tenths(alarm.rate)} "
        f"(95 % interval {interval(alarm.lower, alarm.upper, tenths)}, {counted}) "
        f"since about {moment(alarm.onset_tick, tick_seconds)}; normal is {bound} {tenths(alarm.baseline)}"
    )


def describe_shift(
    shift: Shift, service: str, quantity: Quantity, median: float, before: float, tick_seconds: int
) -> str:
    """Return one sentence about a quantity that is distributed differently, or as before again."""
    if shift.back:
        return f"{quantity.name} of {service} is distributed as before again"
    moved = {"up": "went up", "down": "went down", "wider": "scatters more"}[shift.direction]
    return (
        f"{quantity.name} of {service} {moved}: median about {median:.3g} {quantity.unit} over {shift.events} events "
        f"since about {moment(shift.onset_tick, tick_seconds)}, before that {before:.3g}"
    )


def describe_swing(swing: Swing, service: str, mix: str, name: str, tick_seconds: int) -> str:
    """Return one sentence about a share that has risen, or is as before again."""
    if swing.back:
        return f"{mix} of {service}: the share of {name} is as before again"
    what = f"{name} is new" if swing.slot == 0 else f"the share of {name} is about {swing.times:.0f} times what it was"
    since = moment(swing.onset_tick, tick_seconds)
    return f"{mix} of {service}: {what} since about {since}; before that it was {percent(swing.before)}"


def describe_behaviour(moves: Sequence[Move], who: str, mix: str, since: str) -> str:
    """Return one sentence about what an agent does otherwise than before.

    Parameters
    ----------
    moves
        The shares that have changed most, those that grew before those that fell, each the most telling first.
    since
        Since about when.
    """
    grew = [f"{'new: ' if move.before < NEXT_TO_NOTHING else ''}{move}" for move in moves if move.now > move.before]
    fell = [f"less: {move}" for move in moves if move.now < move.before]
    return f"{mix} of {who} has changed since about {since}: {'; '.join([*grew, *fell])}"


def whose(service: str, agent: str = "") -> str:
    """Return an agent and its service in words, or the service alone."""
    return f"{agent} of {service}" if agent else service


def moment(tick: int, tick_seconds: int) -> str:
    """Return the start of a tick as people read it."""
    return f"{datetime.fromtimestamp(tick * tick_seconds, UTC):%Y-%m-%d %H:%M} UTC"


def unit_of(rate: Rate) -> str:
    """Return what the trials of a rate are: sessions, or the steps of a trace.

    >>> from schemas.metrics import WATCHED
    >>> unit_of(WATCHED[0]), unit_of(WATCHED[-1])
    ('sessions', 'steps')
    """
    return rate.trials.partition(" ")[0]


def describe_recovery(recovery: Recovery, rate: Rate, service: str) -> str:
    """Return one sentence that says what proves the recovery."""
    bound = "at most" if recovery.direction == "down" else "at least"
    return (
        f"{rate.name} of {service} is back: {recovery.flagged} of {recovery.trials} {unit_of(rate)}, "
        f"{tenths(recovery.rate)} (95 % interval {interval(recovery.lower, recovery.upper, tenths)}); "
        f"normal is {bound} {tenths(recovery.baseline)}"
    )


def describe_pool(
    pool: tuple[str, str, str], onset: int, tick_seconds: int, member: Member, others: Sequence[Member],
    before: Sequence[str],
) -> str:  # fmt: skip
    """Return one sentence about a service that changed together with others that share something.

    Parameters
    ----------
    pool
        What is shared, its name, and the rate.
    onset
        The tick in which the change began.
    member, others
        The service, and the others that changed and may be named beside it.
    before
        Services that told of it themselves.
    """
    what, name, metric = pool
    said = f"{metric} of {_showing(member)} since about {moment(onset, tick_seconds)}"
    if others:
        said += f"; so it is with others that share {what} {name[:MOST_OF_A_NAME]}: {', '.join(map(_showing, others))}"
    else:
        said += f"; so it is with others that share {what} {name[:MOST_OF_A_NAME]}, which other teams own"
    return f"{said}; told of before: {', '.join(before)}" if before else said


def _showing(member: Member) -> str:
    seen = f"{member.flagged:.0f} of {member.trials:.0f}"
    return f"{member.service} {tenths(member.flagged / member.trials)} ({seen}, usual {member.expected:.2g})"


def describe_pool_back(pool: tuple[str, str, str], service: str, flagged: float, expected: float) -> str:
    """Return one sentence that says what proves that services which share something are as usual again."""
    what, name, metric = pool
    return (
        f"{metric} of {service} is back with that of all that share {what} {name[:MOST_OF_A_NAME]}: "
        f"{flagged:.0f} flagged where {expected:.3g} are usual"
    )


def pool_query(services: Sequence[str], metric: str, version: str | None, first: int, last: int) -> str:
    """Return the SQL that counts again what services showed of a rate, with one version of a model or with all."""
    of_version = f" AND model_version = {literal(version)}" if version is not None else ""
    return (
        "SELECT service_name, sum(trials) AS trials, sum(flagged) AS flagged, flagged / trials AS rate "
        f"FROM windows FINAL WHERE service_name IN ({', '.join(map(literal, services))}) "
        f"AND metric = {literal(metric)} AND tick BETWEEN {first} AND {last}{of_version} "
        "GROUP BY service_name ORDER BY rate DESC, service_name"
    )


def agent_query(service: str, agent: str, mix: str, since: int, until: int) -> str:
    """Return the SQL that counts what an agent did on the day before a change and since, Unix nanoseconds."""
    step = f"if(step_kind IN {TOOL_STEPS} AND tool_name != '', toString(tool_name), toString(step_kind))"
    before = "lagInFrame(step, 1, 'start') OVER (PARTITION BY trace ORDER BY time)"
    what = f"concat({before}, ' → ', step)" if mix == AGENT_MIXES[1] else "step"
    return (
        f"SELECT what, countIf(at < {since}) AS before, countIf(at >= {since}) AS since "
        f"FROM (SELECT {what} AS what, at "
        f"FROM (SELECT {step} AS step, time, toUnixTimestamp64Nano(time) AS at, if(trace_id = '', event_id, trace_id) "
        f"AS trace FROM agent_steps FINAL WHERE service_name = {literal(service)} AND agent_name = {literal(agent)} "
        f"AND step_kind NOT IN {AROUND_STEPS} AND time BETWEEN fromUnixTimestamp64Nano({since - DAY_NANO}) "
        f"AND fromUnixTimestamp64Nano({until}))) GROUP BY what ORDER BY since DESC, what"
    )


def evidence_query(tick_seconds: int, group: tuple[str, str, str], metric: str, first: int, last: int) -> str:
    """Return the SQL that reproduces the counts of a finding."""
    tenant, service, version = group
    conditions = [
        f"service_name = {literal(service)}",
        f"metric = {literal(metric)}",
        f"tick BETWEEN {first} AND {last}",
    ]
    if tenant != "*":
        conditions += [f"tenant_id = {literal(tenant)}", f"model_version = {literal(version)}"]
    return (
        f"SELECT toDateTime(intDiv(tick * {tick_seconds}, 3600) * 3600, 'UTC') AS hour, sum(trials) AS trials, "
        f"sum(flagged) AS flagged, flagged / trials AS rate FROM windows FINAL WHERE {' AND '.join(conditions)} "
        "GROUP BY hour ORDER BY hour"
    )
