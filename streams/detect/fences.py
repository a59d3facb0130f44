"""Services that are over a limit of their own: too many of their records refused, or too many names.

Whatever is over a limit costs its own service detail and trust, and nobody else anything. It is said once, as a
finding about the telemetry, and once more when it is well again, which it comes to be by itself.
"""

from typing import Any, Final, Literal

from schemas.findings import Finding, Severity
from schemas.windows import OTHER, OTHER_OF
from streams.detect.watcher import TickSums
from streams.findings.episodes import Episodes
from streams.kafka.checkpoints import Arrays, decoded, encoded

What = Literal["refused", "crowded"]

AT_LEAST: Final = 100
"""Refused records, fading, before their share means anything."""

HALF_LIFE_SECONDS: Final = 300
MOST_SERVICES: Final = 2_000
CALM_SECONDS: Final = 3_600
"""Without a name too many for so long, a service has room again."""


class FenceWatch:
    """The services of one partition of the windows that have records refused, or more names than their share.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    limit
        Share of refused records from which a service is set aside.
    """

    def __init__(self, tick_seconds: int, limit: float) -> None:
        self._tick_seconds: Final = tick_seconds
        self._limit: Final = limit
        self._half_life: Final = HALF_LIFE_SECONDS / tick_seconds
        self._counts: dict[str, list[float]] = {}  # by service with refused records: accepted, refused, latest tick
        self._crowded: dict[str, int] = {}  # by service: latest tick with a name too many
        self._episodes: Final = Episodes("fence", tick_seconds)  # of a service, and what is over its limit

    def judge(self, tick: int, sums: TickSums) -> list[Finding]:
        """Return which services a tick brings over a limit, or back."""
        seen: dict[str, list[int]] = {}
        for group in sums:
            cell = seen.setdefault(group.service_name, [0, 0])
            cell[0] += group.events
            cell[1] += group.refused
            if group.tenant_id == OTHER[0] and (
                len(self._crowded) < MOST_SERVICES or group.service_name in self._crowded
            ):
                self._crowded[group.service_name] = tick
        for service, (events, refused) in seen.items():
            if service in self._counts or (refused and len(self._counts) < MOST_SERVICES):
                accepted, before = self._faded(service, tick)
                self._counts[service] = [accepted + events, before + refused, float(tick)]
        return [*self._over(tick), *self.advance(tick)]

    def advance(self, tick: int) -> list[Finding]:
        """Return which services are well again by the mere passing of time."""
        found = []
        for (service, what), _ in self._episodes:
            if self._is_well(service, what, tick):
                found.append(self._finding(tick, service, "crowded" if what == "crowded" else "refused", back=True))
        for service in [name for name in self._counts if self._faded(name, tick)[1] < 1]:
            del self._counts[service]
        calm = tick - CALM_SECONDS // self._tick_seconds
        self._crowded = {service: last for service, last in self._crowded.items() if last > calm}
        return found

    def open_since(self, service: str) -> str:
        """Return what is wrong with the records of a service, or nothing."""
        names = {"refused": "records refused", "crowded": "too many names"}
        return ", ".join(said for what, said in names.items() if (service, what) in self._episodes)

    def _over(self, tick: int) -> list[Finding]:
        over: list[tuple[str, What]] = [(service, "crowded") for service in self._crowded]
        for service in self._counts:
            accepted, refused = self._faded(service, tick)
            if refused >= AT_LEAST and refused > self._limit * (accepted + refused):
                over.append((service, "refused"))
        return [self._finding(tick, *item, back=False) for item in sorted(over) if item not in self._episodes]

    def _is_well(self, service: str, what: str, tick: int) -> bool:
        if what == "crowded":
            return tick - self._crowded.get(service, -(2**62)) >= CALM_SECONDS / self._tick_seconds
        accepted, refused = self._faded(service, tick)
        return refused < AT_LEAST / 2 or refused < self._limit / 2 * (accepted + refused)

    def _faded(self, service: str, tick: int) -> tuple[float, float]:
        accepted, refused, last = self._counts.get(service, (0.0, 0.0, tick))
        fade = 0.5 ** max((tick - last) / self._half_life, 0.0)
        return accepted * fade, refused * fade

    def _finding(self, tick: int, service: str, what: What, *, back: bool) -> Finding:
        accepted, refused = self._faded(service, tick)
        said = {
            "refused": f"about {refused:.0f} of {accepted + refused:.0f} records lately refused; see the dead letters",
            "crowded": "more names than its share; new ones are counted together",
        }[what]
        if service.startswith(OTHER_OF) and what == "crowded":
            said = f"more services of one source than its share; new ones are counted as {service}"
        state = "is as usual again" if back else f"is over its limit: {said}; rates over it are not to be trusted"
        fields: dict[str, Any] = {
            "service_name": service,
            "metric": what,
            "family": "telemetry",
            "detector": "limit",
            "verdict": what,
            "details": {"accepted": accepted, "refused": refused} if what == "refused" else None,
            "evidence": f"telemetry of {service} {state}",
        }
        episode = (service, what), tick, tick + 1
        if back:
            return self._episodes.end(*episode, **fields)
        severity: Severity = "page" if what == "refused" else "ticket"
        return self._episodes.open(*episode, kind="telemetry", severity=severity, **fields)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"counts": encoded(self._counts), "crowded": encoded(self._crowded), **self._episodes.state()}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if state:
            self._counts = decoded(state["counts"], dict[str, list[float]])
            self._crowded = decoded(state["crowded"], dict[str, int])
            self._episodes.restore(state)
