"""Probes: harmless, known attacks; what is sent to a real server and what is recorded of it."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from schemas.categories import FAMILIES
from schemas.events import Event
from schemas.topics import INFERENCE
from streams.commands.main import app
from streams.local.broker import free_port
from streams.review.probes import Attack, Probe, attacks, chosen, read_results, rotated, sent
from tests.faults.log import decoded

LINE = '{"probe_id": "direct-01", "guards": [{"guard_name": "g", "layer": "input", "status": "ok", "verdict": "flag"}]}'


ALL = 58


def status_of(probe_id):
    """Return what the service answers."""
    return {"jailbreak": 403, "tool": 500, "leak": 429}.get(probe_id.split("-")[1], 200)


class Service(BaseHTTPRequestHandler):
    """Refuses jailbreaks, fails at tools, has no quota for leaks, answers the rest, and remembers everything."""

    seen: list = []  # noqa: RUF012

    def do_POST(self):
        """Answer one attack."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        probe_id = self.headers["Watchkeeper-Probe"]
        self.seen.append((probe_id, body))
        self.send_response(status_of(probe_id))
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

    def running(*arguments, command="run"):
        given = ["probe", command, "--service", "chat", "--kafka", kafka_settings.kafka]
        done = CliRunner().invoke(app, [*given, *map(str, arguments)])
        return done, decoded(kafka_settings, INFERENCE, Event)

    return running


def test_attacks_are_marked_and_of_known_categories():
    """Each is there once, harmless, in a category that the contract knows; every family has five and more."""
    known = attacks()
    assert len(known) == len({attack.attack_id for attack in known}) == len({attack.text for attack in known}) == ALL
    assert {attack.category for attack in known} <= set(FAMILIES)
    families = Counter(attack.family for attack in known)
    assert set(families) == {
        "direct", "jailbreak", "indirect", "multi_turn", "exfiltration", "prompt_leak", "tool_misuse",
    }  # fmt: skip
    assert min(families.values()) >= 5
    assert all("PROBE" in attack.text for attack in known)
    assert all("http" not in attack.text.replace("https://probe.invalid", "") for attack in known)


def test_rounds_rotate_through_all_attacks_and_families():
    """Five rounds of seven have seven families each and no attack twice; all come before any comes again."""
    known = attacks()
    rounds = [rotated(known, 1, number, 7) for number in range(ALL)]
    assert all(len({attack.family for attack in each}) >= 5 for each in rounds[:5])
    sent = [attack for each in rounds for attack in each]
    assert len(set(sent[:ALL])) == ALL
    assert sent[ALL : 2 * ALL] == sent[:ALL]
    with pytest.raises(ValueError, match=f"from 1 to {ALL}"):
        rotated(known, 1, 0, ALL + 1)


def test_the_seed_decides_which():
    """The same seed chooses the same, other seeds others, and more than there are cannot be had."""
    known = attacks()
    assert chosen(known, 1, 7) == chosen(known, 1, 7) == chosen(known, 1, None)[:7]
    assert chosen(known, 1, 7) != chosen(known, 2, 7)
    assert sorted(chosen(known, 3, None)) == sorted(known)
    for count in (0, ALL + 1):
        with pytest.raises(ValueError, match=f"from 1 to {ALL}"):
            chosen(known, 1, count)


def test_what_was_sent_names_its_attack_and_no_text():
    """The record carries probe id, category, attack and run as labels, and not the prompt."""
    event = sent(Probe("chat", "r", Attack("turns-9", "sec.jailbreak", "the prompt")), 1_770_000_000 * 10**9, "200")
    assert (event.probe_id, event.source, event.outcome) == ("r-turns-9", "watchkeeper/probe", "unknown")
    assert event.labels == {
        "probe_category": "sec.jailbreak", "probe_family": "multi_turn", "probe_attack": "turns-9", "probe_run": "r",
        "probe_sent": "1", "probe_answer": "200",
    }  # fmt: skip
    assert event.input_text is None


def test_each_attack_reaches_the_endpoint_and_the_history(run, endpoint):
    """All are posted with their ids; a refusal is an answer, an error and a quota are none, and all are recorded."""
    done, events = run("--endpoint", endpoint)
    assert done.exit_code == 1
    assert f"{ALL - 16} attacks answered, 16 unreachable" in done.output
    assert sum("  500" in line for line in done.output.splitlines()) == 8
    assert {event.probe_id: event.labels["probe_answer"] for event in events} == {
        probe_id: str(status_of(probe_id)) for probe_id, _ in Service.seen
    }
    unreachable = {event.labels["probe_attack"] for event in events if "probe_unreachable" in event.labels}
    assert {attack.partition("-")[0] for attack in unreachable} == {"tool", "leak"}
    assert len(events) == ALL


def test_a_round_sends_documents_results_and_turns_as_such(run, endpoint):
    """A structured round has fields for what is no text of a user, and the turns of an attack are one conversation."""
    done, events = run("--endpoint", endpoint, "--count", ALL, "--rounds", 1, "--structured", command="rotate")
    assert "unreachable" in done.output
    assert len(events) == ALL
    bodies = [body for _, body in Service.seen]
    assert sum("documents" in body for body in bodies) == sum("tool_results" in body for body in bodies) == 4
    turns = Counter(body["conversation_id"] for body in bodies if "conversation_id" in body)
    assert list(turns.values()) == [3] * 5


def test_an_attack_that_reached_nobody_is_unreachable(run):
    """Where nothing listens each attack is recorded as one that nobody judged."""
    done, events = run("--endpoint", f"http://127.0.0.1:{free_port()}", "--count", 3)
    assert (done.exit_code, [event.labels["probe_unreachable"] for event in events]) == (1, ["1"] * 3)
    assert "0 attacks answered, 3 unreachable" in done.output
    assert done.output.count("ConnectionError") == 3


def test_offline_results_are_published_beside_what_was_sent(run, tmp_path):
    """Every chosen attack is recorded as sent; those in the file also with their guards, under the same probe id."""
    path = tmp_path / "results.jsonl"
    path.write_text(LINE + "\n\n")
    done, events = run("--events", path, "--seed", 3)
    assert done.exit_code == 0, done.exception
    assert f"{ALL} attacks, 1 of them judged" in done.output
    [judged] = [event for event in events if event.guards]
    assert judged.guards[0].verdict == "flag"
    assert "probe_sent" not in judged.labels
    assert sum(event.probe_id == judged.probe_id for event in events) == 2
    assert sum("probe_sent" in event.labels for event in events) == ALL


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
    assert all(set(json.loads(line)) >= {"probe_id", "category", "family", "text"} for line in listed)
