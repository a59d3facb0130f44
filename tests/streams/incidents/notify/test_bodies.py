"""Bodies of notifications: valid JSON for hostile texts, what each receiver wants, and no text of users."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.incidents import IncidentTransition
from schemas.wire import decoder
from streams.incidents.notify.bodies import Places, body
from streams.incidents.notify.notifier import places
from streams.incidents.notify.planning import Due
from streams.policy.policy import parse_policy
from streams.policy.receivers import Receiver
from streams.settings import Settings
from tests.support.incidents.records import record

RUNBOOK = "https://example.org/runbook?a=1&b=2"
POLICY = parse_policy(f"services: {{helpdesk-eu: {{owner: team-support, runbook: '{RUNBOOK}'}}}}")
NASTY = ['"', "\\", "</script>", "<!channel>", "\n", "{{ 7*7 }}", "{% endraw %}", "\u2028", "\x01", "😀", "*_`~|>"]
texts = st.sampled_from(NASTY) | st.text(max_size=60) | st.lists(st.sampled_from(NASTY)).map("".join)
longest = st.just("x" * 2048) | st.just("<" * 2048)


def told(kind, *records, url="https://watch.example.org", board="", policy=POLICY):
    """Return what a receiver of a kind is sent, parsed."""
    receiver = Receiver(name="a", kind=kind, url="https://hook.example.org/", secret_from="key")  # noqa: S106
    due = Due("a", records, 1, 0, digest=len(records) > 1)
    places = Places(url, board)
    return json.loads(body(due, receiver, policy, places, "routing" if kind == "pagerduty" else ""))


def test_a_webhook_gets_the_record_and_links():
    """What a plain webhook gets is the record itself, which the contract takes, and where to read on."""
    one = record(reason="why", users_affected=3, ticket_url="https://tickets.example.org/1")
    sent = told("webhook", one)
    assert [link["text"] for link in sent["links"]] == ["incident", "runbook", "ticket"]
    assert sent["links"][0]["href"] == "https://watch.example.org/incidents/i/page"
    assert sent.pop("links")[1]["href"] == RUNBOOK
    assert decoder(IncidentTransition)(json.dumps(sent).encode(), 2**62) == one


def test_a_digest_holds_every_transition():
    """The digest of a webhook has all records in order; Slack's has a line for each, up to a number."""
    records = [record(incident=f"i{number}", severity="sev3") for number in range(30)]
    sent = told("webhook", *records)
    assert [item["incident_id"] for item in sent["incidents"]] == [item.incident_id for item in records]
    text = told("slack", *records)["blocks"][1]["text"]["text"]
    assert text.count("•") == 20
    assert "and 10 more" in text


@pytest.mark.parametrize(
    ("transition", "action"),
    [("detected", "trigger"), ("reopened", "trigger"), ("escalated", "trigger"), ("acknowledged", "acknowledge"),
     ("mitigated", "acknowledge"), ("recovered", "resolve"), ("closed", "resolve"), ("merged", "resolve")],
)  # fmt: skip
def test_pagerduty_hears_what_it_understands(transition, action):
    """Each transition is an action of Events v2 on the incident's own key."""
    sent = told("pagerduty", record(transition))
    assert (sent["event_action"], sent["dedup_key"], sent["routing_key"]) == (action, "i", "routing")


@pytest.mark.parametrize(
    ("severity", "word"), [("sev1", "critical"), ("sev2", "error"), ("sev3", "warning"), ("sev4", "info")]
)
def test_pagerduty_has_four_severities(severity, word):
    """The crosswalk of severities."""
    payload = told("pagerduty", record(severity=severity))["payload"]
    assert payload["severity"] == word
    assert payload["timestamp"] == "2026-02-02T02:40:00+00:00"
    assert payload["summary"].startswith(severity.upper())


def test_slack_is_told_the_facts_and_shows_names_as_they_are():
    """Text and blocks; a name that looks like a mention of everybody is none."""
    sent = told("slack", record(service_name="<!channel>", reason="a & b", users_affected=3))
    assert "<!channel>" not in sent["text"]
    fields = [field["text"] for field in sent["blocks"][1]["fields"]]
    assert "*why*\na &amp; b" in fields
    assert "*affected*\n3 users" in fields
    assert sent["blocks"][2]["elements"][0]["text"] == "<https://watch.example.org/incidents/i/page|incident>"


def test_a_page_says_what_was_measured_who_is_affected_and_where_to_look():
    """The finding's own sentence, the numbers, and a board of this service from an hour before it began."""
    one = record(service_name="shop & co", reason="leak is 16.5 %", sessions_affected=9, outputs_affected=12,
                 reached_user=True, onset_time_unix_nano=1_770_000_000 * 10**9)  # fmt: skip
    board = "https://g.example.org/d/s?var-service={service}&from={from}"
    assert told("pagerduty", one)["payload"]["summary"].endswith(": leak is 16.5 %")
    sent = told("slack", one, board=board)
    fields = [field["text"] for field in sent["blocks"][1]["fields"]]
    assert "*affected*\n9 sessions, 12 outputs, reached users" in fields
    assert told("webhook", one, board=board)["links"][1] == {
        "text": "board", "href": "https://g.example.org/d/s?var-service=shop%20%26%20co&from=1769996400000"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "http://127.0.0.1:8130"),
        ({"host": "::1", "api_port": 9}, "http://[::1]:9"),
        ({"host": "0.0.0.0"}, ""),
        ({"host": "0.0.0.0", "public_url": "https://watch.example"}, "https://watch.example"),
        ({"public_url": "https://watch.example"}, "https://watch.example"),
    ],
)
def test_links_lead_to_where_people_reach_it(given, expected):
    """Where it is named; else to this machine, if nobody comes from elsewhere; else nowhere."""
    assert places(Settings(**given)).public_url == expected


def test_only_web_addresses_are_links():
    """Without an address of ours, and with a runbook that is none, there is no link."""
    policy = parse_policy("defaults: {runbook: 'javascript:alert(1)'}")
    assert told("webhook", record(), url="", policy=policy)["links"] == []
    assert len(told("slack", record(), url="", policy=policy)["blocks"]) == 2


@given(st.sampled_from(["slack", "pagerduty", "webhook"]), st.booleans(), texts, texts | longest, texts)
def test_every_body_is_json_within_the_limits(kind, digest, name, reason, ticket):
    """Whatever the texts hold, the body parses, and Slack and PagerDuty take its lengths."""
    one = record(service_name=(name or "a")[:256], reason=reason, actor_id=name[:256], ticket_url=ticket, family=name)
    sent = told(kind, *[one] * (25 if digest and kind != "pagerduty" else 1))
    if kind == "slack":
        header, *others = sent["blocks"]
        assert len(header["text"]["text"]) <= 150
        assert all(len(block.get("text", {}).get("text", "")) <= 3000 for block in others)
        fields = [field for block in others for field in block.get("fields", [])]
        assert len(fields) <= 10
        assert all(0 < len(field["text"]) <= 2000 for field in fields)
    elif kind == "pagerduty":
        assert len(sent["payload"]["summary"]) <= 1024
        assert len(sent["dedup_key"]) <= 255
    elif not digest:
        assert (sent["reason"], sent["service_name"]) == (reason, one.service_name)
