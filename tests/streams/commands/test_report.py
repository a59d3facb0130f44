"""The report over a period: of the store and the API as they run."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from schemas.kpis import BY_ID
from streams.commands.main import app
from streams.sql.server import Endpoint
from tests.streams.worker.test_transport import wait_until
from tests.support.dashboards.history import counts, put
from tests.support.histories import judge
from tests.support.incidents.entries import NANO, START, page
from tests.support.incidents.process import Worker, send

HOUR = datetime.fromtimestamp(START // NANO, UTC).replace(minute=0, second=0)


@pytest.fixture
def run(client, store_settings, kafka_settings, monkeypatch):
    """Run the command beside a store with one hour of one service, and a worker with one incident in that hour."""
    key = {"hour": HOUR, "service_name": "a", "kafka_topic_id": "i", "kafka_partition": 0, "version": 1}
    put(client, "service_hours", key | counts(bad=False))
    judge(client)
    endpoint, worker = Endpoint(store_settings.model_copy(update={"sql_port": 0})), Worker(kafka_settings)
    endpoint.start()
    worker.environment |= {
        "WATCHKEEPER_CLICKHOUSE": store_settings.clickhouse, "WATCHKEEPER_SQL_PORT": str(endpoint.port),
        "WATCHKEEPER_CLICKHOUSE_DATABASE": store_settings.clickhouse_database,
    }  # fmt: skip
    worker.start()
    send(kafka_settings, page())
    wait_until(lambda: worker.ask("GET", "").json()["incidents"])
    for name, value in worker.environment.items():
        monkeypatch.setenv(name, value)
    yield lambda *arguments: CliRunner().invoke(app, ["report", *arguments])
    worker.kill()
    endpoint.stop()


@pytest.mark.faults
def test_the_report_has_incidents_and_kpis_of_its_period(run, tmp_path):
    """The incident with its clocks and the KPIs of that day; of another day it says what is stored instead."""
    file = tmp_path / "report.html"
    done = run("--from", "2026-02-02", "--to", "2026-02-03", "--out", str(file))
    assert (done.exit_code, done.stdout) == (0, f"wrote {file}\n")
    written = file.read_text()
    for text in ("1 incident", "leak on a: detected", "inc-p", "2026-02-02 02:40:00 UTC", BY_ID["unsafe_served"].title):
        assert text in written
    assert "0.00 % to 1.88 %" in written  # Wilson's interval of none among 200
    assert written.count("<svg") == 1
    wait_until(lambda: CliRunner().invoke(app, ["audit", "verify"]).exit_code == 0)  # a first head has come
    verified = CliRunner().invoke(app, ["audit", "verify", "--report", str(file)])
    assert (verified.exit_code, "report.html is the one of entry" in verified.stdout) == (0, True)
    changed = tmp_path / "changed.html"
    changed.write_text(written.replace("0.00 % to 1.88 %", "0.00 % to 1.08 %"))
    verified = CliRunner().invoke(app, ["audit", "verify", "--report", str(file), "--report", str(changed)])
    assert (verified.exit_code, "changed.html was changed: entry" in verified.stdout) == (1, True)
    printed = run("--from", "1d", "--to", "2026-02-03").stdout
    assert printed[: printed.index("inc-p")] == written[: written.index("inc-p")]
    other = run("--from", "2026-03-02", "--to", "2026-03-03", "--out", str(tmp_path / "none.html"))
    assert isinstance(other.exception, ValueError)
    assert "those it holds are from 2026-02-02T02:00 to 2026-02-02T03:00 UTC; nothing is written" in str(
        other.exception
    )
    assert not (tmp_path / "none.html").exists()
    turned = run("--from", "2026-02-03", "--to", "2026-02-02")
    assert "--from 2026-02-03 is not before 2026-02-02T00:00" in str(turned.exception)
