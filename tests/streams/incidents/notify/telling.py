"""A notifier that tells of one transition; run by the tests as a process of its own, to be killed."""

import asyncio
import sys

from streams.incidents.notify.notifier import Notifier
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.policy.policy import parse_policy
from streams.settings import load
from tests.support.incidents.records import fresh


async def main(kafka: str, prefix: str, url: str) -> None:
    """Tell for a minute, unless killed."""
    settings = load(kafka=kafka, topic_prefix=prefix, receivers_private="127.0.0.1")
    publisher = Publisher(client_arguments(settings))
    await publisher.start()
    policy = parse_policy(f"receivers: [{{name: a, kind: webhook, url: '{url}'}}]")
    notifier = Notifier(settings, policy, publisher)
    await notifier.start()
    notifier.transition(fresh("detected"))
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
