"""Notices of Grafana and Alertmanager: what they become, and what is refused."""

import json
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dashboards.generate import FOLDER
from schemas.incidents import IncidentAction
from schemas.wire import decoder, encode
from streams.api.alerts import MOST_ALERTS, AlertError, actions, read_notice
from streams.api.incidents import MAX_BODY_BYTES
from tests.support.incidents.entries import act, at, back, folding, page, taken


def notice(status="firing", **labels):
    """Return the body of a notice, with fields that nobody reads."""
    alert = {
        "status": status, "labels": {"alertname": "LeakHigh", **labels}, "annotations": {"summary": "x"},
        "startsAt": "2026-03-04T12:43:10.123456789Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "f00",
        "generatorURL": "http://g/", "values": {"A": 1.5}, "silenceURL": "",
    }  # fmt: skip
    return json.dumps({"receiver": "w", "version": "1", "groupKey": "{}:{}", "alerts": [alert], "title": "t"}).encode()


def said(body, kept):
    """Return the one action of a notice."""
    [action] = actions(read_notice(body), kept.about, at(1_000), at(100)).said
    return action


def test_an_alert_reaches_the_incident_it_is_about():
    """By the incident's own id, or by service and family; and it is one step of it, however often it is sent."""
    kept = folding(page())
    for labels in ({"incident_id": "inc-p"}, {"service": "a", "family": "leak"}):
        action = said(notice(**labels), kept)
        assert (action.incident_id, action.alert_fingerprint) == ("inc-p", "f00")
        kept.add([action, action])
    kept.add([said(notice("resolved", incident_id="inc-p"), kept)])
    [incident] = kept.incidents()
    assert [step.name for step in incident.steps] == ["detected", "notified", "notified"]
    assert incident.status == "detected"


def test_an_alert_about_nothing_that_is_open_is_kept_as_refused():
    """It is an action on an incident that nobody knows, and says so; nothing is lost."""
    kept = folding(page())
    action = said(notice(service="z", family="leak"), kept)
    kept.add([action])
    assert action.incident_id == "alert-f00"
    assert action.event_id in kept.fold.refused


@pytest.mark.parametrize("over", [back(second=500), act("close", 500), act("merge", 500, into_incident_id="inc-q")])
def test_the_end_of_an_alert_goes_where_its_beginning_went(over):
    """An alert that names a service and a family ends when its incident is over; so it is told to that incident."""
    kept = folding(page(), page("q", 1, service="z"))
    kept.add([said(notice(service="a", family="leak"), kept)])
    kept.add(taken([over]))
    action = said(notice("resolved", service="a", family="leak"), kept)
    assert action.incident_id == "inc-p"
    kept.add([action])
    assert action.event_id not in kept.fold.refused


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"alerts": 3}', b'{"alerts": null}', b"[" * 100_000])
def test_what_is_no_notice_is_refused(body):
    """Wrong JSON, wrong types, missing fields and nesting without an end are one clear error."""
    with pytest.raises(AlertError, match="no notice"):
        read_notice(body)


WRONG = {
    "no labels": {"labels": None},
    "no start": {"startsAt": None},
    "a start without a zone": {"startsAt": "2026-03-04T12:43:10"},
    "before all time": {"startsAt": "0001-01-01T00:00:00Z"},
    "after all time": {"startsAt": "9999-12-31T23:59:59Z"},
    "an unknown status": {"status": "smouldering"},
    "a number for a label": {"labels": {"alertname": 3}},
    "a NUL character": {"labels": {"alertname": "a\x00b"}},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_wrong_alert_keeps_no_other_back(change):
    """Before and after it the others are told; what was wrong with it is said, with its place."""
    whole = json.loads(notice(incident_id="inc-p"))
    good = whole["alerts"][0]
    whole["alerts"] = [good, good | change, good | {"fingerprint": "f01"}]
    told = actions(read_notice(json.dumps(whole).encode()), folding(page()).about, at(1_000), at(100))
    assert [action.alert_fingerprint for action in told.said] == ["f00", "f01"]
    [why] = told.refused
    assert why.startswith("alert 1: ")


def test_too_many_alerts_are_refused_with_what_to_set():
    """A notice of a thousand alerts is refused before anything is made of it."""
    many = json.loads(notice())
    many["alerts"] *= 1_000
    with pytest.raises(AlertError, match="max_alerts"):
        read_notice(json.dumps(many).encode())


def test_as_many_alerts_as_are_taken_fit_into_a_body():
    """Alertmanager never repeats what was refused as too large; a full notice of the longest rule is not."""
    rules = yaml.safe_load((FOLDER / "prometheus/rules.yaml").read_text())["groups"][0]["rules"]
    longest = max(rules, key=lambda rule: len(json.dumps(rule)))
    full = json.loads(notice(**longest["labels"], incident_id="i" * 256, service="s" * 256))
    full["alerts"][0] |= {"annotations": longest["annotations"], "generatorURL": quote(longest["expr"])}
    full["alerts"] *= MOST_ALERTS
    body = json.dumps(full).encode()
    assert len(body) <= MAX_BODY_BYTES / 1.5
    assert len(read_notice(body).alerts) == MOST_ALERTS


@given(st.text(max_size=3_000), st.text(max_size=400))
def test_any_labels_give_an_action_of_the_contract(name, service):
    """Whatever the labels hold, what comes of them is a record that the contract accepts; only NUL is refused."""
    body = notice(alertname=name, service=service)
    told = actions(read_notice(body), folding(page()).about, at(1_000), at(100))
    assert [decoder(IncidentAction)(encode(action), at(1_000)) for action in told.said] == told.said
    assert len(told.refused) == ("\x00" in name + service)
