"""A store that answers, for the pages of the console."""

import pytest

from streams.console import asking
from tests.support.console import store
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Pages wait for the store on a busy machine; the test of one that hangs says for how long itself."""
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
async def settings(client, store_settings):
    """Settings that lead to the store."""
    async with store(store_settings) as found:
        yield found
