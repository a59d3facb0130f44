"""Who is told, as Alertmanager's own tool reads the configuration, and in which words."""

import json
import subprocess

import pytest
import yaml
from typer.testing import CliRunner

from dashboards.alertmanager import NEEDS, VARIABLES, ReceiverError, alertmanager_yaml
from dashboards.generate import prometheus_files
from streams.commands.main import app
from tests.support.programs import PROMETHEUS, program

ENVIRONMENT = {
    "WATCHKEEPER_ALERT_WEBHOOK_URL": "http://127.0.0.1:8130/alerts",
    "WATCHKEEPER_API_TOKEN_FILE": "/run/secrets/token",
    "WATCHKEEPER_ALERT_PAGERDUTY_KEY_FILE": "/run/secrets/pagerduty",
    "WATCHKEEPER_ALERT_SLACK_URL_FILE": "/run/secrets/slack",
    "WATCHKEEPER_ALERT_EMAIL": "oncall@example.org",
    "WATCHKEEPER_SMTP_HOST": "mail.example.org:587",
    "WATCHKEEPER_SMTP_FROM": "watchkeeper@example.org",
    "WATCHKEEPER_ALERT_WATCHDOG_URL": "https://hc.example/ping/1b2c",
}
ALERT = {
    "status": "firing",
    "labels": {"alertname": "watchkeeper_unsafe_served", "service": "shop", "severity": "ticket"},
    "annotations": {
        "summary": "Unsafe output served: objective missed: 3%, shop",
        "description": "The share that nothing stopped.",
        "objective": "0.02",
        "runbook": "dashboards/runbooks/unsafe-output.md",
    },
    "startsAt": "2026-03-02T08:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def amtool() -> str:
    """The program."""
    return program("amtool", PROMETHEUS)


def write(folder, given):
    """Write what Alertmanager reads, with the receivers of an environment."""
    for name, text in prometheus_files(given).items():
        (folder / name).write_text(text)


@pytest.fixture
def folder(tmp_path):
    """What Alertmanager reads, every receiver filled in."""
    write(tmp_path, ENVIRONMENT)
    return tmp_path


def run(*command) -> str:
    """Return what a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def chosen(*names: str) -> dict[str, str]:
    """Return the variables that ask for receivers, with all that these need."""
    return {name: ENVIRONMENT[name] for asks in names for name in (asks, *NEEDS[asks])}


def kinds(made: dict) -> dict[str, set[str]]:
    """Return the kinds of receivers by name."""
    return {receiver["name"]: set(receiver) - {"name"} for receiver in made["receivers"]}


def test_amtool_takes_the_filled_configuration_with_its_template(amtool, folder):
    """Alertmanager's own parser finds nothing to say, and finds the file of words."""
    said = run(amtool, "check-config", folder / "alertmanager.yaml")
    assert "1 templates" in said
    assert "3 receivers" in said


@pytest.mark.parametrize("asked", [name for name in NEEDS if "PAGERDUTY" not in name])
def test_amtool_takes_the_configuration_with_one_receiver_alone(amtool, tmp_path, asked):
    """A receiver that is not set is left out; what is left is a whole configuration."""
    write(tmp_path, chosen(asked))
    run(amtool, "check-config", tmp_path / "alertmanager.yaml")
    made = kinds(yaml.safe_load((tmp_path / "alertmanager.yaml").read_text()))
    assert len(made["watchkeeper-page"]) == len(made["watchkeeper-ticket"]) == 1


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("source=watchkeeper", "severity=page"), "watchkeeper-page"),
        (("source=watchkeeper", "severity=ticket"), "watchkeeper-ticket"),
        (("severity=page", "team=other"), "watchkeeper-ticket"),
        (("source=watchkeeper", "severity=watchdog"), "watchkeeper-watchdog"),
    ],
)
def test_amtool_routes_pages_to_people_and_the_rest_to_tickets(amtool, folder, labels, receiver):
    """A page of ours pages; a ticket does not; what is not ours never pages and is not lost."""
    command = ("config", "routes", "test", f"--config.file={folder / 'alertmanager.yaml'}")
    assert run(amtool, *command, f"--verify.receivers={receiver}", *labels).strip() == receiver


def rendered(amtool, folder, name: str, *alerts: dict) -> str:
    """Return a text as the template writes it."""
    common = {key: value for key, value in alerts[0]["labels"].items() if key != "service"}
    data = {"status": alerts[0]["status"], "receiver": "r", "alerts": alerts, "commonLabels": common}
    (folder / "data.json").write_text(json.dumps(data))
    return run(
        amtool, "template", "render", f"--template.glob={folder}/*.tmpl", f"--template.data={folder}/data.json",
        f'--template.text={{{{ template "watchkeeper.{name}" . }}}}',
    ).rstrip()  # fmt: skip


def test_amtool_renders_what_a_person_on_call_needs(amtool, folder):
    """What happened, to which service, since when, against what, and where to read on; ended, until when."""
    assert rendered(amtool, folder, "title", ALERT) == (
        "[FIRING] ticket: Unsafe output served: objective missed: 3%, shop"
    )
    assert rendered(amtool, folder, "text", ALERT) == (
        "FIRING: Unsafe output served: objective missed: 3%, shop\nThe share that nothing stopped.\nService: shop\n"
        "Limit: 0.02\nSince: 2026-03-02 08:00:00 UTC\nRunbook: dashboards/runbooks/unsafe-output.md"
    )
    over = ALERT | {
        "status": "resolved",
        "endsAt": "2026-03-02T09:00:00Z",
        "annotations": ALERT["annotations"] | {"runbook_url": "https://g.example/r"},
        "labels": ALERT["labels"] | {"incident_id": "inc-1"},
    }
    text = rendered(amtool, folder, "text", over, ALERT)
    assert "Incident: inc-1\n" in text
    assert "Until: 2026-03-02 09:00:00 UTC\nRunbook: https://g.example/r" in text
    assert text.count("Service: shop") == 2
    assert rendered(amtool, folder, "title", over, ALERT).endswith("(one of 2)")


def test_a_foreign_alert_without_annotations_is_told_by_its_name(amtool, folder):
    """Nothing is said of what is not there."""
    bare = ALERT | {"labels": {"alertname": "DiskFull"}, "annotations": {}}
    assert rendered(amtool, folder, "title", bare) == "[FIRING] DiskFull"
    assert "Service" not in rendered(amtool, folder, "text", bare)
    assert "Runbook" not in rendered(amtool, folder, "text", bare)


def test_alerts_that_would_reach_nobody_are_refused():
    """No receiver, a pager that hears pages alone, and mail without a host are errors that say what to set."""
    for given, lacking in (
        ({}, "WATCHKEEPER_ALERT_WEBHOOK_URL"),
        (dict.fromkeys(VARIABLES, ""), "WATCHKEEPER_ALERT_WEBHOOK_URL"),
        (chosen("WATCHKEEPER_ALERT_PAGERDUTY_KEY_FILE"), "a ticket would reach nobody"),
        ({"WATCHKEEPER_ALERT_EMAIL": "a@example.org"}, "WATCHKEEPER_SMTP_HOST and WATCHKEEPER_SMTP_FROM"),
        ({"WATCHKEEPER_ALERT_WEBHOOK_URL": "http://h/alerts"}, "WATCHKEEPER_API_TOKEN_FILE"),
    ):
        with pytest.raises(ReceiverError, match=lacking):
            alertmanager_yaml(given)


def test_the_watchdog_is_told_to_nobody_where_no_address_is_given():
    """It is neither a ticket nor a page; with an address it goes there each minute, and its end is not told."""
    without = alertmanager_yaml(chosen("WATCHKEEPER_ALERT_WEBHOOK_URL"))
    assert kinds(without)["watchkeeper-watchdog"] == set()
    [heard] = alertmanager_yaml(ENVIRONMENT)["receivers"][-1]["webhook_configs"]
    assert heard == {"url": "https://hc.example/ping/1b2c", "send_resolved": False}


def test_secrets_are_files():
    """The configuration names files; no variable that is written into it holds a secret."""
    assert {name for name in VARIABLES if "TOKEN" in name or "KEY" in name or "SLACK" in name} == {
        name for name in VARIABLES if name.endswith("_FILE")
    }


def test_the_command_writes_them_as_the_environment_has_them(tmp_path):
    """`watchkeeper prometheus DIR` makes the folder and three files in it; a second run writes the same."""
    folder = tmp_path / "made" / "here"
    for _ in range(2):
        done = CliRunner().invoke(app, ["prometheus", str(folder)], env=ENVIRONMENT)
        assert done.exit_code == 0, done.output
        assert {path.name: path.read_text() for path in folder.iterdir()} == prometheus_files(ENVIRONMENT)
