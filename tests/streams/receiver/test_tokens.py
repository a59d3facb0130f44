"""The token of OTLP is exchanged while it is sent: nobody is refused who goes over while both count."""

import httpx2
import pytest

from streams.health.problems import PROBLEMS
from streams.kafka.publisher import Publisher
from streams.receiver.app import Receiver, receiver_app
from streams.settings import load
from tests.support.secrets import put

pytestmark = pytest.mark.enable_socket
NAME = "watchkeeper_otlp_token"


@pytest.fixture
def app(tmp_path, monkeypatch):
    """A receiver whose token is the first."""
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    put(tmp_path, "first", NAME)
    settings = load(data_dir=tmp_path)
    return receiver_app(settings, Receiver(settings, Publisher({})), lambda: True)


async def test_both_tokens_count_while_senders_go_over(app, tmp_path):
    """The old one until it is taken out of the file, the new one from when it is there; an empty file opens nothing."""
    found = []
    for text in ("first", "first\nsecond", "second"):
        put(tmp_path, text, NAME)
        found.append([await status(app, token) for token in ("first", "second", "third", "")])
    assert found == [[200, 401, 401, 401], [200, 200, 401, 401], [401, 200, 401, 401]]
    (tmp_path / NAME).write_text("")
    assert [await status(app, token) for token in ("second", "")] == [200, 401]
    assert "otlp token" in PROBLEMS.current()


async def status(app, token):
    """Return how a sender is answered: metrics are taken, and not kept."""
    given = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        return (await client.post("/v1/metrics", json={}, headers=given)).status_code
