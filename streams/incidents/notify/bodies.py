"""What a receiver is sent: a dictionary for each kind, valid JSON whatever the texts hold.

No body carries a prompt or an answer: a transition has none, and nothing else is put in but links.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from schemas.fields import NANO
from schemas.incidents import IncidentTransition
from schemas.runbooks import runbook_of
from schemas.wire import encode
from streams.incidents.notify.planning import Due
from streams.policy.policy import Policy
from streams.policy.receivers import PAGERDUTY_ACTIONS, Receiver
from streams.text.times import utc

PAGERDUTY_SEVERITY: Final = {"sev1": "critical", "sev2": "error", "sev3": "warning", "sev4": "info"}
"""Severities of PD-CEF, the format of PagerDuty's events."""

_REACHED: Final = {True: "reached users", False: "reached no user", None: ""}

HOUR_NANO: Final = 3600 * NANO

DIGEST_LINES: Final = 20
"""A Slack section holds 3,000 characters; what does not fit is counted."""


class Link(NamedTuple):
    """A link with its name."""

    text: str
    href: str


class Places(NamedTuple):
    """Where people read on: the address of the pages of incidents, and a board's; empty leaves a link out."""

    public_url: str = ""
    board_url: str = ""


class Told(NamedTuple):
    """A transition with what is said beside it."""

    record: IncidentTransition
    facts: dict[str, str]
    links: list[Link]


def body(due: Due, receiver: Receiver, policy: Policy, places: Places, routing_key: str = "") -> bytes:
    """Return the JSON that tells a receiver of what is due.

    Parameters
    ----------
    due
        What is to be told.
    receiver
        Whom; its kind chooses the form.
    policy
        Where the runbooks stand.
    places
        Where people reach the pages of incidents, and a board.
    routing_key
        For PagerDuty.
    """
    told = [Told(record, _facts(record, policy), links(record, policy, places)) for record in due.transitions]
    match receiver.kind:
        case "pagerduty":
            made = _pagerduty(told[0], routing_key)
        case "slack":
            made = _slack_digest(told) if due.digest else _slack(told[0])
        case "webhook":
            made = _webhook_digest(told) if due.digest else _webhook(told[0])
    return json.dumps(made).encode()


def _webhook(told: Told) -> dict[str, Any]:
    return msgspec.json.decode(encode(told.record)) | {"links": [link._asdict() for link in told.links]}


def _webhook_digest(told: Sequence[Told]) -> dict[str, Any]:
    return {"event_type": "ai.safety.incident_digest.v1", "incidents": [_webhook(one) for one in told]}


def _pagerduty(told: Told, routing_key: str) -> dict[str, Any]:
    """Return an event of PagerDuty's Events API v2."""
    record = told.record
    return {
        "routing_key": routing_key,
        "event_action": PAGERDUTY_ACTIONS.get(record.transition, "trigger"),
        "dedup_key": record.incident_id[:255],
        "client": "Watchkeeper",
        "payload": {
            "summary": cut(": ".join(filter(None, (headline(record), record.reason))), 1_024),
            "source": record.service_name,
            "severity": PAGERDUTY_SEVERITY[record.severity],
            "timestamp": datetime.fromtimestamp(record.transition_time_unix_nano / 1e9, UTC).isoformat(),
            "component": record.service_name,
            "class": record.family or "",
            "custom_details": told.facts,
        },
        "links": [link._asdict() for link in told.links],
    }


def _slack(told: Told) -> dict[str, Any]:
    title = headline(told.record)
    fields = [f"*{name}*\n{mrkdwn(cut(value, 380))}" for name, value in told.facts.items()]
    blocks = [_header(cut(title, 150)), {"type": "section", "fields": [_mrkdwn(field) for field in fields]}]
    if told.links:
        named = [f"<{mrkdwn(href).replace('|', '%7C').replace(' ', '%20')}|{text}>" for text, href in told.links]
        blocks.append({"type": "context", "elements": [_mrkdwn(" · ".join(named))]})
    return {"text": cut(mrkdwn(title), 1_000), "blocks": blocks}


def _slack_digest(told: Sequence[Told]) -> dict[str, Any]:
    count = "1 transition of an incident" if len(told) == 1 else f"{len(told)} transitions of incidents"
    title = f"Quiet hours are over: {count}"
    lines = [f"• {cut(mrkdwn(headline(one.record)), 130)}\n\n" for one in told[:DIGEST_LINES]]
    if len(told) > DIGEST_LINES:
        lines.append(f"and {len(told) - DIGEST_LINES} more\n")
    return {"text": title, "blocks": [_header(title), {"type": "section", "text": _mrkdwn("".join(lines))}]}


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def links(record: IncidentTransition, policy: Policy, places: Places) -> list[Link]:
    """Return where to go on reading: the page of the incident, a board, the runbook, the ticket, the post-mortem."""
    page = f"{places.public_url.rstrip('/')}/incidents/{quote(record.incident_id, safe='')}/page"
    found = (
        Link("incident", page),
        Link("board", _board(record, places.board_url)),
        Link("runbook", policy.service(record.service_name).runbook),
        Link("ticket", record.ticket_url or ""),
        Link("post-mortem", record.postmortem_url or ""),
    )
    return [link for link in found if link.href.startswith(("https://", "http://"))]


def _board(record: IncidentTransition, address: str) -> str:
    """Return the address of a board, from an hour before it began."""
    began = (record.onset_time_unix_nano or record.transition_time_unix_nano) - HOUR_NANO
    named = address.replace("{service}", quote(record.service_name, safe=""))
    return named.replace("{from}", str(began // 1_000_000))


def headline(record: IncidentTransition) -> str:
    """Return a transition in one line.

    >>> headline(IncidentTransition(event_id="e", source="s", time_unix_nano=1770000000000000000, service_name="shop",
    ...     incident_id="i", dedup_key="i", transition="escalated", severity="sev2", family="leak",
    ...     transition_time_unix_nano=1770000000000000000, actor_kind="system"))
    'SEV2 leak incident on shop: escalated at 2026-02-02 02:40:00 UTC'
    """
    family = f"{record.family} " if record.family else ""
    return (
        f"{record.severity.upper()} {family}incident on {record.service_name}: "
        f"{record.transition} at {utc(record.transition_time_unix_nano)}"
    )


def cut(text: str, length: int) -> str:
    """Return a text that is at most so long, with an ellipsis where it was cut.

    >>> cut("abcdef", 4), cut("abcd", 4)
    ('abc…', 'abcd')
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def mrkdwn(text: str) -> str:
    """Return a text that Slack shows as it is: no mention, no link, no second line.

    >>> mrkdwn("<!channel> & all")
    '&lt;!channel&gt; &amp; all'
    """
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _facts(record: IncidentTransition, policy: Policy) -> dict[str, str]:
    """Return the facts of a transition that are known, each in a few words."""
    onset = record.onset_time_unix_nano
    affected = {
        "users": record.users_affected,
        "sessions": record.sessions_affected,
        "tenants": record.tenants_affected,
        "outputs": record.outputs_affected,
    }
    counts = ", ".join(f"{count} {name}" for name, count in affected.items() if count is not None)
    found = {
        "incident": record.incident_id,
        "since": utc(onset) if onset else "",
        "by": record.actor_id or record.actor_kind,
        "why": record.reason or "",
        "mitigation": (record.mitigation_kind or "").replace("_", " "),
        "affected": ", ".join(filter(None, (counts, _REACHED[record.reached_user]))),
        "suspected change": record.suspected_change_id or "",
        "owner": policy.service(record.service_name).owner,
        "runbook": "" if policy.service(record.service_name).runbook else runbook_of(record.family or ""),
    }
    return {name: value for name, value in found.items() if value}
