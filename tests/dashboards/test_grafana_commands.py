"""The commands ``watchkeeper grafana …``, as a user types them."""

import pytest
from typer.testing import CliRunner

from dashboards.grafana.server import GrafanaError
from dashboards.grafana.shapes import source_item
from streams.commands.grafana import contact_values, source
from streams.commands.main import app
from streams.settings import SettingsError, load
from tests.support.dashboards.deploying import ITEMS
from tests.support.dashboards.grafana_server import TOKEN

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def command(grafana, monkeypatch, tmp_path):
    """Run a command against the Grafana."""
    for name, value in {
        "GRAFANA_URL": grafana.url, "ALERT_WEBHOOK_URL": "http://api:8130/alerts", "ALERT_SLACK_URL": "https://s/x",
        "ALERT_PAGERDUTY_KEY": "key", "ALERT_EMAIL": "a@example.org", "API_TOKEN": "hush", "DATA_DIR": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"WATCHKEEPER_{name}", value)
    (tmp_path / "watchkeeper_grafana_token").write_text(TOKEN + "\n")
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    return lambda *arguments: CliRunner().invoke(app, ["grafana", *arguments])


def test_diff_deploy_diff_deploy(command, grafana):
    """Diff shows all and ends with 1, deploy makes all; then diff ends with 0 and deploy says that nothing changed."""
    first = command("diff")
    assert first.exit_code == 1
    assert first.stdout.count("(in the files)") == len(ITEMS)
    assert "hush" not in first.stdout
    assert grafana.writes == []
    made = command("deploy")
    assert made.exit_code == 0, made.output
    assert len(made.stdout.splitlines()) == len(ITEMS)
    again = command("diff")
    assert (again.exit_code, again.stdout) == (0, "no difference\n")
    assert command("deploy").stdout == "no change\n"
    assert "changed data source" not in command("deploy", "--secrets").stdout  # it has no password here
    assert "changed contact point watchkeeper-api\n" in command("deploy", "--secrets").stdout


def test_verify_ends_with_1_and_a_table_where_something_is_wrong(command):
    """The data source of this Grafana does not answer."""
    command("deploy")
    said = command("verify")
    assert said.exit_code == 1
    assert "connection refused" in said.stdout
    assert "1 wrong" in said.stdout


def test_without_a_token_the_setting_is_named(command, monkeypatch):
    """The error is one that `main` prints as a line."""
    monkeypatch.delenv("WATCHKEEPER_SECRETS")
    said = command("diff")
    assert isinstance(said.exception, GrafanaError)
    assert "WATCHKEEPER_GRAFANA_TOKEN" in str(said.exception)


def test_where_grafana_finds_the_store():
    """An embedded store is asked at this machine's endpoint; a server's address must be said, without a password."""
    here = source(load(clickhouse="chdb://x", sql_port=8124, sql_user="grafana", sql_password="pw"))  # noqa: S106
    assert (here.host, here.port, here.user, here.password, here.secure) == ("127.0.0.1", 8124, "grafana", "pw", False)
    there = source(load(grafana_clickhouse="https://reader@ch", sql_password="pw"))  # noqa: S106
    assert (there.host, there.port, there.user, there.password, there.secure) == ("ch", 8443, "reader", "", True)
    assert here.authority == there.authority == ""
    with pytest.raises(SettingsError, match="set WATCHKEEPER_GRAFANA_CLICKHOUSE"):
        source(load(clickhouse="http://writer@ch:8123"))
    with pytest.raises(SettingsError, match="without a password"):
        source(load(grafana_clickhouse="http://a:b@ch:8123"))


def test_grafana_is_given_the_authority_of_our_own_sql_port(tmp_path):
    """With TLS it is told to speak it and by which certificate it knows us; one of another address is not touched."""
    (tmp_path / "ca.pem").write_text("PEM")
    tls = {"tls_cert": tmp_path / "port.pem", "tls_ca": tmp_path / "ca.pem"}
    here = source_item(source(load(clickhouse="chdb://x", **tls)))
    assert here.body["jsonData"]["secure"]
    assert here.body["jsonData"]["tlsAuthWithCACert"]
    assert here.body["secureJsonData"] == {"tlsCACert": "PEM"}
    there = source_item(source(load(grafana_clickhouse="https://reader@ch", **tls)))
    assert "tlsAuthWithCACert" not in there.body["jsonData"]
    (tmp_path / "ca.pem").unlink()
    with pytest.raises(SettingsError, match=r"ca\.pem can't be read"):
        source(load(clickhouse="chdb://x", **tls))


def test_the_token_of_the_api_is_asked_for_only_where_it_is_sent(tmp_path):
    """Without the address of the API no token is needed; with it, a missing one is told."""
    assert contact_values(load(alert_email="a@example.org", data_dir=tmp_path))["WATCHKEEPER_API_TOKEN"] == ""
    with pytest.raises(SettingsError, match="no API token"):
        contact_values(load(alert_webhook_url="http://api:8130/alerts", data_dir=tmp_path))
