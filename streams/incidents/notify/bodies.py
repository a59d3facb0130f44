"""What a receiver is sent: a template for each kind, filled with facts, valid JSON whatever the texts hold.

No body carries a prompt or an answer: a transition has none, and nothing else is put in but links.
"""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import jinja2
import msgspec

from schemas.records import Incident
from schemas.wire import encode
from streams.incidents.notify.planning import Due
from streams.policy.policy import Policy
from streams.policy.receivers import PAGERDUTY_ACTIONS, Receiver

PAGERDUTY_SEVERITY: Final = {"sev1": "critical", "sev2": "error", "sev3": "warning", "sev4": "info"}
"""Severities of PD-CEF, the format of PagerDuty's events."""

DIGEST_LINES: Final = 20
"""A Slack section holds 3,000 characters; what does not fit is counted."""


class Link(NamedTuple):
    """A link with its name."""

    text: str
    href: str


@cache
def templates() -> jinja2.Environment:
    """Return the templates of this package; HTML escapes everything by itself, JSON through `tojson`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("streams.incidents"),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cut"] = cut
    environment.filters["mrkdwn"] = mrkdwn
    return environment


def body(due: Due, receiver: Receiver, policy: Policy, public_url: str, routing_key: str = "") -> bytes:
    """Return the JSON that tells a receiver of what is due.

    Parameters
    ----------
    due
        What is to be told.
    receiver
        Whom; its kind chooses the template.
    policy
        Where the runbooks stand.
    public_url
        Where people reach the pages of incidents; empty leaves that link out.
    routing_key
        For PagerDuty.
    """
    told = [_told(record, policy, public_url) for record in due.transitions]
    filled = templates().get_template(f"{receiver.kind}.json.j2").render(
        told=told, digest=due.digest, delivery_id=due.delivery_id, routing_key=routing_key, lines=DIGEST_LINES
    )  # fmt: skip
    return json.dumps(json.loads(filled)).encode()


def links(record: Incident, policy: Policy, public_url: str) -> list[Link]:
    """Return where to go on reading: the page of the incident, the runbook, the ticket, the post-mortem."""
    page = f"{public_url.rstrip('/')}/incidents/{quote(record.incident_id, safe='')}/page" if public_url else ""
    found = (
        Link("incident", page),
        Link("runbook", policy.service(record.service_name).runbook),
        Link("ticket", record.ticket_url or ""),
        Link("post-mortem", record.postmortem_url or ""),
    )
    return [link for link in found if link.href.startswith(("https://", "http://"))]


def headline(record: Incident) -> str:
    """Return a transition in one line.

    >>> headline(Incident(event_id="e", source="s", time_unix_nano=1770000000000000000, service_name="shop",
    ...     incident_id="i", dedup_key="i", transition="escalated", severity="sev2", family="leak",
    ...     transition_time_unix_nano=1770000000000000000, actor_kind="system"))
    'SEV2 leak incident on shop: escalated at 2026-02-02 02:40:00 UTC'
    """
    family = f"{record.family} " if record.family else ""
    return (
        f"{record.severity.upper()} {family}incident on {record.service_name}: "
        f"{record.transition} at {utc(record.transition_time_unix_nano)}"
    )


def utc(unix_nano: int) -> str:
    """Return a time as people read it, to the second."""
    return datetime.fromtimestamp(unix_nano // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


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


def _told(record: Incident, policy: Policy, public_url: str) -> dict[str, Any]:
    """Return the facts that the templates may use."""
    return {
        "headline": headline(record),
        "facts": _facts(record, policy),
        "links": links(record, policy, public_url),
        "record": msgspec.json.decode(encode(record)),
        "pagerduty_action": PAGERDUTY_ACTIONS.get(record.transition, "trigger"),
        "pagerduty_severity": PAGERDUTY_SEVERITY[record.severity],
        "timestamp": datetime.fromtimestamp(record.transition_time_unix_nano / 1e9, UTC).isoformat(),
    }


def _facts(record: Incident, policy: Policy) -> dict[str, str]:
    """Return the facts of a transition that are known, each in a few words."""
    onset = record.onset_time_unix_nano
    affected = {
        "users": record.users_affected,
        "sessions": record.sessions_affected,
        "tenants": record.tenants_affected,
    }
    found = {
        "incident": record.incident_id,
        "since": utc(onset) if onset else "",
        "by": record.actor_id or record.actor_kind,
        "why": record.reason or "",
        "mitigation": (record.mitigation_kind or "").replace("_", " "),
        "affected": ", ".join(f"{count} {name}" for name, count in affected.items() if count is not None),
        "suspected change": record.suspected_change_id or "",
        "owner": policy.service(record.service_name).owner,
    }
    return {name: value for name, value in found.items() if value}
