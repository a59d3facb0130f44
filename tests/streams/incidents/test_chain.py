"""What does not move is said when it has lasted, and nothing else."""

from kafka import KafkaConsumer, KafkaProducer

from schemas.topics import INFERENCE
from streams.incidents.chain import Chain
from streams.kafka.groups import Groups, Standing
from tests.support.waiting import wait_until

LATE = 100.0
HERE = ("inference.v1", 0)
THERE = ("inference.v1", 1)


def stands(read=5, end=5, members=1, there=(0, 0)):
    """Return how one kind of worker stands."""
    return {"watch": Standing(members, {HERE: (read, end), THERE: there})}


def test_what_waits_is_said_once_it_has_waited_too_long():
    """A worker that reads nothing is late, however much the log grows meanwhile; when it has read, it is well."""
    chain = Chain(LATE)
    assert chain.look(0, stands(), {}) == []
    assert chain.look(10, stands(5, 8), {}) == []
    assert chain.look(109, stands(5, 900), {}) == []
    assert chain.look(110, stands(5, 901), {}) == [
        "watch has not read what has waited for 100 s in inference.v1, partition 0: 896 records"
    ]
    assert chain.look(120, stands(901, 901), {}) == []


def test_who_follows_closely_is_well_under_any_load():
    """At every look something waits, but never for long."""
    chain = Chain(LATE)
    assert not any(chain.look(at, stands(read=at, end=at + 50), {}) for at in range(0, 1000, 10))


def test_who_falls_behind_is_late_though_it_reads():
    """A tenth of what comes is read: what came long ago waits."""
    chain = Chain(LATE)
    said = [bool(chain.look(at, stands(read=at // 10, end=at), {})) for at in range(0, 1000, 10)]
    assert said.index(True) in range(10, 13)
    assert all(said[13:])


def test_one_partition_that_stands_still_is_not_hidden_by_another():
    """What is read of one partition says nothing of the other."""
    chain = Chain(LATE)
    said = [chain.look(at, stands(3, 5, there=(at, at)), {}) for at in (0, 50, 100)]
    assert [len(each) for each in said] == [0, 0, 1]
    assert "partition 0: 2 records" in said[2][0]


def test_who_is_away_for_a_moment_is_not_missed():
    """A worker that is started again, and a Kafka that fails over, are no failure; away for long they are."""
    chain = Chain(LATE)
    for at, seen in ((0, stands()), (10, stands(members=0)), (109, None), (120, stands())):
        assert chain.look(at, seen, {}) == []
    for at, seen in ((200, stands(members=0)), (299, stands(members=0))):
        assert chain.look(at, seen, {"url": "it is not well"}) == []
    assert chain.look(300, stands(members=0), {"url": "it is not well"}) == [
        "it is not well, for 100 s", "no watch worker runs, for 100 s",
    ]  # fmt: skip
    assert chain.look(301, None, {}) == []
    assert chain.look(401, None, {}) == ["Kafka does not say how far workers are, for 100 s"]


def test_a_start_is_whole_when_all_are_there():
    """Before, nobody is told that all is well."""
    chain = Chain(LATE)
    chain.look(0, stands(members=0), {})
    assert not chain.whole
    chain.look(1, stands(), {})
    assert chain.whole


def test_kafka_says_how_far_a_group_is(kafka_settings):
    """Nobody; somebody who has read nothing yet; somebody who is behind; and who has read all."""
    topic, groups = kafka_settings.topic(INFERENCE.name), Groups(kafka_settings, ["watch"])
    wait_until(lambda: groups.look() == {"watch": Standing(0, {})})  # a new broker has no coordinator for a moment
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka)
    for _ in range(3):
        producer.send(topic, b"x", partition=0)
    producer.close()
    reader = KafkaConsumer(
        topic, bootstrap_servers=kafka_settings.kafka, group_id=kafka_settings.group("watch"),
        auto_offset_reset="earliest", enable_auto_commit=False,
    )  # fmt: skip
    wait_until(lambda: reader.poll(100) or reader.assignment())
    standing = groups.look()["watch"]
    assert (standing.members, standing.read[topic, 0]) == (1, (0, 3))
    assert len(standing.read) == len(reader.assignment())
    wait_until(lambda: reader.position(next(each for each in reader.assignment() if each.partition == 0)) == 3
               or reader.poll(100) is None)  # fmt: skip
    reader.commit()
    assert groups.look()["watch"].read[topic, 0] == (3, 3)
    reader.close()
    wait_until(lambda: groups.look()["watch"].members == 0)
    groups.close()


def test_a_kafka_that_is_away_says_nothing(kafka_settings):
    """That is an answer too, and no error."""
    assert Groups(kafka_settings.model_copy(update={"kafka": "127.0.0.1:1"}), ["watch"]).look() is None
