"""The scenario beside the recorded week: played through every stage, no KPI is empty and each story is found."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from streams.demo.scenario.run import empty, period, prepared
from streams.kpis.policies import publish_policy
from streams.kpis.show import period_rows
from streams.local.broker import free_port
from streams.policy.policy import load_policy
from streams.sql.server import Endpoint
from streams.store.client import rows
from tests.support.histories import judge
from tests.support.scenario import play

pytestmark = pytest.mark.kafka


@pytest.fixture
def settings(kafka_settings, store_settings, client, monkeypatch):
    """Settings of an installation with the policy of the scenario, whose store answers."""
    monkeypatch.setenv("WATCHKEEPER_CONTROL_KEY", "of the test")
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    own = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    own |= {"sql_port": endpoint.port, "api_port": free_port(), "control_key": SecretStr("of the test")}
    made = kafka_settings.model_copy(update=own | prepared())
    publish_policy(client, load_policy(made.policy), datetime.now(UTC))
    yield made
    endpoint.stop()


def test_no_kpi_is_empty_after_the_scenario(settings, client):
    """Retrievals, probes, a canary, labels, controls and a cascade: every KPI has a value, and nothing is refused."""
    story = play(settings)
    judge(client)
    assert empty(period_rows(settings, period(story))) == []
    assert rows(client, "SELECT reason, detail FROM dead_letters") == []
    paged = "SELECT DISTINCT service_name, metric FROM findings WHERE severity = 'page' ORDER BY ALL"
    assert rows(client, paged) == [
        ("agents-ops", "cascade"), ("agents-ops", "goal_hijack"), ("agents-ops", "inter_agent"),
        ("assistant-rag", "leak"), ("assistant-rag", "refusal"), ("desk", "leak"),
    ]  # fmt: skip
    drifted = (
        "SELECT DISTINCT severity FROM findings WHERE metric = 'agent_order' AND verdict = 'plan → tickets.export'"
    )
    assert rows(client, drifted) == [("ticket",)]
    [(note, read, answers)] = rows(
        client, "SELECT memory_id, sum(reads_elsewhere), sum(answers) FROM memory_influence GROUP BY 1"
    )
    assert note == "refund-rule"
    assert min(read, answers) >= 10
    opened = "SELECT service_name FROM incident_transitions FINAL WHERE transition = 'detected' ORDER BY ALL"
    assert [service for (service,) in rows(client, opened)] == ["agents-ops", "assistant-rag", "assistant-rag", "desk"]
    asked = "SELECT service_name, control FROM controls FINAL ORDER BY ALL"
    assert [(service, str(control)) for service, control in rows(client, asked)] == [
        ("agents-ops", "pause"), ("assistant-rag", "review_required"), ("assistant-rag", "rollback"),
        ("desk", "review_required"),
    ]  # fmt: skip
