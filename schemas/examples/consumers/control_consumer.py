#!/usr/bin/env python
"""What a deployer does with controls: obey those of its service that are ours, in force and new.

WATCHKEEPER_CONTROL_KEY=... control_consumer.py BROKER TOPIC SERVICE

A real deployer stores which controls it has carried out, so that a restart repeats none. With the small wheel the
two imports are `watchkeeper_events.controls` and `watchkeeper_events.signature`.
"""

import os
import sys
import time

import msgspec
from kafka import KafkaConsumer

from schemas.controls import Control
from schemas.signature import HEADER, verify


def main(broker: str, topic: str, service: str) -> None:
    """Print what would be done, until interrupted."""
    key, done = os.environ["WATCHKEEPER_CONTROL_KEY"].encode(), set()
    for message in KafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest"):
        signature = dict(message.headers or ()).get(HEADER, b"").decode(errors="replace")
        if not verify(message.value or b"", signature, key):
            continue  # first of all: what is not ours is not even decoded
        control = msgspec.json.decode(message.value, type=Control)
        expired = control.expires_at is not None and control.expires_at < time.time_ns()
        if control.service_name == service and not expired and control.event_id not in done:
            done.add(control.event_id)
            version = control.to_version or control.model_version or ""
            sys.stdout.write(f"{control.control} {service} {version}: {control.reason}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
