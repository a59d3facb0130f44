"""A receiver: a chat of another maker."""

WHAT = "a receiver"
FILES = {
    "streams/policy/receivers.py": [('"slack", "pagerduty", "webhook"]', '"slack", "pagerduty", "webhook", "matrix"]')],
    "streams/incidents/notify/bodies.py": [
        (
            '        case "webhook":\n',
            """        case "matrix":
            made = {"msgtype": "m.text", "body": "; ".join(headline(one.record) for one in told)}
        case "webhook":
""",
        )
    ],
}
GENERATED = []
CHECKS = ["tests/streams/policy"]
SEEN = '''
"""The policy takes the receiver, and a transition becomes its body."""

import json

from streams.incidents.notify.bodies import Places, body
from streams.incidents.notify.planning import Due
from streams.policy.policy import parse_policy
from tests.support.incidents.records import record


def test_it_is_told_in_its_own_words():
    """One line of text, as that chat wants it."""
    policy = parse_policy("receivers: [{name: a, kind: matrix, url: 'https://example.org/hook'}]")
    [receiver] = policy.receivers
    told = json.loads(body(Due("a", (record(),), 1, 0), receiver, policy, Places()))
    assert told["msgtype"] == "m.text"
    assert told["body"].startswith("SEV2 leak incident on helpdesk-eu: detected")
'''
