"""A Grafana of the tests' own."""

import pytest

from tests.dashboards.grafana_server import FakeGrafana, serving


@pytest.fixture
def grafana():
    """An empty Grafana, with its address in `url`."""
    made = FakeGrafana()
    with serving(made) as made.url:
        yield made
