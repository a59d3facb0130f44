"""How a group shares partitions out."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.assignor import TogetherAssignor


@given(
    topics=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 9), min_size=1, max_size=5),
    members=st.sets(st.text("xyz", min_size=1, max_size=3), min_size=1, max_size=4),
)
def test_partitions_of_one_number_go_to_one_member_and_each_to_exactly_one(topics, members):
    """However many workers and topics there are, nobody reads half of what belongs together, and all is read once."""
    cluster = SimpleNamespace(partitions_for_topic=lambda topic: set(range(topics[topic])))
    shares = TogetherAssignor.assign(cluster, {member: TogetherAssignor.metadata(set(topics)) for member in members})
    given_away = [
        (topic, number, member)
        for member, share in shares.items()
        for topic, numbers in share.assignment
        for number in numbers
    ]
    assert sorted(each[:2] for each in given_away) == sorted(
        (t, n) for t, count in topics.items() for n in range(count)
    )
    owners = {}
    for _, number, member in given_away:
        assert owners.setdefault(number, member) == member
    most = max(topics.values())
    assert len(set(owners.values())) == min(most, len(members))
