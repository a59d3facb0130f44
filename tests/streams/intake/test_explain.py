"""``watchkeeper explain``, run as people run it: what becomes of each record, and why."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from typer.testing import CliRunner

from streams.commands.main import app
from streams.dialects.registry import UnknownDialectError

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests/streams/dialects/recorded/litellm.jsonl.gz"
EVENT = {
    "event_type": "ai.safety.inference.v1", "event_id": "e", "source": "s", "time_unix_nano": 1_770_000_000_000_000_000,
    "service_name": "assistant", "response_model": "m",
}  # fmt: skip


def run(*arguments, given="", status=0):
    """Return what the command printed, and hold its exit status."""
    with NamedTemporaryFile() as file:
        file.write(given.encode())
        file.flush()
        names = [file.name if each == "-" else str(each) for each in arguments]
        done = CliRunner().invoke(app, ["explain", *names])
    assert done.exit_code == status, done.output
    return done.stdout


def plain(*arguments, given="", status=0):
    return [json.loads(line) for line in run("--json", *arguments, given=given, status=status).splitlines()]


def test_a_canonical_event_is_told_with_everything_it_counts_for():
    """One object a record, with the event and for it the rates, version and session that the product itself counts."""
    [found] = plain("-", given=json.dumps(EVENT))
    assert (found["dialect"], found["events"], found["dropped"], found["warnings"]) == ("canonical", [EVENT], [], [])
    [counted] = found["counted"]
    assert (counted["refused"], counted["kind"], counted["version"], counted["session"]) == (
        None,
        "inference",
        "m",
        "e",
    )
    assert "error" in counted["trials"]
    assert (counted["flagged"], counted["pages"]) == ([], 0)


def test_people_read_what_counts_and_why():
    """Without --json each rate is a sentence."""
    told = run("-", given=json.dumps(EVENT | {"outcome": "error"}))
    assert "canonical" in told
    assert "error: flagged, because" in told


def test_what_is_refused_has_a_code_and_the_status_says_how_many():
    """Broken JSON, a broken event and a shape that nobody knows are entries of their own, each with its reason."""
    lines = [
        json.dumps(EVENT),
        '{"a": NaN}',
        json.dumps(EVENT | {"duration_ms": -1}),
        '{"x": 1}',
        "[1]",
        json.dumps(EVENT),
    ]
    found = plain("-", given="\n".join(lines), status=4)
    codes = [each["counted"][0]["refused"] for each in found]
    assert codes == [None, "not_json", "invalid", "unknown_dialect", "unknown_dialect", None]
    assert "known are canonical" in found[3]["counted"][0]["detail"]


def test_the_moment_of_writing_decides_what_is_from_the_future():
    """A record's own written_ms holds unless the argument is given; without either, none is from the future."""
    early = EVENT["time_unix_nano"] // 1_000_000 - 3_600_000
    own = json.dumps(EVENT | {"written_ms": early})
    [found] = plain("-", given=own, status=1)
    assert found["counted"][0]["refused"] == "future_time"
    assert plain("-", "--written-ms", early + 3_600_000, given=own)[0]["counted"][0]["refused"] is None
    assert plain("-", given=json.dumps(EVENT))[0]["counted"][0]["refused"] is None


def test_a_dialect_may_be_said():
    """A record of another shape is refused then, and a wrong name is told with the right ones."""
    run = {"run_type": "llm", "trace_id": "t", "start_time": "2026-02-02T02:40:00Z"}
    assert plain("-", "--dialect", "langsmith", given=json.dumps(run))[0]["events"][0]["outcome"] == "completed"
    [found] = plain("-", "--dialect", "langsmith", given=json.dumps(EVENT), status=1)
    assert found["counted"][0]["refused"] == "unknown_dialect"
    with pytest.raises(UnknownDialectError, match=r"'lightllm'; take one of canonical, .*litellm"):
        CliRunner().invoke(app, ["explain", __file__, "--dialect", "lightllm"], catch_exceptions=False)


def test_a_document_of_another_topic_is_refused_as_it_stands():
    """Taken for what `inference.v1` holds, OTLP is refused with the topic that it belongs on; else it is translated."""
    span = {"traceId": "ab" * 16, "spanId": "1" * 16, "name": "chat", "startTimeUnixNano": "1770000000000000000"}
    otlp = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    [found] = plain("-", "--dialect", "canonical", given=otlp, status=1)
    assert found["counted"][0]["refused"] == "invalid"
    assert "this is OTLP: send it to otlp_spans" in found["counted"][0]["detail"]
    assert plain("-", given=otlp)[0]["dialect"] == "otlp"


def test_what_says_no_time_is_told_all_the_same():
    """A piece of a record has the time of reading, and a warning that it could not be imported."""
    [found] = plain("-", given=json.dumps({"run_type": "llm", "session_id": "project", "trace_id": "t"}))
    assert (found["dialect"], found["counted"][0]["refused"], found["counted"][0]["session"]) == (
        "langsmith",
        None,
        "t",
    )
    assert any("no time" in warning for warning in found["warnings"])


def test_one_session_for_all_traffic_is_warned_of():
    """Ten calls of ten traces under one session count as one trial; the last record says so, and what to do."""
    calls = [json.dumps(EVENT | {"event_id": str(n), "trace_id": f"t{n}", "session_id": "project"}) for n in range(10)]
    found = plain("-", given="\n".join(calls))
    assert [bool(each["warnings"]) for each in found] == [False] * 9 + [True]
    assert "10 of 10" in found[-1]["warnings"][0]


def test_recorded_requests_of_a_gateway_are_explained_whole():
    """Every call that LiteLLM logged becomes an event that counts, and nothing is refused."""
    found = plain(RECORDED)
    assert {each["dialect"] for each in found} == {"litellm"}
    assert [len(each["counted"]) for each in found] == [1] * 128
    assert not any(each["counted"][0]["refused"] for each in found)


def test_spans_of_several_records_are_one_trace():
    """A child that came before its root, in another message, has the root's session; each event is with its span."""

    def message(span, parent, **attributes):
        held = [{"key": name, "value": {"stringValue": value}} for name, value in attributes.items()]
        one = {"traceId": "ab" * 16, "spanId": span, "parentSpanId": parent, "name": "s", "attributes": held}
        times = {"startTimeUnixNano": "1770000000000000000", "endTimeUnixNano": "1770000001000000000"}
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one | times]}]}]})

    child = message("1" * 16, "2" * 16, **{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    root = message("2" * 16, "", **{"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "c1"})
    found = plain("-", given=f"{child}\n{root}\n")
    assert [each["events"][0]["event_type"] for each in found] == ["ai.safety.inference.v1", "ai.safety.agent_step.v1"]
    assert {each["counted"][0]["session"] for each in found} == {"c1"}


def test_the_input_is_read_as_a_file_is():
    """What is piped into the command is told too, and its exit status says how many records were refused."""
    command = [sys.executable, "-m", "streams", "explain", "-", "--json"]
    given = gzip.compress(json.dumps(EVENT).encode() + b"\n{")
    done = subprocess.run(command, input=given, capture_output=True, check=False, cwd=ROOT, timeout=120)
    assert [json.loads(line)["dialect"] for line in done.stdout.splitlines()] == ["canonical", "none"]
    assert done.returncode == 1


def test_a_verdict_that_meets_no_event_says_so():
    """It counts in the service as a whole, as an orphan; one that meets its event says nothing of the kind."""
    guard = {"guard_name": "g", "layer": "output", "status": "ok", "verdict": "flag"}
    alone = EVENT | {"event_type": "ai.safety.guard_verdict.v1", "guard": guard}
    del alone["response_model"]
    told = [
        json.dumps(alone | {"event_id": name, "target_event_id": target}) for name, target in (("v", "e"), ("w", "x"))
    ]
    found = plain("-", given="\n".join([json.dumps(EVENT), *told]))
    assert [any("orphan" in why for why in one["counted"][0]["why"]) for one in found] == [False, False, True]


def test_nothing_is_started():
    """The command loads no engine and no worker."""
    code = "import sys, streams.intake.explain; print({'chdb', 'faust'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, timeout=60)
    assert done.stdout.strip() == b"set()"
