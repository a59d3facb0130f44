"""Which tests may run at the same time where several processes share the work.

A file is one process's, so that its tests share what they have started. Files that start a whole installation are one
process's together: there is one at a time, as on a machine of its own. What takes long comes first.
"""

from xdist.scheduler import LoadScopeScheduling

INSTALLATIONS = (
    "tests/faults/test_campaign.py",
    "tests/faults/test_up.py",
    "tests/chain/test_leak.py",
    "tests/hostile/test_installation.py",
    "tests/streams/test_workers.py",
    "tests/compose/test_containers.py",
)
LONG = ("tests/dashboards/test_queries.py", "tests/detectors/test_others.py", "tests/streams/kpis/test_reviews.py")


def place(nodeid):
    """Return the place of a test in the order of all."""
    path = nodeid.partition("::")[0]
    return (INSTALLATIONS + LONG).index(path) if path in INSTALLATIONS + LONG else len(INSTALLATIONS + LONG)


class ByFile(LoadScopeScheduling):
    """Gives each process file after file."""

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0]
        return "installations" if path in INSTALLATIONS else path
