"""The scenario of the demo through every stage, in this process: a real broker, the real stages, the real engine."""

import asyncio

from schemas.topics import ACTIONS, CHANGES, CONTROLS, EVALUATIONS, FINDINGS, INFERENCE, REVIEWS, TOPICS, WINDOWS
from streams.app import reads
from streams.demo.engineer import Engineer
from streams.demo.scenario.events import events
from streams.demo.scenario.run import announce, begun, review
from streams.demo.scenario.story import DESK
from streams.incidents.evidence.bundle import evidence_id, moments
from streams.kafka.topics import check_topics
from streams.replay.send import Replay
from tests.support.both_paths import made, read

BEFORE = (INFERENCE, WINDOWS, FINDINGS)
STORED = tuple(topic for topic in TOPICS if topic in reads("history") and topic not in (*BEFORE, REVIEWS))


async def through(settings, name, *topics):
    """Run a stage over topics, one after the other."""
    stage = made(settings, name)
    await stage.start()
    for topic in topics:
        for number in range(topic.partitions):
            await stage.position(check_topics(settings, [topic])[settings.topic(topic.name)], number)
        for batch in read(settings, topic, 5_000):
            await stage.take(batch)
    await stage.stop()


async def on_call(settings):
    """Run the incidents stage with its API over what was found, until the scripted engineer has nothing left to do."""
    stage, engineer = made(settings, "incidents"), Engineer(settings, [DESK])
    await stage.start()
    for topic in (CHANGES, EVALUATIONS, FINDINGS):
        for batch in read(settings, topic, 2_000):
            await stage.take(batch)
    engineer.start()
    while not (_settled(stage) and await _asked(settings)):
        for batch in await asyncio.to_thread(lambda: list(read(settings, ACTIONS, 2_000))):
            await stage.take(batch)
    await asyncio.to_thread(engineer.stop)
    await stage.stop()


def _settled(stage):
    """Tell whether all that could be closed is, the rest mitigated, and the evidence of all gathered."""
    incidents = stage.held.folding.incidents()
    if any(evidence_id(each, step) not in stage.evidence for each in incidents for step in moments(each)):
        return False
    clocks = [incident.clocks for incident in incidents if incident.services != [DESK]]
    return all(each.mitigated and (each.closed or not each.recovered) for each in clocks)


async def _asked(settings):
    """Tell whether what rules and gate want is asked for."""
    return await asyncio.to_thread(lambda: sum(len(batch.records) for batch in read(settings, CONTROLS)) >= 4)


def play(settings):
    """Play it with people on call and at review, and return its story."""
    story = begun()
    known = {event.event_id: event for event in events(story.start)}
    announce(settings, story, known)
    Replay(settings, None).run(known.values())
    asyncio.run(through(settings, "watch", INFERENCE))
    asyncio.run(through(settings, "detect", WINDOWS))
    asyncio.run(through(settings, "history", *BEFORE))
    asyncio.run(on_call(settings))
    asyncio.run(through(settings, "history", *STORED))
    review(settings, story, known)
    asyncio.run(through(settings, "history", REVIEWS))
    return story
