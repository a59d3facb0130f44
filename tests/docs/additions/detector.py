"""A detector: a service that sends ten times what it sent before."""

WHAT = "a detector"
FILES = {
    "detectors/volume/surge.py": '''"""A count far above its own mean: the plainest detector there is."""

from typing import Final

import numpy as np

from detectors.base import Floats, State

FACTOR: Final = 10.0
"""How many times its mean a count must be."""

FADING: Final = 0.9
"""Weight of the mean so far."""


class Surge:
    """Follows the mean count of each series.

    >>> surge = Surge()
    >>> [surge.update(np.array([0]), np.array([count])).tolist() for count in (5.0, 5.0, 60.0)]
    [[False], [False], [True]]
    """

    def __init__(self) -> None:
        self._means: Floats = np.empty(0)

    def update(self, series: np.ndarray, counts: Floats) -> np.ndarray:
        """Return which counts of a tick are far above the mean; `series` are row numbers, `counts` theirs."""
        grown = int(series.max(initial=-1)) + 1 - len(self._means)
        self._means = np.append(self._means, np.full(max(grown, 0), np.nan))
        before = self._means[series]
        risen = counts > FACTOR * before
        self._means[series] = np.where(np.isnan(before), counts, FADING * before + (1 - FADING) * counts)
        return risen

    def state(self) -> State:
        """Return the state as flat arrays."""
        return {"version": np.array([1]), "means": self._means.copy()}

    def restore(self, state: State) -> None:
        """Take over what `state` returned."""
        self._means = state["means"].astype(np.float64)
''',
    "streams/detect/surge.py": '''"""Services that send far more than before."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from detectors.columns import prefixed, under
from detectors.volume.surge import Surge
from schemas.fields import NANO
from schemas.findings import Finding
from streams.detect.watcher import Tick, TickSums
from streams.kafka.checkpoints import Arrays


class SurgeWatch:
    """The event counts of the services of one partition of the windows."""

    def __init__(self, tick_seconds: int) -> None:
        self._tick_seconds: Final = tick_seconds
        self._surge: Final = Surge()
        self._names: list[str] = []

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the services that surge, for each tick."""
        return [self._judged(tick, sums) for tick, sums in ticks]

    def _judged(self, tick: int, sums: TickSums) -> list[Finding]:
        counts: dict[str, int] = {}
        for group in sums:
            counts[group.service_name] = counts.get(group.service_name, 0) + group.events
        self._names += [name for name in counts if name not in self._names]
        rows = np.array([self._names.index(name) for name in counts], np.int64)
        risen = self._surge.update(rows, np.array(list(counts.values()), np.float64))
        return [self._finding(tick, name) for name, up in zip(counts, risen, strict=True) if up]

    def _finding(self, tick: int, name: str) -> Finding:
        return Finding(
            finding_id=f"surge-{name}-{tick}", kind="surge", severity="info", service_name=name, metric="events",
            family="telemetry", detected_time_unix_nano=(tick + 1) * self._tick_seconds * NANO, detector="surge",
            detector_version="1",
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"names": np.array(self._names, "U256"), **prefixed("surge_", self._surge.state())}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._names = state["names"].tolist()
        self._surge.restore(under("surge_", state))
''',
    "streams/detect/judge.py": [
        (
            "from streams.detect.versions import",
            "from streams.detect.surge import SurgeWatch\nfrom streams.detect.versions import",
        ),
        (
            '            "canaries_": self.canaries,\n',
            '            "canaries_": self.canaries,\n            "surges_": SurgeWatch(tick_seconds),\n',
        ),
    ],
    "schemas/findings.py": [('    "recovery",  #', '    "surge",  # far more comes than before\n    "recovery",  #')],
}
GENERATED = ["schemas.json_schema"]
CHECKS = ["detectors/volume/surge.py", "tests/schemas/test_examples.py", "tests/streams/detect/test_versions.py"]
SEEN = '''
"""The judge asks the new detector, and its successor knows what it knew."""

from schemas.findings import Finding
from schemas.wire import decoder, encode
from tests.streams.detect.test_judge import group, judge, run


def test_a_surge_is_found_also_after_a_restart():
    """A service that sends twenty times as much is found once in the tick in which it does; the record is valid."""
    first, second = judge(), judge()
    assert not run(first, 30, lambda _: [group(events=20)])
    second.restore(first.state())
    said = run(second, 1, lambda _: [group(events=400)], start=177_000_030)
    [found] = [each for each in said if each.kind == "surge"]
    assert found.service_name == "a"
    assert decoder(Finding)(encode(found), 2**62) == found
'''
