"""A provider that runs, and settings that lead to it."""

import pytest

from tests.support.oidc.going import led
from tests.support.oidc.provider import provider as running


@pytest.fixture(scope="package")
def running_provider(tmp_path_factory):
    """A provider for all tests."""
    with running(tmp_path_factory.mktemp("provider")) as found:
        yield found


@pytest.fixture
def provider(running_provider):
    """The provider, honest, and knowing kim, who is in a group that has a role."""
    running_provider.lies()
    running_provider.knows("4711", preferred_username="kim", groups=["sre", "staff"])
    return running_provider


@pytest.fixture
def settings(provider, tmp_path):
    """Settings that lead to the provider, and else nowhere."""
    return led(provider, tmp_path)
