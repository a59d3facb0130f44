"""Which services have something in common: a version of a model, a tool, a source of data."""

from collections.abc import Iterable, Sequence
from typing import Final

from schemas.windows import OTHER, UNKNOWN_VERSION
from streams.detect.watcher import Tick
from streams.findings.finding import WHOLE
from streams.findings.series import Name
from streams.kafka.checkpoints import Arrays, decoded, encoded

LEAST_SERVICES: Final = 2
MOST_NAMES: Final = 500
"""Services by tool or source that are known; those that came first."""

MODEL: Final = "model"
BY_NAME: Final = ("source", "tool")
"""Mixes whose names services have in common; versions of models are in the names of their groups."""

OF_A_TOOL: Final = ("failing_tool", "denied_tool", "injection_flag", "leak", "error")
"""Rates that a tool can be to blame for."""

Pool = tuple[str, str, str]
"""What is shared (`MODEL`, or one of `BY_NAME`), its name, and the rate."""


class Membership:
    """What the services of one partition of the windows use."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str, str], int] = {}  # mix, name and service: the tick it was first seen in

    def meet(self, ticks: Sequence[Tick]) -> None:
        """Learn which services use what by name."""
        for tick, sums in ticks:
            for group in sums:
                for mix in BY_NAME if group.mixes else ():
                    for name in group.mixes.get(mix, ()):
                        use = mix, name, group.service_name
                        if use not in self._uses and len(self._uses) < MOST_NAMES and name != OTHER[1]:
                            self._uses[use] = tick

    def pools(self, names: Sequence[Name], rows: Iterable[int], tick: int) -> dict[Pool, list[int]]:
        """Return the series of each pool of at least `LEAST_SERVICES`, as known before a tick.

        Those of a version of a model are of the tenants of services; those of what is used otherwise, whole services.

        Parameters
        ----------
        names
            Tenant, service, version and rate of each series.
        rows
            Those that may belong to a pool.
        """
        uses: dict[str, list[tuple[str, str]]] = {}
        for (mix, name, service), first in self._uses.items():
            if first < tick:
                uses.setdefault(service, []).append((mix, name))
        found: dict[Pool, list[int]] = {}
        for row in rows:
            tenant, service, version, metric = names[row]
            if service == OTHER[1]:
                continue
            if tenant != WHOLE:
                if version not in ("", OTHER[2], UNKNOWN_VERSION):
                    found.setdefault((MODEL, version, metric), []).append(row)
                continue
            for mix, name in uses.get(service, ()):
                if mix != "tool" or metric in OF_A_TOOL:
                    found.setdefault((mix, name, metric), []).append(row)
        return {pool: of for pool, of in sorted(found.items()) if len({names[row][1] for row in of}) >= LEAST_SERVICES}

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"uses": encoded(list(self._uses.items()))}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._uses = dict(decoded(state["uses"], list[tuple[tuple[str, str, str], int]]))
