"""The provisioning files hold keys that Grafana reads and no others: it passes over a misspelt key without a word.

The keys are those of Grafana's provisioning (Grafana 13, package pkg/services/provisioning, and the plugin's settings);
`...` stands for anything, a list for a list of things of one shape.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import dashboards

FOLDER = Path(dashboards.__file__).parent
BOUND = {"type": ..., "params": ...}
MODEL = dict.fromkeys(
    ("refId", "editorType", "format", "queryType", "intervalMs", "maxDataPoints", "rawSql",
     "type", "expression", "reducer", "settings"), ...,
) | {"conditions": [{"evaluator": BOUND, "unloadEvaluator": BOUND}]}  # fmt: skip
RULE = dict.fromkeys(
    ("uid", "title", "condition", "dashboardUid", "panelId", "noDataState", "execErrState", "for", "keepFiringFor",
     "missing_series_evals_to_resolve", "annotations", "labels", "isPaused"), ...,
) | {
    "data": [{"refId": ..., "queryType": ..., "relativeTimeRange": {"from": ..., "to": ...}, "datasourceUid": ...,
              "model": MODEL}],
    "notification_settings": dict.fromkeys(
        ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "mute_time_intervals",
         "active_time_intervals"), ...,
    ),
    "record": {"metric": ..., "from": ..., "targetDatasourceUid": ...},
}  # fmt: skip
SETTINGS = {
    "webhook": {"url", "httpMethod", "maxAlerts", "authorization_scheme", "authorization_credentials", "username",
                "password", "title", "message", "hmacConfig"},
    "pagerduty": {"integrationKey", "severity", "class", "component", "group", "summary", "source", "client"},
    "slack": {"url", "token", "recipient", "title", "text", "username", "mentionUsers", "mentionGroups"},
    "email": {"addresses", "singleEmail", "subject", "message"},
}  # fmt: skip
ROUTE = dict.fromkeys(
    ("receiver", "group_by", "object_matchers", "matchers", "continue", "group_wait", "group_interval",
     "repeat_interval", "mute_time_intervals", "active_time_intervals"), ...,
)  # fmt: skip
DELETED = [{"orgId": ..., "uid": ...}]
ALERTING = {
    "apiVersion": ...,
    "groups": [{"orgId": ..., "name": ..., "folder": ..., "interval": ..., "rules": [RULE]}],
    "deleteRules": DELETED,
    "contactPoints": [
        {"orgId": ..., "name": ...,
         "receivers": [{"uid": ..., "type": ..., "disableResolveMessage": ..., "settings": ...}]}
    ],
    "deleteContactPoints": DELETED,
    "policies": [ROUTE | {"orgId": ..., "routes": [ROUTE]}],
    "resetPolicies": ...,
}  # fmt: skip
SOURCE = dict.fromkeys(
    ("name", "type", "uid", "orgId", "access", "url", "user", "database", "basicAuth", "isDefault", "editable",
     "version"), ...,
) | {
    "jsonData": dict.fromkeys(
        ("host", "port", "protocol", "secure", "tlsSkipVerify", "tlsAuth", "tlsAuthWithCACert", "path", "httpHeaders",
         "forwardGrafanaHeaders", "username", "defaultDatabase", "defaultTable", "dialTimeout", "queryTimeout",
         "connMaxLifetime", "maxIdleConns", "maxOpenConns", "validateSql", "rowCapacityHint",
         "enableMapKeysDiscovery", "customSettings", "configMode", "signalType", "logs", "traces"), ...,
    ),
    "secureJsonData": dict.fromkeys(("password", "tlsCACert", "tlsClientCert", "tlsClientKey"), ...),
}  # fmt: skip
SOURCES = {"apiVersion": ..., "prune": ..., "deleteDatasources": [{"name": ..., "orgId": ...}], "datasources": [SOURCE]}
PROVIDER = dict.fromkeys(
    ("name", "orgId", "type", "folder", "folderUid", "disableDeletion", "allowUiUpdates", "updateIntervalSeconds"), ...
)
PROVIDERS = {
    "apiVersion": ...,
    "providers": [PROVIDER | {"options": {"path": ..., "foldersFromFilesStructure": ...}}],
}
SHAPES = {
    "provisioning/dashboards": PROVIDERS,
    "provisioning/datasources": SOURCES,
    "provisioning/alerting": ALERTING,
    "generated/alerting": ALERTING,
}
POINTS = ("provisioning/alerting/contact-points.yaml", "generated/alerting/contact-points.yaml")
FILES = {str(path.relative_to(FOLDER)): path for folder in SHAPES for path in (FOLDER / folder).glob("*.yaml")}


def read(name: str) -> dict:
    """Return a provisioning file."""
    return yaml.safe_load(FILES[name].read_text())


def strangers(content, shape, where: str = "") -> Iterator[str]:
    """Yield where something stands that its shape does not know."""
    if shape is ...:
        return
    if type(content) is not type(shape):
        yield f"{where} is not a {type(shape).__name__}"
    elif isinstance(shape, list):
        for number, item in enumerate(content):
            yield from strangers(item, shape[0], f"{where}[{number}]")
    else:
        for key, value in content.items():
            if key in shape:
                yield from strangers(value, shape[key], f"{where}.{key}")
            else:
                yield f"{where}.{key}"


@pytest.mark.parametrize("name", FILES)
def test_a_provisioning_file_holds_keys_that_grafana_reads(name):
    """No key is unknown, at any depth."""
    assert list(strangers(read(name), SHAPES[name.rsplit("/", 1)[0]])) == []


@pytest.mark.parametrize("name", POINTS)
def test_settings_of_receivers_are_those_of_their_kind(name):
    """A setting that a notifier does not know would be lost."""
    for receiver in (receiver for point in read(name)["contactPoints"] for receiver in point["receivers"]):
        assert set(receiver["settings"]) <= SETTINGS[receiver["type"]], receiver["uid"]


def test_routes_lead_to_contact_points_that_are_there():
    """Both files of contact points have those that the routes name; the API is told in the same way by both."""
    [policy] = read("generated/alerting/policy.yaml")["policies"]
    told = {policy["receiver"], *(route["receiver"] for route in policy["routes"])}
    ours, templates = ({point["name"]: point["receivers"] for point in read(name)["contactPoints"]} for name in POINTS)
    assert set(ours) == set(templates) == told
    for name in told:
        [api], template = ours[name], templates[name][0]
        assert (api["uid"], api["settings"].keys()) == (template["uid"], template["settings"].keys())


@pytest.mark.parametrize(
    ("key", "written"), [("executionErrorState", "execErrState"), ("keep_firing_for", "keepFiringFor")]
)
def test_a_misspelt_key_of_a_rule_is_seen(key, written):
    """The name in Grafana's own sample, and the name of the HTTP API, are not those of the file."""
    wrong = copy.deepcopy(read("generated/alerting/rules.yaml"))
    rule = wrong["groups"][0]["rules"][0]
    rule[key] = rule.pop(written)
    assert list(strangers(wrong, ALERTING)) == [f".groups[0].rules[0].{key}"]


def test_states_are_words_that_grafana_knows():
    """No-data and error states, comparators and reducers are of the lists of Grafana."""
    for group in read("generated/alerting/rules.yaml")["groups"]:
        for rule in group["rules"]:
            assert rule["noDataState"] in {"NoData", "Alerting", "OK", "KeepLast"}
            assert rule["execErrState"] in {"Error", "Alerting", "OK", "KeepLast"}
            _asked, reduce, threshold = (step["model"] for step in rule["data"])
            assert reduce["reducer"] in {"last", "min", "max", "mean", "sum", "count"}
            assert {one["evaluator"]["type"] for one in threshold["conditions"]} <= {"gt", "lt", "gte", "lte"}


def test_the_data_source_gives_up_before_grafana_does():
    """A query ends within the thirty seconds that Grafana gives an evaluation, and rows of alerts are not cut."""
    [source] = read("provisioning/datasources/clickhouse.yaml")["datasources"]
    assert int(source["jsonData"]["queryTimeout"]) < 30
    assert "enableRowLimit" not in source["jsonData"]
