"""A store that answers, for the pages of the console."""

import pytest

from tests.support.console import store


@pytest.fixture
async def settings(client, store_settings):
    """Settings that lead to the store."""
    async with store(store_settings) as found:
        yield found
