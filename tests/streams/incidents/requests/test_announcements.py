"""New versions beside announced changes: in any order, within the grace, and no more memory than there should be."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.changes import Change
from schemas.fields import NANO
from schemas.findings import Finding
from streams.incidents.requests import announcements
from streams.incidents.requests.announcements import Announcements
from streams.policy.controls import Changes

NOON = 20_500 * 86_400 * NANO + 43_200 * NANO
MINUTE = 60 * NANO
DAY = 1_440


def version(name, minute=0, service="chat"):
    """Return the finding of a version whose first event was so many minutes after noon."""
    return Finding(
        finding_id=f"{service}-{name}", kind="version", severity="info", service_name=service, model_version=name,
        metric="model_version", family="change", detector="first_seen", detector_version="1",
        onset_time_unix_nano=NOON + minute * MINUTE, detected_time_unix_nano=NOON + (minute + 1) * MINUTE,
    )  # fmt: skip


def change(to, minute, service="chat", action="promoted"):
    """Return a change at so many minutes after noon."""
    return Change(
        event_id=f"{to}-{minute}-{action}", source="t", time_unix_nano=NOON + minute * MINUTE, service_name=service,
        change_id="c", subject_type="model", subject_name="m", action=action, to_version=to,
    )  # fmt: skip


def judged(records, minute=10 * DAY, level="ticket"):
    """Return the versions that are found unannounced so many minutes after noon."""
    subject = Announcements(Changes(level=level))
    for record in records:
        subject.take(record)
    return [(found.service_name, found.model_version) for found in subject.due(NOON + minute * MINUTE)]


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        (change("2", -DAY), False),
        (change("2", -DAY - 1), True),
        (change("2", 15), False),
        (change("2", 16), True),
        (change("3", 0), True),
        (change("2", 0, service="search"), True),
        (change("2", 0, action="rolled_back"), False),
        (change("2", 0, action="aborted"), True),
    ],
)
def test_a_change_announces_its_version_of_its_service_in_its_time(said, missing):
    """From a day before the first event to the grace after, by a change of that service to that version."""
    assert bool(judged([said, version("2")])) is missing


def test_it_is_judged_when_its_grace_is_over():
    """Not before; then once, as a ticket that names the version, its onset and what to do; a repeat has its name."""
    subject = Announcements(Changes())
    subject.take(version("2"))
    assert not subject.due(NOON + 15 * MINUTE)
    [found] = subject.due(NOON + 16 * MINUTE)
    assert (found.kind, found.severity, found.family) == ("unannounced_change", "ticket", "change")
    assert (found.onset_time_unix_nano, found.opened_finding_id) == (NOON, "chat-2")
    assert "watchkeeper change record" in found.evidence
    assert not subject.due(NOON + DAY * MINUTE)
    subject.take(version("2"))
    assert subject.due(NOON + DAY * MINUTE) == [found]


def test_the_policy_can_turn_it_off():
    """With `level: off` nothing is kept and nothing found."""
    assert judged([version("2")]) == [("chat", "2")]
    assert not judged([version("2")], level="off")


RECORDS = st.one_of(
    st.builds(version, st.sampled_from("12"), st.integers(0, 3 * DAY), st.sampled_from("ab")),
    st.builds(change, st.sampled_from("12"), st.integers(-2 * DAY, 3 * DAY), st.sampled_from("ab")),
)


@given(records=st.lists(RECORDS, max_size=20), random=st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(records, random):
    """What is found is a function of what was taken."""
    shuffled = records + records[::2]
    random.shuffle(shuffled)
    assert judged(shuffled) == judged(records)


def test_what_is_kept_is_bounded(monkeypatch):
    """Of too many changes and versions the newest are kept."""
    monkeypatch.setattr(announcements, "MOST", 3)
    changes = [change(str(number), number) for number in range(9)]
    assert judged([*changes, *(version(str(number)) for number in range(6, 9))]) == []
    assert judged([version(str(number), number) for number in range(9)]) == [("chat", name) for name in "678"]


@pytest.mark.parametrize(
    ("subject", "name", "to", "missing"),
    [
        ("prompt", "help", "13", False),
        ("prompt", "help", "help@13", False),
        ("code", "shop", "help@13", False),
        ("index", "help", "13", True),
        ("prompt", "help", "12", True),
    ],
)
def test_a_version_of_a_prompt_is_announced_by_a_change_of_a_prompt(subject, name, to, missing):
    """By its version alone where the change is of a prompt, by prompt and version in any; else it is a ticket."""
    shown = msgspec.structs.replace(
        version("", 0), model_version=None, metric="prompt_version", versions=["help@13", "help@12"]
    )
    said = msgspec.structs.replace(change(to, 0), subject_type=subject, subject_name=name)
    subject_ = Announcements(Changes(level="ticket"))
    subject_.take(said)
    subject_.take(shown)
    found = subject_.due(NOON + DAY * MINUTE)
    assert [(each.metric, each.versions, each.model_version) for each in found] == (
        [("prompt_version", ["help@13"], None)] if missing else []
    )
    assert not found or "serves prompt version help@13, and no change" in found[0].evidence
