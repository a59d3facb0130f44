"""Receivers and response times in the policy: what they say, and how they are refused."""

import pytest

from streams.policy.policy import PolicyError, parse_policy

WHOLE = """
receivers:
  - {name: chat, kind: slack, url_from: slack_url, severities: [sev1, sev2, sev3],
     quiet_hours: {from: "22:00", to: "07:00", timezone: Europe/Berlin}}
  - {name: pager, kind: pagerduty, secret_from: pagerduty_key, severities: [sev1, sev2]}
  - {name: bus, kind: webhook, url: "https://example.org/hook", secret_from: bus_key, transitions: [noted, closed]}
response:
  acknowledge_within_minutes: {sev1: 2}
  mitigate_within_minutes: {sev3: 600}
  remind_every_minutes: 10
"""


def test_a_whole_policy_is_read():
    """Receivers in their order; a limit that is not named keeps its default."""
    policy = parse_policy(WHOLE)
    assert [receiver.name for receiver in policy.receivers] == ["chat", "pager", "bus"]
    assert policy.receivers[0].quiet_hours.end.hour == 7
    within = policy.response.acknowledge_within
    assert [within(severity) for severity in ("sev1", "sev2", "sev3", "sev4")] == [2, 15, 60, None]
    assert policy.response.mitigate_within("sev3") == 600
    assert policy.response.close_after_quiet_hours == 24


HOOK = "receivers:\n  - name: a\n    kind: webhook\n    url: https://example.org/\n"
NIGHT = "quiet_hours: {from: '22:00', to: '07:00', timezone: UTC}"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("receivers:\n  - {name: a, kind: webhook}\n", 2, "needs url, or url_from"),
        (HOOK + "    url_from: x\n", 2, "not both"),
        (HOOK + "    knd: x\n", 5, "receivers.0.knd: Extra inputs"),
        (HOOK + "    transitions: [detected, exploded]\n", 5, "receivers.0.transitions.1"),
        (HOOK + "    kind: webhook\n", 5, 'found duplicate key "kind"'),
        (HOOK + HOOK.removeprefix("receivers:\n"), 1, "two receivers are called a"),
        (HOOK + "    quiet_hours: {from: 2200, to: '07:00', timezone: UTC}\n", 5, "hours and minutes"),
        (HOOK + "    quiet_hours: {from: '22:00', to: '07:00', timezone: Mars}\n", 5, "no time zone is called 'Mars'"),
        (HOOK + "    quiet_hours: {from: '22:00', to: '22:00', timezone: UTC}\n", 5, "the same time"),
        (HOOK + "    quiet_hours: {from: '22:00Z', to: '07:00', timezone: UTC}\n", 5, "without an offset"),
        ("receivers:\n  - name: a\n    kind: slack\n    url: https://hooks.slack.com/services/x\n", 4, "is a secret"),
        ("receivers:\n  - name: a\n    kind: webhook\n    url: https://me:pw@example.org\n", 4, "is a secret"),
        ("receivers:\n  - name: a\n    kind: webhook\n    url: example.org\n", 4, "begins with https://"),
        ("receivers:\n  - {name: a, kind: webhook, url_from: ../key}\n", 2, "should match pattern"),
        ("receivers:\n  - {name: a, kind: pagerduty}\n", 2, "holds the routing key"),
        ("receivers:\n  - {name: a, kind: pagerduty, secret_from: k, transitions: [noted]}\n", 2, "knows no noted"),
        ("receivers:\n  - {name: a, kind: pagerduty, secret_from: k, " + NIGHT + "}\n", 2, "takes no digest"),
        ("response:\n  remind_every_minutes: 0\n", 2, "greater than 0"),
        ("response:\n  acknowledge_within_minutes: {sev5: 1}\n", 2, "sev5"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_line(text, line, words):
    """Each mistake is named with the line it stands in, and never with a secret."""
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, "p.yaml")
    assert str(refused.value).startswith(f"p.yaml:{line}: ")
    assert words in str(refused.value)
    assert "pw" not in str(refused.value)
