"""Rules: what they look at, when they fire, and that neither order nor repeats matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import NANO
from schemas.findings import Finding
from streams.incidents.requests.rules import ControlRules
from streams.policy.policy import PolicyError, parse_policy

NOON = 20_500 * 86_400 * NANO + 43_200 * NANO
MINUTE = 60 * NANO


def finding(number, minute, service="chat", **more):
    """Return a finding at so many minutes after noon."""
    own = {"kind": "severe_event", "severity": "page", "metric": "leak", "family": "leak", "detector": "d"}
    return Finding(
        finding_id=f"f{number}", service_name=service, detected_time_unix_nano=NOON + round(minute * MINUTE),
        detector_version="1", **(own | more),
    )  # fmt: skip


def rules(**more):
    """Return one rule: three leaks within ten minutes."""
    rule = {"name": "leaks", "when": {"family": "leak"}, "count": 3, "within_minutes": 10, "do": "kill_switch"} | more
    return ControlRules(parse_policy(f"controls: [{rule}]\nservices: {{chat: {{}}}}").controls)


def taken(subject, findings):
    """Return the controls of some findings."""
    return [control for each in findings for control in subject.take(each)]


def test_a_rule_fires_at_its_count_within_its_time():
    """Three findings in ten minutes ask for the control, in force from the third; two, or three in an hour, do not."""
    subject = rules()
    assert not taken(subject, [finding(1, 0), finding(2, 11), finding(3, 12)])
    [control] = taken(subject, [finding(4, 21)])
    assert (control.control, control.service_name, control.rule) == ("kill_switch", "chat", "leaks")
    assert control.finding_id == "f4"
    assert control.expires_at == control.time_unix_nano + 60 * MINUTE == NOON + 81 * MINUTE


def test_a_rule_looks_only_at_what_it_names():
    """Findings of another kind, family, severity or service do not count, and services do not add up."""
    when = {"family": "leak", "kind": "severe_event", "severity": "page", "services": ["chat"]}
    others = ({"family": "unsafe"}, {"kind": "rate"}, {"severity": "ticket"}, {"service": "search"})
    for other in others:
        assert not taken(rules(when=when), [finding(number, 0, **other) for number in range(5)])
    assert not taken(rules(), [finding(number, 0, service=f"s{number}") for number in range(5)])
    assert len(taken(rules(when=when), [finding(number, 0) for number in range(3)])) == 1


def test_the_budget_of_a_rule_is_kept():
    """However many findings come, a service is asked at most so often on one day, and again on the next."""
    assert len(taken(rules(at_most_per_day=2), [finding(number, number) for number in range(100)])) == 2
    two_days = [finding(number, number * 30) for number in range(96)]
    assert len(taken(rules(count=1), two_days)) == 3  # from noon on: two midnights lie between


@given(
    minutes=st.lists(st.floats(0, 300, allow_nan=False), max_size=25),
    count=st.integers(1, 4),
    most=st.integers(1, 4),
    random=st.randoms(use_true_random=False),
)
def test_order_and_repeats_do_not_matter(minutes, count, most, random):
    """The controls of one day's findings have the same names in any order, and repeats add none."""
    findings = [finding(number, minute) for number, minute in enumerate(minutes)]
    subject = rules(count=count, at_most_per_day=most)
    in_order = taken(subject, sorted(findings, key=lambda each: each.detected_time_unix_nano))
    assert not taken(subject, findings)
    shuffled = findings + findings[::2]
    random.shuffle(shuffled)
    other = taken(rules(count=count, at_most_per_day=most), shuffled)
    assert {control.event_id for control in other} == {control.event_id for control in in_order}
    assert len(other) == len(in_order) <= most


def test_what_is_kept_is_bounded():
    """Findings two days older than the newest are forgotten, and one that comes so late changes nothing."""
    subject = rules()
    taken(subject, [finding(number, number * 60) for number in range(200)])
    [service] = subject._services.values()
    assert len(service.seen) <= 49
    assert not taken(subject, [finding(1_000 + number, 0) for number in range(3)])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("controls:\n- name: a\n  do: pause\n  when: {}\n- name: a\n  do: pause\n  when: {}\n", 5, "another rule"),
        ("controls:\n- name: a\n  do: pause\n  when:\n    services: [chat]\n", 5, "chat is not under `services:`"),
        ("controls:\n- name: a\n  do: pause\n  when:\n    family: leek\n", 5, "no family is called so"),
        ("controls:\n- name: a\n  when: {}\n  do: promote\n", 4, "kill_switch"),
        ("controls:\n- name: a\n  name: b\n  do: pause\n  when: {}\n", 3, 'duplicate key "name"'),
        ("canary_gate:\n  metrics: [latncy]\n", 2, "latency"),
        ("changes:\n  level: page\n", 2, "ticket"),
    ],
)
def test_mistakes_in_rules_are_named_with_their_line(text, line, words):
    """A rule that names what is not there, or twice, is refused with the line it stands in."""
    with pytest.raises(PolicyError, match=f"^p.yaml:{line}: .*{words}"):
        parse_policy(text, "p.yaml")
