"""What hostile or broken clients send to the OTLP receiver: a clear status each, and who sends well is served."""

import gzip
import json
import signal
import socket
import zlib

import pytest
import requests
from fastapi import HTTPException

from streams.kafka.topics import create_topics
from streams.local.broker import Broker
from streams.receiver.app import Room
from streams.receiver.body import MOST_BYTES, MOST_INFLATED_BYTES, MOST_JSON_BYTES
from streams.settings import load
from tests.support.receiver import PROTOBUF, TOKEN, ReceiverProcess, trace_request
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

JSON = "application/json"
GOOD = trace_request([(1, 1, "good")]).SerializeToString()
SECRET = "s3cret-prompt"  # noqa: S105


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory):
    """A broker that may be frozen."""
    own = Broker(tmp_path_factory.mktemp("own"))
    own.start()
    yield own
    own.stop()


@pytest.fixture(scope="module")
def receiver(own_broker, tmp_path_factory):
    """A running receiver that wants a token."""
    settings = load(kafka=own_broker.address, data_dir=tmp_path_factory.mktemp("door"))
    create_topics(settings)
    running = ReceiverProcess(settings, OTLP_TOKEN=TOKEN).start()
    yield running
    running.stop()


def in_pieces():
    """Yield a great body without saying how great it is."""
    for _ in range(MOST_BYTES // 50_000 + 2):
        yield b" " * 50_000


def nested(depth):
    """Return protobuf whose value lies in so many lists."""
    value = b"\x0a\x01x"
    for _ in range(depth):
        value = b"\x2a" + _sized(b"\x0a" + _sized(value))
    attribute = b"\x0a\x01a\x12" + _sized(value)
    return b"\x0a" + _sized(b"\x0a" + _sized(b"\x0a" + _sized(attribute)))


def _sized(body):
    size, length = len(body), b""
    while size > 127:
        size, length = size >> 7, length + bytes([size & 127 | 128])
    return length + bytes([size]) + body


BOMB = gzip.compress(bytes(MOST_INFLATED_BYTES + 1))
DEEP = '{"resourceSpans":' + '{"a":[' * 100_000
WRONG = {
    "no token": (GOOD, {"token": ""}, 401, "a token is needed"),
    "a wrong token": (GOOD, {"token": TOKEN + "x"}, 401, "a token is needed"),
    "great without a token": (bytes(MOST_BYTES + 1), {"token": ""}, 401, "a token is needed"),
    "garbage": (b"\xff" * 1_000, {}, 400, "no protobuf of the traces"),
    "half a request": (GOOD[:-3], {}, 400, "no protobuf of the traces"),
    "protobuf that nests without an end": (nested(5_000), {}, 400, "no protobuf of the traces"),
    "too long": (bytes(MOST_BYTES + 1), {}, 413, f"at most {MOST_BYTES} bytes"),
    "too long in pieces": (in_pieces, {}, 413, f"at most {MOST_BYTES} bytes"),
    "a bomb": (BOMB, {"Content-Encoding": "gzip"}, 413, f"at most {MOST_INFLATED_BYTES} bytes"),
    "a bomb of deflate": (zlib.compress(bytes(MOST_INFLATED_BYTES + 1)), {"Content-Encoding": "deflate"}, 413, "most"),
    "a bomb in a bomb": (gzip.compress(BOMB), {"Content-Encoding": "gzip"}, 400, "no protobuf"),
    "no gzip": (GOOD, {"Content-Encoding": "gzip"}, 400, "not gzip"),
    "half a gzip": (gzip.compress(GOOD)[:-9], {"Content-Encoding": "gzip"}, 400, "not one whole gzip"),
    "two gzips": (gzip.compress(GOOD) * 2, {"Content-Encoding": "gzip"}, 400, "not one whole gzip"),
    "zstd": (GOOD, {"Content-Encoding": "zstd"}, 415, "send gzip"),
    "text": (GOOD, {"content_type": "text/plain"}, 415, "text/plain"),
    "no type": (GOOD, {"content_type": ""}, 415, "send application/x-protobuf or application/json"),
    "form": (GOOD, {"content_type": "application/x-www-form-urlencoded"}, 415, "send application/x-protobuf"),
    "no JSON": (b'{"resourceSpans": [', {"content_type": JSON}, 400, "no JSON of the traces"),
    "JSON of another shape": (b'{"resourceSpans": 7}', {"content_type": JSON}, 400, "no JSON of the traces"),
    "JSON that is a list": (b"[]", {"content_type": JSON}, 400, "no JSON of the traces"),
    "JSON that nests without an end": (DEEP.encode(), {"content_type": JSON}, 400, "nested deeper than"),
    "JSON that is great": (b" " * (MOST_JSON_BYTES + 1), {"content_type": JSON}, 413, "send protobuf"),
    "JSON with ids in base64": (
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": SECRET}]}]}]}).encode(),
        {"content_type": JSON}, 400, "hexadecimal",
    ),
    "another site's name": (GOOD, {"Host": "evil.example"}, 421, "no name of this service"),
    "another site's page": (GOOD, {"Origin": "http://evil.example"}, 403, "pages of other sites"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "more", "status", "why"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_with_its_reason(receiver, body, more, status, why):
    """Each has its status and says what is wrong, nothing of it is repeated or logged, and the next one is served."""
    answer = receiver.post(body() if callable(body) else body, **more)
    assert answer.status_code == status
    assert why in answer.text
    assert SECRET not in answer.text
    assert SECRET not in receiver.words()
    assert f'code="{status}",door="otlp"' in receiver.metrics()
    assert receiver.post(GOOD).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "traces", 405), ("POST", "poems", 404)])
def test_other_methods_and_paths_are_none(receiver, method, path, status):
    """What OTLP does not have is not there."""
    answer = requests.request(method, f"{receiver.url}/v1/{path}", headers={"Content-Type": PROTOBUF}, timeout=60)
    assert answer.status_code == status


def test_slow_clients_take_no_place_from_others(receiver):
    """With many connections in the middle of their bodies, one that sends well is answered."""
    head = f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += f"Content-Type: {PROTOBUF}\r\nContent-Length: 100000\r\n\r\n"
    slow = []
    for _ in range(200):
        slow.append(socket.create_connection(("127.0.0.1", receiver.port)))
        slow[-1].sendall(head.encode() + b"\x0a")
    assert receiver.post(GOOD).status_code == 200
    for each in slow:
        each.close()
    assert receiver.post(GOOD).status_code == 200


def test_where_there_is_no_room_clients_are_told_to_come_again():
    """Bytes and requests beyond what may be held are 503 with `Retry-After`; what ends makes room."""
    room = Room(most_bytes=100, most_requests=2)
    with room.held() as first, room.held() as second:
        first(60)
        with pytest.raises(HTTPException) as refused:
            second(41)
        assert (refused.value.status_code, int(refused.value.headers["Retry-After"]) > 0) == (503, True)
        with pytest.raises(HTTPException, match="too many requests"), room.held():
            pass
        second(40)
    with room.held() as again:
        again(100)


def test_without_kafka_nothing_is_answered_with_200(receiver, own_broker):
    """While the broker is frozen a client is told to come again; when it is back the same request is taken."""
    own_broker._process.send_signal(signal.SIGSTOP)
    answer = receiver.post(GOOD)
    own_broker._process.send_signal(signal.SIGCONT)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    wait_until(lambda: receiver.post(GOOD).status_code == 200)
