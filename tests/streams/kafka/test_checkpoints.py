"""Checkpoints on a real broker."""

import numpy as np

from schemas.topics import CHECKPOINTS
from streams.kafka.checkpoints import FORMAT, Checkpoint, Checkpoints
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import check_topics, client_arguments


def make(settings):
    """Return checkpoints of a worker, and their publisher."""
    topic = check_topics(settings, [CHECKPOINTS])[settings.topic(CHECKPOINTS.name)]
    publisher = Publisher(client_arguments(settings))
    return Checkpoints(topic, "watch", client_arguments(settings), publisher), publisher, topic


async def test_the_newest_whole_checkpoint_is_loaded(kafka_settings):
    """A successor gets the last saved arrays to the bit, also large ones, and nothing of other partitions."""
    checkpoints, publisher, _ = make(kafka_settings)
    await publisher.start()
    assert await checkpoints.load("id", 1) is None
    arrays = {}
    for offset in range(3):
        arrays = {"a": np.random.default_rng(offset).random(200_000), "names": np.array(["x", "é"])}
        await checkpoints.save("id", 1, Checkpoint(offset, arrays))
        await checkpoints.save("id", 5, Checkpoint(100 + offset, {"a": np.zeros(1)}))
    found = await make(kafka_settings)[0].load("id", 1)
    await publisher.stop()
    assert found.offset == 2
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)


async def test_a_checkpoint_cut_in_the_middle_is_passed_over(kafka_settings):
    """Where a slot's chunks are not those its header names, the other slot counts."""
    checkpoints, publisher, topic = make(kafka_settings)
    await publisher.start()
    await checkpoints.save("id", 0, Checkpoint(1, {"a": np.arange(5)}))
    await checkpoints.save("id", 0, Checkpoint(2, {"a": np.arange(6)}))
    await publisher.publish([Message(topic.name, b"half of the next one", f"watch.{FORMAT}/id/0/b/0".encode(), 0)])
    found = await make(kafka_settings)[0].load("id", 0)
    await publisher.stop()
    assert found.offset == 1
