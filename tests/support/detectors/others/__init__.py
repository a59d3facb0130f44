"""Every detector beside the rates behind one face: what it is fed, what it says, its state, what it refuses."""

from tests.support.detectors.others.counts import Metrics, Samplers, Volumes
from tests.support.detectors.others.events import Odd, Patterns, River, RiverMachine, RiverTrees
from tests.support.detectors.others.quantities import Canaries, Mixes, Quantities, Ranks

SUBJECTS = (
    Quantities, Mixes, Canaries, Odd, Ranks, River, RiverTrees, RiverMachine, Patterns, Volumes, Metrics, Samplers,
)  # fmt: skip
