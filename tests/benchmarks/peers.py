"""Readers of other projects, each in an environment of its own; they only decode and count.

Run as ``python peers.py NAME BROKER TOPIC EVENTS`` by the benchmark; prints when the first and the last event came.
"""

import json
import sys
import time
import uuid

SEEN = 0


def saw(wanted: int) -> None:
    """Count one event."""
    global SEEN  # noqa: PLW0603
    SEEN += 1
    if SEEN == 1:
        print("first", time.monotonic(), time.process_time(), flush=True)
    if wanted == SEEN:
        print("last", time.monotonic(), time.process_time(), flush=True)


def quix(broker: str, topic: str, wanted: int) -> None:
    """Quix Streams: a dataframe that decodes."""
    from quixstreams import Application

    app = Application(
        broker_address=broker, consumer_group=uuid.uuid4().hex, auto_offset_reset="earliest", loglevel="ERROR"
    )
    frame = app.dataframe(app.topic(topic, value_deserializer="bytes"))

    def count(value: bytes) -> None:
        json.loads(value)
        saw(wanted)

    frame.update(count)
    app.run()


def bytewax(broker: str, topic: str, wanted: int) -> None:
    """Bytewax: a dataflow that decodes."""
    import bytewax.operators as op
    from bytewax.connectors.kafka import KafkaSource
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, run_main

    flow = Dataflow("bench")
    stream = op.input("in", flow, KafkaSource([broker], [topic], tail=False, batch_size=5000))

    def count(message):  # type: ignore[no-untyped-def]
        json.loads(message.value)
        saw(wanted)
        return ()

    op.output("out", op.flat_map("count", stream, count), TestingSink([]))
    run_main(flow)


def confluent(broker: str, topic: str, wanted: int) -> None:
    """confluent-kafka and msgspec: no framework at all, the bound."""
    import msgspec
    from confluent_kafka import Consumer

    class Event(msgspec.Struct):
        event_id: str
        service_name: str
        time_unix_nano: int
        guards: list[dict[str, object]] = []

    decode = msgspec.json.Decoder(Event).decode
    consumer = Consumer({"bootstrap.servers": broker, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    while wanted > SEEN:
        for message in consumer.consume(5000, 1.0):
            decode(message.value())
            saw(wanted)


if __name__ == "__main__":
    {"quix": quix, "bytewax": bytewax, "confluent": confluent}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
