"""Two stores at one moment: in one every rule's number is just within its limit, in the other just beyond it.

Just means by less than half: within is more than half of the way, beyond is less than twice. So a limit that is
doubled or halved by mistake changes what a rule says about one of the two. Hours and minutes are written apart, as
rules about shares read hours and burn rates read minutes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client

from schemas.kpis import objectives
from schemas.metrics import OF_AGENTS
from tests.support.dashboards.history import FAST, SERVICE, SLOW, counts, finding, put, transition

AT = datetime(2026, 3, 5, 12, tzinfo=UTC) - timedelta(seconds=1)
_KEY = {"service_name": SERVICE, "model_version": "m@1", "kafka_topic_id": "i", "kafka_partition": 0, "version": 1}
_CLOCKS = (objectives.ACKNOWLEDGE_MINUTES, objectives.MITIGATE_MINUTES, objectives.RECOVER_MINUTES)


def write_edges(client: Client, *, beyond: bool) -> None:
    """Write one of the two stores."""
    put(client, "service_hours", *hours(beyond=beyond))
    put(client, "service_minutes", *minutes(beyond=beyond))
    put(client, "stage_hours", *stages(30.0 if beyond else 15.0))
    put(client, "probe_minutes", *probes(beyond=beyond))
    put(client, "window_messages", counted(400 if beyond else 250))
    put(client, "telemetry", *losses(3 if beyond else 2))
    put(client, "dead_letters", *letters(15 if beyond else 8))
    put(
        client,
        "findings",
        *(finding(number, "quantity", AT - timedelta(hours=9)) for number in range(5 if beyond else 2)),
    )
    put(client, "incident_transitions", *incidents(beyond=beyond))


def hours(*, beyond: bool) -> Iterator[dict]:
    """Yield a day of hours with 200 outputs each; half of those that were unsafe are stopped, or nearly all."""
    shares = {"unsafe_served": 8, "unsafe_attempted": 16, "injection_flag": 44, "over_refusal": 44}
    if not beyond:
        shares = {"unsafe_served": 4, "unsafe_attempted": 80, "injection_flag": 25, "over_refusal": 25}
    failed, slow = (4, 14) if beyond else (1, 5)
    shares |= dict.fromkeys(OF_AGENTS, 8 if beyond else 4)
    shares |= {"error": failed, "latency_bins": {SLOW: slow, FAST: 200 - slow}}
    uncovered = 5 if beyond else 3
    covered = {"pii": 200 - uncovered, "": uncovered}
    for number in range(30):
        yield {
            "hour": AT.replace(minute=0, second=0) - timedelta(hours=number), **_KEY, **counts(bad=False), **shares,
            "outputs_by_guards": covered, "served_by_guards": covered,
        }  # fmt: skip


def minutes(*, beyond: bool) -> Iterator[dict]:
    """Yield three days of minutes, so that the long window of each burn rate is just within its limit or beyond it.

    The unsafe share is wanted over one, six and 72 hours; what is older makes up for what is newer.
    """
    burns = (20.0, 8.0, 1.5) if beyond else (10.0, 4.0, 0.8)
    budget = 1 - objectives.SERVICE_OBJECTIVE
    hour, six, days = (burn * budget for burn in burns)
    middle, old = (6 * six - hour) / 5, (72 * days - 6 * six) / 66
    last = AT.replace(second=0, minute=59)
    for number in range(12 * 72):
        share = hour if number < 12 else middle if number < 72 else old
        yield {"minute": last - timedelta(minutes=5 * number), **_KEY, **counts(bad=False),
               "unsafe_served_trials": 2_000, "unsafe_served": round(2_000 * share),
               "error_trials": 2_000, "error": round(2_000 * share * objectives.ERROR_SHARE / budget),
               "latency_bins": tails(2_000, share * objectives.SLOW_SHARE / budget)}  # fmt: skip


def tails(calls: int, slow: float) -> dict[int, int]:
    """Return the durations of calls, of which a share is slow."""
    return {SLOW: round(calls * slow), FAST: calls - round(calls * slow)}


def probes(*, beyond: bool) -> Iterator[dict]:
    """Yield four known attacks an hour, half of which are seen, or all."""
    for number in range(30 * 4):
        at = AT.replace(second=0) - timedelta(hours=number // 4)
        yield {"minute": at, **_KEY, "probe_id": f"p{number}", "sent": 1, "detections": int(not beyond or number % 2)}


def stages(guards: float) -> Iterator[dict]:
    """Yield a day of hours with 200 calls of 75 ms each, and as many answers of guards of so many milliseconds."""
    for number in range(30):
        hour = AT.replace(minute=0, second=0) - timedelta(hours=number)
        for stage, ms in (("inference", 75.0), ("guard", guards)):
            yield {"hour": hour, **_KEY, "stage": stage, "judged": 200, "failed": 0, "bins": {40: 200},
                   "total_ms": 200 * ms, "squared_ms": 200 * ms * ms}  # fmt: skip


def counted(behind: int) -> dict:
    """Return the last window that was counted, which ends so many seconds before the newest minute."""
    ended = AT.replace(second=0) - timedelta(seconds=behind)
    return {"time": ended - timedelta(seconds=10), "tick": 1, "tick_seconds": 10, "source_topic_id": "i"}


def losses(untrusted: int) -> Iterator[dict]:
    """Yield that events were lost at the source in so many of the last four hours."""
    for number in range(untrusted):
        at = AT - timedelta(hours=number)
        yield {"event_id": f"t{number}", "time": at, "service_name": SERVICE, "dropped": 5, "kafka_offset": number}


def letters(number: int) -> Iterator[dict]:
    """Yield so many records that were refused within the last hour."""
    for offset in range(number):
        yield {"time": AT - timedelta(minutes=offset), "origin_topic": "changes.v1", "origin_offset": offset,
               "reason": "not_json", "value": "{"}  # fmt: skip


def incidents(*, beyond: bool) -> Iterator[dict]:
    """Yield an incident for each clock that has run as long as is allowed, or a second more.

    One that waits to be mitigated has been acknowledged, one that waits to recover has been mitigated too. Only what
    is beyond reached a user: the number of leaks is the one that has no half.
    """
    for number, allowed in enumerate(_CLOCKS):
        began = AT - timedelta(seconds=60 * allowed["sev1"] + beyond)
        name, family = f"inc-{number}", "leak" if beyond and number == 0 else "unsafe"
        for done in ("detected", "acknowledged", "mitigated")[: number + 1]:
            yield transition(name, done, began, family=family)
