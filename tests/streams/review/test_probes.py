"""Probes: harmless, known attacks; what is sent to a real server and what is recorded of it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from schemas.categories import FAMILIES
from schemas.events import Event
from schemas.topics import INFERENCE
from streams.commands.main import app
from streams.local.broker import free_port
from streams.review.probes import Attack, Probe, attacks, chosen, read_results, sent
from tests.faults.log import decoded

LINE = '{"probe_id": "direct-01", "guards": [{"guard_name": "g", "layer": "input", "status": "ok", "verdict": "flag"}]}'


class Service(BaseHTTPRequestHandler):
    """Refuses jailbreaks, fails at tools, answers the rest, and remembers everything."""

    seen: list = []  # noqa: RUF012

    def do_POST(self):
        """Answer one attack."""
        text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        probe_id = self.headers["Watchkeeper-Probe"]
        self.seen.append((probe_id, text))
        self.send_response(403 if "jailbreak" in probe_id else 500 if "tool" in probe_id else 200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def endpoint():
    """Address of a running service."""
    Service.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/chat"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(kafka_settings, monkeypatch):
    """Run a probe command and return how it ended and what Kafka holds then."""
    monkeypatch.setenv("WATCHKEEPER_TOPIC_PREFIX", kafka_settings.topic_prefix)

    def running(*arguments):
        given = ["probe", "run", "--service", "chat", "--kafka", kafka_settings.kafka]
        done = CliRunner().invoke(app, [*given, *map(str, arguments)])
        return done, decoded(kafka_settings, INFERENCE, Event)

    return running


def test_attacks_are_marked_and_of_known_categories():
    """There are forty, each once, each with the harmless marker, in categories that the contract knows."""
    known = attacks()
    assert len(known) == len({attack.attack_id for attack in known}) == len({attack.text for attack in known}) == 40
    assert {attack.category for attack in known} <= set(FAMILIES)
    assert len({attack.category for attack in known}) == 5
    assert all("WK-PROBE" in attack.text and "http" not in attack.text for attack in known)


def test_the_seed_decides_which():
    """The same seed chooses the same, other seeds others, and more than there are cannot be had."""
    known = attacks()
    assert chosen(known, 1, 7) == chosen(known, 1, 7) == chosen(known, 1, None)[:7]
    assert chosen(known, 1, 7) != chosen(known, 2, 7)
    assert sorted(chosen(known, 3, None)) == sorted(known)
    for count in (0, 41):
        with pytest.raises(ValueError, match="from 1 to 40"):
            chosen(known, 1, count)


def test_what_was_sent_names_its_attack_and_no_text():
    """The record carries probe id, category, attack and run as labels, and not the prompt."""
    event = sent(Probe("chat", "r", Attack("a", "sec.jailbreak", "the prompt")), 1_770_000_000 * 10**9, "200")
    assert (event.probe_id, event.source, event.outcome) == ("r-a", "watchkeeper/probe", "unknown")
    assert event.labels == {
        "probe_category": "sec.jailbreak", "probe_attack": "a", "probe_run": "r", "probe_sent": "1",
        "probe_answer": "200",
    }  # fmt: skip
    assert event.input_text is None


def test_each_attack_reaches_the_endpoint_and_the_history(run, endpoint):
    """All are posted with their ids; refusals arrive, failures are counted and named, all are recorded as sent."""
    done, events = run("--endpoint", endpoint)
    assert done.exit_code == 1
    assert "40 attacks arrived, 8 failed" in done.output
    assert sum("  500" in line for line in done.output.splitlines()) == 8
    assert {event.probe_id: event.labels["probe_answer"] for event in events} == {
        probe_id: "403" if "jailbreak" in probe_id else "500" if "tool" in probe_id else "200"
        for probe_id, _ in Service.seen
    }
    assert len(events) == 40


def test_an_attack_that_reached_nobody_is_not_counted_as_sent(run):
    """Where nothing listens each attack is an error, and none is in the history as missed."""
    done, events = run("--endpoint", f"http://127.0.0.1:{free_port()}", "--count", 3)
    assert (done.exit_code, events) == (1, [])
    assert "0 attacks arrived, 3 failed" in done.output
    assert done.output.count("ConnectionError") == 3


def test_offline_results_are_published_beside_what_was_sent(run, tmp_path):
    """Every chosen attack is recorded as sent; those in the file also with their guards, under the same probe id."""
    path = tmp_path / "results.jsonl"
    path.write_text(LINE + "\n\n")
    done, events = run("--events", path, "--seed", 3)
    assert done.exit_code == 0, done.exception
    assert "40 attacks, 1 of them judged" in done.output
    [judged] = [event for event in events if event.guards]
    assert judged.guards[0].verdict == "flag"
    assert "probe_sent" not in judged.labels
    assert sum(event.probe_id == judged.probe_id for event in events) == 2
    assert sum("probe_sent" in event.labels for event in events) == 40


@pytest.mark.parametrize(
    ("line", "words"),
    [("{", "line 2"), ('{"probe_id": "direct-01"}', "guards"), (LINE.replace("-01", "-99"), "direct-99")],
)
def test_a_line_that_is_no_result_is_named(tmp_path, line, words):
    """Broken lines and unknown attacks are errors with file, line and reason."""
    path = tmp_path / "results.jsonl"
    path.write_text(f"{LINE}\n{line}\n")
    with pytest.raises(ValueError, match=words):
        read_results(path)


def test_one_way_must_be_chosen():
    """Neither or both of endpoint and file is an error that says so; the list can be had for working offline."""
    assert "one of" in str(CliRunner().invoke(app, ["probe", "run", "--service", "a"]).exception)
    listed = CliRunner().invoke(app, ["probe", "list", "--count", "2"]).output.splitlines()
    assert [set(json.loads(line)) for line in listed] == [{"probe_id", "category", "text"}] * 2
