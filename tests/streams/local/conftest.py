"""A supervisor, and one that is quick to lose patience."""

import pytest

from streams.local import pulse
from streams.local.supervisor import Supervisor


@pytest.fixture
def supervised():
    """Return a function that starts the supervision of children; all are stopped at the end."""
    made = []

    def supervised(*children, patience=60.0):
        made.append(Supervisor(children, patience))
        made[-1].begin()
        return made[-1]

    yield supervised
    for supervisor in made:
        supervisor.stop(grace_seconds=5)


@pytest.fixture
def hasty(monkeypatch):
    """Ask often, and wait little for an answer."""
    for name, seconds in (("PAUSE_SECONDS", 0.2), ("ASK_SECONDS", 0.3), ("SILENT_SECONDS", 0.5)):
        monkeypatch.setattr(pulse, name, seconds)
