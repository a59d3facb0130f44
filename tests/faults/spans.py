"""Spans beside the events of a campaign: each trace is a call and, a while later, the root that knows its session."""

from kafka import KafkaProducer

from schemas.topics import OTLP_SPANS
from streams.kafka.topics import client_arguments
from streams.normalise.published import MADE_BY
from tests.support.receiver import calls_request, trace_id

EVERY = 5
"""Events from one trace to the next."""


class Spans:
    """Sends them as the receiver would, in the time of the events."""

    def __init__(self, settings):
        self._topic = settings.topic(OTLP_SPANS.name)
        self._kafka = KafkaProducer(**client_arguments(settings), acks="all")
        self._roots = []
        self.sent = 0

    def beside(self, events):
        """Yield the events, and send spans between them; all are in Kafka at the end."""
        for number, event in enumerate(events):
            if number % EVERY == 0:
                self._call(event.time_unix_nano)
            yield event
        while self._roots:
            self._root()
        self._kafka.flush()

    def _call(self, now):
        self.sent += 1
        number = self.sent
        given = {"trace": number, "time_unix_nano": now}
        root = {"gen_ai__operation__name": "invoke_agent", "gen_ai__agent__name": "clerk", "session__id": f"s-{number}"}
        self._send(number, given | {"number": 2 * number, "parent": 2 * number + 1})
        self._roots.append((number, given | {"number": 2 * number + 1} | root))
        if len(self._roots) > 20:
            self._root()

    def _root(self):
        self._send(*self._roots.pop(0))

    def _send(self, number, call):
        value = calls_request([call], "traced").SerializeToString()
        self._kafka.send(self._topic, value=value, key=trace_id(number).hex().encode())

    def close(self):
        """Disconnect, and return how many events they must become."""
        self._kafka.close()
        return 2 * self.sent


def twice(log):
    """Return how many events that a worker has translated are in a log again."""
    named = [dict(record.headers) for records in log.values() for record in records]
    made = [headers["ce_id"] for headers in named if MADE_BY in headers]
    return len(made) - len(set(made))
