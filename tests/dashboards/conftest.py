"""Stores that several tests read and none writes, each filled once a session: the tables alone cost a second."""

import pytest

from streams.settings import load
from streams.store.client import connect
from streams.store.schema.migrate import migrate
from tests.support.dashboards.grafana_server import FakeGrafana, serving
from tests.support.dashboards.states import STATES
from tests.support.histories import judge
from tests.support.stores import left_alone


@pytest.fixture(scope="session")
def filled(store_path):
    """A function from the name of a state to a client of a database that holds it. Read only."""
    clients = {}

    def of(name):
        if name not in clients:
            made = connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database=f"filled{len(clients)}"))
            migrate(made)
            STATES[name].fill(made)
            judge(made)
            left_alone(made)
            clients[name] = made
        return clients[name]

    yield of
    for client in clients.values():
        client.close()


@pytest.fixture
def grafana():
    """An empty Grafana, with its address in `url`."""
    made = FakeGrafana()
    with serving(made) as made.url:
        yield made
