"""The demo around what it plays: when it may begin, what Kafka tells of its workers, what is said of what opens."""

import http.server
import re
import threading
import time

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.structs import OffsetAndMetadata
from rich.console import Console
from typer.testing import CliRunner

from schemas.findings import Finding
from schemas.incidents import IncidentTransition
from schemas.topics import FINDINGS, INCIDENTS, INFERENCE, WINDOWS
from schemas.wire import encode
from streams.commands.main import app
from streams.demo.health import illness, last_line
from streams.demo.incidents import changes_table
from streams.demo.news import News, Played, line
from streams.demo.offsets import Offsets
from streams.demo.ready import check_ready
from streams.demo.report import answers_table
from streams.demo.screen import SERVICES_QUERY, services_table
from streams.kafka.topics import TopicError, client_arguments
from streams.local.broker import free_port
from streams.settings import Settings, SettingsError
from tests.support.waiting import wait_until

NOON = 1_772_452_800_000_000_000
FINDING = Finding(
    finding_id="f1", kind="rate", severity="page", service_name="shop", metric="leak", family="leak",
    detected_time_unix_nano=NOON + 150_000_000_000, onset_time_unix_nano=NOON, detector="d", detector_version="1",
    evidence="leak of shop is 20.0%",
)  # fmt: skip
INCIDENT = IncidentTransition(
    event_id="t1", source="watchkeeper-incidents", time_unix_nano=NOON, service_name="shop", incident_id="inc-1",
    dedup_key="k", transition="detected", transition_time_unix_nano=NOON + 150_000_000_000, actor_kind="system",
    severity="sev2", family="leak", services=["shop"],
)  # fmt: skip
ANSWER = {
    "id": "C1", "service": "shop", "kind": "pii_leak", "start": "2026-03-02T12:00:00.000Z", "end": None,
    "metrics": ["leak"],
}  # fmt: skip


def test_lag_is_what_the_groups_have_not_committed(kafka_settings):
    """Of each worker and over all that it reads; what another topic of it gets is left too, what it commits is done."""
    offsets, name = Offsets(kafka_settings), kafka_settings.topic(INFERENCE.name)
    wait_until(lambda: offsets.look(1.0).settled)  # a new broker has to make the log of the groups first
    producer = KafkaProducer(**client_arguments(kafka_settings), acks="all")
    for topic, number in ((name, 5), (kafka_settings.topic(WINDOWS.name), 3)):
        for _ in range(number):
            producer.send(topic, b"{}", partition=1)
    producer.close()
    look = offsets.look(2.0, 5)
    assert look.left == {"history": 8, "watch": 5, "detect": 3, "incidents": 0, "normalise": 0}
    group = f"{kafka_settings.topic_prefix}watchkeeper-watch"
    consumer = KafkaConsumer(**client_arguments(kafka_settings), group_id=group, enable_auto_commit=False)
    consumer.assign([TopicPartition(name, 1)])
    consumer.commit({TopicPartition(name, 1): OffsetAndMetadata(4, "", -1)})
    consumer.close()
    look = offsets.look(3.0, 5)
    assert (look.left["watch"], look.done["watch"]) == (1, 4)
    assert offsets.members("watch") == 0
    offsets.close()


def test_a_broker_that_is_away_is_a_look_without_an_answer(kafka_settings):
    """It neither fails nor claims that nothing is left."""
    away = Offsets(kafka_settings.model_copy(update={"kafka": f"127.0.0.1:{free_port()}"}))
    look = away.look(1.0, 7)
    assert (look.sent, look.left, look.settled) == (7, {}, False)


def test_pages_and_incidents_appear_as_they_open(kafka_settings):
    """One line each in the order of the log, once however often it was published, and with how long it took."""
    played = Played()
    played.note(NOON + 200_000_000_000, time.monotonic())
    news = News(kafka_settings, played)
    producer = KafkaProducer(**client_arguments(kafka_settings), acks="all")
    producer.send(kafka_settings.topic(FINDINGS.name), encode(FINDING)).get(10)
    news.start()
    wait_until(lambda: len(news._at) == FINDINGS.partitions + INCIDENTS.partitions)  # it knows where it begins
    repeat = Finding(**{**{name: getattr(FINDING, name) for name in FINDING.__struct_fields__}, "finding_id": "f2"})
    for topic, said in ((FINDINGS, repeat), (INCIDENTS, INCIDENT), (FINDINGS, repeat)):
        producer.send(kafka_settings.topic(topic.name), encode(said)).get(10)
    producer.close()
    lines = []
    wait_until(lambda: lines.extend(news.take()) or len(lines) >= 2)
    news.stop()
    assert [" ".join(each.split()[3:5]) for each in lines + news.take()] == ["PAGE shop", "INCIDENT inc-1"]
    assert "2 min 30 s after its onset" in lines[0]
    assert "s after it was sent" in lines[0]


def test_only_what_opens_is_a_line():
    """With the time of the event and how long after the onset; tickets and later transitions are for the tables."""
    assert line(FINDING) == (
        "Mon 2026-03-02 12:02:30 PAGE shop leak: leak of shop is 20.0% (2 min 30 s after its onset)"
    )
    assert line(INCIDENT) == "Mon 2026-03-02 12:02:30 INCIDENT inc-1 sev2 opens: shop leak"
    for quiet in ({"severity": "ticket"}, {"kind": "recovery"}):
        known = {name: getattr(FINDING, name) for name in FINDING.__struct_fields__}
        assert line(Finding(**known | quiet)) is None
    known = {name: getattr(INCIDENT, name) for name in INCIDENT.__struct_fields__}
    assert line(IncidentTransition(**known | {"transition": "mitigated"})) is None


@pytest.mark.parametrize(
    ("unread", "said", "other"), [(True, "not read yet", "not found"), (False, "not found", "not read")]
)
def test_what_was_not_read_is_not_said_to_be_missing(unread, said, other):
    """A change without a finding is "not found" only when everything has been read; an incident likewise."""
    console = Console(width=160, record=True, file=None)
    with console.capture() as shown:
        answers, complete = answers_table([ANSWER], [], unread=unread)
        console.print(answers)
    assert said in shown.get()
    assert other not in shown.get()
    assert not complete
    with console.capture() as shown:
        changes, good = changes_table([ANSWER], [], unread=unread)
        console.print(changes)
    assert ("not read yet" in shown.get()) == unread
    assert not good


@pytest.mark.enable_socket
def test_a_worker_is_ill_when_it_says_so_or_says_nothing():
    """Healthy is no trouble, however long it works; 503, no answer and a strange answer each have their words."""
    answers = {"/health": (200, b'{"healthy": true, "lag": 9}')}

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers["/health"]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        assert illness(Settings(), port) is None
        answers["/health"] = (503, b'{"healthy": false, "lag": 9}')
        assert illness(Settings(), port) == "by its /health it is not healthy: 9 records wait for it"
        answers["/health"] = (500, b"oh")
        assert illness(Settings(), port) == "its /health answers 500"
        server.shutdown()
    assert illness(Settings(), port) == "nothing answers at its /health"


def test_the_last_line_of_a_log_says_something(tmp_path):
    """Spinners, borders and colours are no lines; a log that is not there has none."""
    log = tmp_path / "detect.log"
    assert last_line(log) == ""
    log.write_text("\x1b[31mkafka is away; trying again\x1b[0m\n+---+----+\n\x1b[?25l\x1b[?25h OK ^\n\n")
    assert last_line(log) == "kafka is away; trying again"


def test_intervals_of_services_stay_within_0_and_1(client):
    """No unsafe output at all has the lower bound 0 and not less; nothing but unsafe ones the upper bound 1."""
    counts = "(SELECT 'a' AS service_name, {} AS events, events AS calls, {} AS unsafe_served, "
    rest = (
        "events AS unsafe_served_trials, 0 AS injection_flag, 0 AS leak, 0 AS refusal, 0 AS error, 0 AS uncovered, "
        "map(toInt16(80), events) AS latency_bins)"
    )
    for trials, unsafe in [(number, share * number) for number in (1, 3, 7, 6474, 8739) for share in (0, 1)]:
        query = SERVICES_QUERY.replace("service_minutes_now", (counts + rest).format(trials, unsafe))
        [found] = client.query(query).named_results()
        [shown] = services_table([found]).columns[2].cells
        assert re.fullmatch(
            r"100.00% \(\d+.\d\d% to 100.00%\)" if unsafe else r"0.00% \(0.00% to \d+.\d\d%\)", str(shown)
        )


@pytest.mark.kafka
def test_services_that_are_not_ready_are_refused(kafka_settings, client, store_settings):
    """Missing topics, a store with events and an API without a known token are each refused with what to do."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    settings = kafka_settings.model_copy(update={**store, "sql_port": free_port(), "api_port": free_port()})
    with pytest.raises(TopicError, match="topics create"):
        check_ready(settings.model_copy(update={"topic_prefix": "nobody."}))
    with pytest.raises(SettingsError, match="WATCHKEEPER_API_TOKEN"):
        check_ready(settings)
    client.insert("telemetry", [["e1"]], column_names=["event_id"])
    with pytest.raises(ValueError, match="holds 1 events already"):
        check_ready(settings)


@pytest.mark.parametrize("options", [["--kafka", "a:1"], ["--clickhouse", "http://a:1"]])
def test_half_an_address_is_refused(options):
    """Kafka without the store, or the store without Kafka, is no installation to play to."""
    error = CliRunner().invoke(app, ["demo", *options]).exception
    assert isinstance(error, SettingsError)
    assert "give both" in str(error)
