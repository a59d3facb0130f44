"""Which tests may run at the same time where several processes share the work.

A file is one process's, so that its tests share what they have started. Files that start a whole installation are one
process's together: there is one at a time, as on a machine of its own. What takes long comes first.
"""

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[2]

INSTALLATIONS = (
    "tests/faults/test_campaign.py",
    "tests/faults/test_up.py",
    "tests/chain/test_leak.py",
    "tests/chain/test_otlp_week.py",
    "tests/hostile/test_installation.py",
    "tests/streams/test_workers.py",
    "tests/compose/test_containers.py",
)
FIRST = (
    *INSTALLATIONS,
    "tests/dashboards/test_queries.py",
    "tests/detectors/test_others.py",
    "tests/streams/kpis/test_reviews.py",
    "tests/streams/normalise/test_worker.py",
    "tests/streams/dialects/otlp/test_week.py",
)
assert all((ROOT / file).exists() for file in FIRST), "a file that comes first has moved"


def file_of(nodeid):
    """Return the file of a test."""
    return nodeid.partition("::")[0]


def place(item):
    """Return the place of a test in the order of all."""
    return FIRST.index(file_of(item.nodeid)) if file_of(item.nodeid) in FIRST else len(FIRST)


class ByFile(LoadScopeScheduling):
    """Gives each process file after file."""

    def _split_scope(self, nodeid):
        return "installations" if file_of(nodeid) in INSTALLATIONS else file_of(nodeid)
