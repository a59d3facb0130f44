"""The gauges: those of KPIs say what the alert rules ask, those of incidents follow the fold, the unknown is absent."""

from datetime import timedelta

import pytest
import requests
from prometheus_client import CollectorRegistry

from dashboards.rules import RULES
from schemas.kpis import KPIS, OBJECTIVES
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.severity import severity_of
from streams.incidents.gauges import Gauges, incident_samples, read_kpis
from streams.incidents.worker import Incidents
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.policy.policy import Policy
from streams.sql.server import Endpoint
from streams.worker.parts import Parts
from tests.dashboards.test_rules import RULES as GRAFANA
from tests.dashboards.test_rules import ask
from tests.support.dashboards import history
from tests.support.incidents.entries import NANO, act, at, back, folding, page
from tests.support.incidents.process import Worker, send
from tests.support.waiting import wait_until

NOW = history.BAD_UNTIL - timedelta(minutes=1)


@pytest.fixture
def endpoint(client, store_settings):
    """The store as the incidents worker reaches it: through the process that holds it."""
    running = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def settings(endpoint, store_settings):
    """Settings that lead to the endpoint."""
    return store_settings.model_copy(update={"sql_port": endpoint.port})


def gauges(settings):
    """Return the gauges of a worker that holds no incident yet, and what scrapes them."""
    work = Incidents(Parts(settings, {}, Publisher(client_arguments(settings)), lambda: True))
    work._incident_log = IncidentLog(severity_of(Policy()))
    found, registry = Gauges(work), CollectorRegistry()
    registry.register(found)
    return found, registry


def scraped(registry, name):
    """Return the values of a family by their labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.store
def test_each_kpi_is_what_its_alert_rule_asks(client, settings):
    """For each rule about a KPI or a burn rate the gauge has the number of Grafana's query, for the same services."""
    history.write_all(client)
    found = dict(read_kpis(settings, int(NOW.timestamp()) * NANO))
    compared = 0
    for rule in RULES:
        part = {"alert_kpi": rule.values.get("bound"), "alert_burn": "value"}.get(rule.query)
        if part is None:
            continue
        asked = {labels[0][1]: value for labels, [value] in ask(client, GRAFANA[rule.name], NOW).items()}
        mine = {service: value for (kpi, service, side), value in found.items() if (kpi, side) == (rule.kpi, part)}
        if rule.query == "alert_burn":
            mine = {name: value if found[rule.kpi, name, "lower"] > 1 else 0 for name, value in mine.items()}
        assert mine == pytest.approx(asked), rule.name
        compared += len(mine)
    assert compared > len(RULES)
    assert found["unsafe_served", history.SERVICE, "trusted"] == 0
    clean = dict(read_kpis(settings, int(history.CLEAN_UNTIL.timestamp()) * NANO))
    assert clean["unsafe_served", history.SERVICE, "trusted"] == 1


@pytest.mark.store
def test_every_kpi_of_the_registry_is_read(client, settings):
    """With rows behind all of them, none is missing, nor is a burn rate."""
    history.write_all(client)
    history.write_recovery(client)
    moment = history.CLEAN_UNTIL + timedelta(hours=3)
    found = {kpi for kpi, _service, _part in dict(read_kpis(settings, int(moment.timestamp()) * NANO))}
    burning = {kpi.id for kpi in KPIS if kpi.id.endswith("burn_rate")}
    assert found == set(OBJECTIVES) | {f"{kpi}_{span}" for kpi in burning for span in ("1h", "6h", "3d")}


@pytest.mark.store
async def test_now_is_the_time_of_the_log(client, settings):
    """A week long past has KPIs: they are read up to the newest minute stored, not up to the clock."""
    history.write_hours(client, history.START, history.BAD_UNTIL)
    found, registry = gauges(settings)
    await found.refresh()
    newest = int((history.BAD_UNTIL - timedelta(minutes=5)).timestamp())
    assert scraped(registry, "watchkeeper_newest_minute_timestamp_seconds") == {(): newest}
    assert scraped(registry, "watchkeeper_kpi") == dict(read_kpis(settings, newest * NANO))
    assert scraped(registry, "watchkeeper_kpi")["guard_coverage", history.SERVICE, "upper"] < 0.6
    found._work.owns = lambda: False  # of two workers one alone exports, so that no alert comes twice
    assert scraped(registry, "watchkeeper_kpi") == {}


@pytest.mark.store
async def test_an_empty_store_has_no_series(settings):
    """Nothing is known, so nothing is shown, and nothing went wrong."""
    found, registry = gauges(settings)
    await found.refresh()
    assert scraped(registry, "watchkeeper_kpi") == {}
    assert scraped(registry, "watchkeeper_newest_minute_timestamp_seconds") == {}
    assert scraped(registry, "watchkeeper_kpi_refresh_errors_total") == {(): 0}
    assert len(scraped(registry, "watchkeeper_kpi_refreshed_timestamp_seconds")) == 1


@pytest.mark.store
async def test_while_the_store_is_away_kpis_are_gone_and_the_rest_stays(client, store_settings):
    """KPIs vanish and the failure counts; the time of the last reading is kept."""
    history.write_hours(client, history.START, history.CLEAN_UNTIL)
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    found, registry = gauges(store_settings.model_copy(update={"sql_port": endpoint.port}))
    await found.refresh()
    read = scraped(registry, "watchkeeper_kpi_refreshed_timestamp_seconds")
    assert scraped(registry, "watchkeeper_kpi")
    endpoint.stop()
    await found.refresh()
    assert scraped(registry, "watchkeeper_kpi") == {}
    assert scraped(registry, "watchkeeper_kpi_refresh_errors_total") == {(): 1}
    assert scraped(registry, "watchkeeper_kpi_refreshed_timestamp_seconds") == read


def test_an_incident_has_a_series_until_it_is_closed():
    """Its state changes with what people say, its age with the time of the stream, and closed it is gone."""
    steps = [page(), act("acknowledge", 60), act("mitigate", 90), back(second=100), act("close", 200)]
    seen = [
        [(sample.labels[3], sample.value) for sample in incident_samples(folding(*steps[:count]).incidents(), at(300))]
        for count in range(len(steps) + 1)
    ]
    states = ("detected", "acknowledged", "mitigated", "recovered")
    assert seen == [[], *([(state, 300.0)] for state in states), []]


@pytest.mark.faults
def test_the_worker_exports_them_though_no_store_is_there(kafka_settings):
    """On `/metrics` of a running worker an incident appears, changes its state and vanishes; errors are counted."""
    running = Worker(kafka_settings)
    running.environment["WATCHKEEPER_GAUGE_SECONDS"] = "0.2"
    running.start()

    def lines(name):
        text = requests.get(f"http://127.0.0.1:{running.port}/metrics", timeout=60).text
        return [line for line in text.splitlines() if line.startswith(name)]

    send(kafka_settings, page())
    wait_until(lambda: lines("watchkeeper_incident_open_seconds{"))
    [line] = lines("watchkeeper_incident_open_seconds{")
    assert 'incident_id="inc-p",service="a",severity="sev2",state="detected"' in line
    running.ask("POST", "/inc-p/acknowledge", json={"actor": "kim"})
    assert ['state="acknowledged"' in line for line in lines("watchkeeper_incident_open_seconds{")] == [True]
    running.ask("POST", "/inc-p/close", json={"actor": "kim"})
    assert lines("watchkeeper_incident_open_seconds{") == []
    wait_until(lambda: float(lines("watchkeeper_kpi_refresh_errors_total")[0].split()[1]) > 0)
    assert lines("watchkeeper_kpi{") == []
    running.kill()
