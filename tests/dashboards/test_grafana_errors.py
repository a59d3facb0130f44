"""What stands in the way of deploying is told in one line that says what to do."""

import pytest

from dashboards.grafana.contacts import ContactError
from dashboards.grafana.deploy import wanted
from dashboards.grafana.server import GrafanaError, GrafanaUnavailableError, Server
from dashboards.panels import UID
from tests.support.dashboards.deploying import FILES, ITEMS, SOURCE, VALUES, diffs, run
from tests.support.dashboards.grafana_server import TOKEN

pytestmark = pytest.mark.enable_socket


def test_a_grafana_that_is_too_old_or_has_no_plugin_is_refused_before_anything_is_written(grafana):
    """The version is named, and what is needed."""
    for version, plugin, said in (
        ("11.5.2", "4.10.0", "11.6 or newer"),
        ("13.3.1", "3.9.1", "4.0 or newer"),
        ("13.3.1", "", "plugins install"),
    ):
        grafana.version, grafana.plugin = version, plugin
        with pytest.raises(GrafanaError, match=said):
            run(grafana)
    assert grafana.writes == []


def test_wrong_token_and_too_few_rights_say_what_to_change(grafana):
    """The name of the setting for the one, the role for the other, with the step that it stopped."""
    with pytest.raises(GrafanaError, match="WATCHKEEPER_GRAFANA_TOKEN"):
        Server(grafana.url, "wrong").check()
    with pytest.raises(GrafanaError, match="WATCHKEEPER_GRAFANA_TOKEN"):
        Server(grafana.url, "")
    before = len(grafana.calls)
    diffs(grafana)
    reads = len(grafana.calls) - before
    grafana.fail_at, grafana.failure = len(grafana.calls) + reads, "403"
    with pytest.raises(GrafanaError, match=r"could not create folder watchkeeper-boards: .*role Admin"):
        run(grafana)


def test_what_is_no_grafana_or_does_not_answer_is_told(grafana):
    """An address that cannot be one, one where nobody listens, one with something else."""
    with pytest.raises(GrafanaError, match="WATCHKEEPER_GRAFANA_URL"):
        Server("grafana.example.org", TOKEN)
    with pytest.raises(GrafanaUnavailableError, match="does not answer"):
        Server("http://127.0.0.1:1", TOKEN).check()
    grafana.version = ""
    with pytest.raises(GrafanaError, match="is no Grafana"):
        Server(grafana.url, TOKEN).check()
    grafana.fail_at, grafana.failure = len(grafana.calls), "502"
    with pytest.raises(GrafanaUnavailableError, match="fails"):
        Server(grafana.url, TOKEN).check()


def test_a_path_of_grafana_is_kept(grafana):
    """A Grafana under a path is asked there, with and without a slash at its end."""
    for url in (f"{grafana.url}/grafana", f"{grafana.url}/grafana/"):
        with pytest.raises(GrafanaError, match="no such call: GET /grafana/api/frontend/settings"):
            Server(url, TOKEN).check()


def test_a_folder_of_our_title_that_is_not_ours_is_not_taken(grafana):
    """It may be somebody's own, or come from files: it is named, and nothing is written."""
    grafana.folders["abc"] = {"uid": "abc", "title": "Watchkeeper alerts"}
    with pytest.raises(GrafanaError, match=r"'Watchkeeper alerts' is there that is not ours .its uid is abc"):
        run(grafana)
    assert grafana.writes == []


def test_a_data_source_that_comes_from_a_file_is_named(grafana):
    """Grafana lets nobody change it: the step is told with Grafana's own words."""
    run(grafana)
    grafana.sources[UID] |= {"readOnly": True, "name": "other"}
    with pytest.raises(GrafanaError, match=f"could not change data source {UID}: .*read-only"):
        run(grafana)


def test_a_contact_point_that_reaches_nobody_is_refused_with_what_to_set():
    """Every way is named; one is enough, and then the others are left out."""
    with pytest.raises(
        ContactError, match=r"WATCHKEEPER_ALERT_WEBHOOK_URL and WATCHKEEPER_API_TOKEN or .*PAGERDUTY_KEY"
    ):
        wanted(FILES, SOURCE, {})
    with pytest.raises(ContactError, match="watchkeeper-ticket"):
        wanted(FILES, SOURCE, {"WATCHKEEPER_ALERT_PAGERDUTY_KEY": "key"})
    mail = wanted(FILES, SOURCE, {"WATCHKEEPER_ALERT_EMAIL": "a@example.org"})
    assert [item.uid for item in mail if item.kind == "contact point"] == [
        "watchkeeper-email-page",
        "watchkeeper-email-ticket",
    ]
    assert len([item for item in ITEMS if item.kind == "contact point"]) == len(mail) - len(ITEMS) + 7 + 5
    assert "${" not in str([item.body for item in wanted(FILES, SOURCE, VALUES) if item.kind == "contact point"])
