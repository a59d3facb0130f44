"""What more than one file here starts."""

import pytest

from tests.support.installation import Up


@pytest.fixture
def up(tmp_path):
    """Return a function that starts an installation; what is left of it at the end is killed."""
    made = []

    def up(folder, tls=None, **environment):
        made.append(Up(tmp_path / "up.log", folder, tls, **environment))
        return made[-1]

    yield up
    for each in made:
        each.process.kill()
        each.process.wait()
