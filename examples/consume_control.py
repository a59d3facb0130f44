"""Obey what is ours, in force and new: WATCHKEEPER_CONTROL_KEY=... python examples/consume_control.py BROKER SERVICE"""

import os
import sys
import time

import msgspec
from kafka import KafkaConsumer

from schemas.controls import Control
from schemas.signature import HEADER, verify

key, done = os.environ["WATCHKEEPER_CONTROL_KEY"].encode(), set()  # keep `done` on disk: a restart must repeat nothing
topic = os.environ.get("WATCHKEEPER_TOPIC_PREFIX", "") + "controls.v1"
for message in KafkaConsumer(topic, bootstrap_servers=sys.argv[1], auto_offset_reset="earliest"):
    signature = dict(message.headers or ()).get(HEADER, b"").decode(errors="replace")
    if not verify(message.value or b"", signature, key):
        continue  # first of all: what is not ours is not even decoded
    control = msgspec.json.decode(message.value, type=Control)
    expired = control.expires_at is not None and control.expires_at < time.time_ns()
    if control.service_name == sys.argv[2] and not expired and control.event_id not in done:
        done.add(control.event_id)
        print(control.control, control.service_name, control.to_version or "", control.reason, flush=True)
