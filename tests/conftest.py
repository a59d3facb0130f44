"""Real parts for the tests: one broker a session, one store a session, fresh names for each test."""

import os
import uuid

import pytest
import structlog
from hypothesis import settings as hypothesis_settings

from streams.kafka.topics import create_topics
from streams.local.broker import Broker
from streams.settings import Settings, load
from streams.store.client import connect
from streams.store.migrate import migrate

hypothesis_settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis_settings.load_profile("steady")
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def pytest_collection_modifyitems(items):
    """Keep tests that say nothing about it away from the network and the disk's services."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & {"broker", "kafka_settings"} or item.get_closest_marker("faults"):
            item.add_marker("kafka")
        if not names & {"broker", "kafka_settings", "store_settings", "client"} and not any(
            item.get_closest_marker(name) for name in ("kafka", "store", "faults")
        ):
            item.add_marker(pytest.mark.disable_socket)


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """Address of a real broker: the one the environment names, or one of our own."""
    if address := os.environ.get("WATCHKEEPER_TEST_KAFKA"):
        yield address
        return
    own = Broker(tmp_path_factory.mktemp("kafka"))
    own.start()
    yield own.address
    own.stop()


@pytest.fixture
def kafka_settings(broker, tmp_path) -> Settings:
    """Settings with topics of their own on the broker."""
    settings = load(kafka=broker, topic_prefix=f"t{uuid.uuid4().hex[:8]}.", data_dir=tmp_path, kafka_session_seconds=3)
    create_topics(settings)
    return settings


@pytest.fixture(scope="session")
def store_path(tmp_path_factory):
    """The one folder that this process may open."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def store_settings(store_path, tmp_path) -> Settings:
    """Settings with a database of their own in the store."""
    name = f"t{uuid.uuid4().hex[:8]}"
    return load(clickhouse=f"chdb://{store_path}", clickhouse_database=name, data_dir=tmp_path)


@pytest.fixture
def client(store_settings):
    """A client of a fresh database with all tables."""
    client = connect(store_settings)
    migrate(client)
    yield client
    client.close()
