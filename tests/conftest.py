"""Real parts for the tests: one broker a session, one store a session, fresh names for each test."""

import os
import uuid

import pytest
import structlog
from hypothesis import settings as hypothesis_settings

from streams.health.problems import PROBLEMS
from streams.kafka.topics import create_topics
from streams.local.broker import Broker
from streams.settings import Settings, load
from streams.store.client import connect
from streams.text.times import live_in_utc
from tests.support.side_by_side import ByFile, place
from tests.support.stores import SharedStore

live_in_utc()  # as every command of ours does first
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis_settings.register_profile("explore", max_examples=1500, deadline=None)
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
    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Say which tests may run at the same time."""
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def well():
    """Each test begins in a process in which nothing is wrong, whatever the one before it left."""
    for name in PROBLEMS.current():
        PROBLEMS.over(name)


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
    prefix = f"t{uuid.uuid4().hex[:8]}."
    settings = load(
        kafka=broker, topic_prefix=prefix, data_dir=tmp_path, kafka_session_seconds=3, receivers_private="127.0.0.1"
    )
    create_topics(settings)
    return settings


@pytest.fixture(scope="session")
def store_path(tmp_path_factory):
    """The one folder that this process may open."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def shared_store(store_path):
    """The database that one test after another has for itself."""
    made = SharedStore(load(clickhouse=f"chdb://{store_path}", clickhouse_database="of_one_test"))
    yield made
    made.close()


@pytest.fixture
def store_settings(shared_store, tmp_path) -> Settings:
    """Settings with a database of their own in the store, all tables empty."""
    with shared_store.given() as settings:
        yield settings.model_copy(update={"data_dir": tmp_path})


@pytest.fixture
def client(store_settings):
    """A client of that database."""
    client = connect(store_settings)
    yield client
    client.close()
