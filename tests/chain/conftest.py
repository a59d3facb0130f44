"""A whole Watchkeeper on free ports, with Prometheus and Alertmanager around it."""

import pytest

from streams.local.broker import free_port
from streams.local.up import Installation
from streams.settings import WORKER_PORTS
from tests.real.alerting.config import alertmanager_config
from tests.real.alerting.servers import Alertmanager, Listener, Prometheus


@pytest.fixture
def ports(monkeypatch):
    """Ports of the workers' metrics."""
    found = {name: free_port() for name in WORKER_PORTS}
    monkeypatch.setattr("streams.local.up.WORKER_PORTS", found)
    return found


@pytest.fixture
def settings(kafka_settings, tmp_path):
    """Settings of the workers, on the session's broker."""
    return kafka_settings.model_copy(
        update={
            "clickhouse": f"chdb://{tmp_path}/clickhouse",
            "sql_port": free_port(),
            "api_port": free_port(),
            "otlp_port": free_port(),
        }
    )


@pytest.fixture
def listener():
    """A second webhook beside the worker's own."""
    listening = Listener()
    yield listening
    listening.stop()


@pytest.fixture
def alertmanager(settings, listener, tmp_path):
    """Alertmanager, that tells the API of the incidents worker with the token that the worker makes."""
    webhook, token = f"http://127.0.0.1:{settings.api_port}/alerts", settings.data_dir / "api-token"
    running = Alertmanager(tmp_path / "alertmanager", alertmanager_config(webhook, token, listener.url))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def prometheus(ports, alertmanager, tmp_path):
    """Prometheus, that scrapes every worker and tells Alertmanager."""
    running = Prometheus(tmp_path / "prometheus", ports.values(), [alertmanager.port])
    running.start()
    yield running
    running.stop()


@pytest.fixture
def installation(settings, prometheus, monkeypatch):
    """All workers, started when the others wait for them; KPIs are read as often as Prometheus looks."""
    monkeypatch.setenv("WATCHKEEPER_GAUGE_SECONDS", "1")
    running = Installation(settings, kafka=settings.kafka)
    running.start()
    yield running
    for child in running.supervisor._children:
        child.process.kill()  # nothing of it is looked at any more
    running.stop()
