"""The questions of analysts: each is asked as the page has it, through the endpoint, of an empty and a filled store."""

import re
from pathlib import Path

import pytest
import requests

import schemas
from detectors.intervals import wilson
from streams.sql.server import Endpoint
from tests.support.dashboards import history
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.store

PAGE = (Path(schemas.__file__).parent / "questions.md").read_text()
QUESTIONS = dict(re.findall(r"^## (\d+)\. .+?```sql\n(.+?)\n```", PAGE, re.DOTALL | re.MULTILINE))
UNTIL = history.BAD_UNTIL
INJECTION = 1 << 2
"""The bit of `injection_flag` in `trials` and `flagged`."""


def write_sessions(client):
    """Write what the history has the counts of alone: two sessions with model calls, a tool step and a retrieval."""
    at = history.CLEAN_UNTIL
    for table, flags in {
        "inferences": [("s1", 1), ("s1", 0), ("s2", 0)],
        "agent_steps": [("s1", 1)],
        "retrievals": [("", 1)],
    }.items():
        rows = [
            {"event_id": f"{table}-{number}", "time": at, "service_name": history.SERVICE, "trials": INJECTION,
             "flagged": INJECTION * flagged, "kafka_offset": number}
            | ({"session_id": session} if session else {})
            for number, (session, flagged) in enumerate(flags)
        ]  # fmt: skip
        history.put(client, table, *rows)


@pytest.fixture
def ask(client, store_settings):
    """Ask a question about the shop, up to the end of the bad day."""
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()

    def asked(number):
        moments = {"since": history.START, "until": UNTIL}
        parameters = {f"param_{name}": f"{at:%Y-%m-%d %H:%M:%S}" for name, at in moments.items()}
        answer = requests.post(
            f"http://127.0.0.1:{endpoint.port}/",
            params=parameters | {"param_service": history.SERVICE, "default_format": "JSON"},
            data=QUESTIONS[number],
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code == 200, (number, answer.text)
        return answer.json()["data"]

    yield asked
    endpoint.stop()


def test_there_are_twenty_questions():
    """The page has as many as it promises, numbered in order."""
    assert list(QUESTIONS) == [str(number) for number in range(1, 21)]


def test_of_an_empty_store_every_question_has_an_answer_and_none_invents_rows(ask):
    """The engine takes each text, and nothing comes of nothing."""
    assert {number: ask(number) for number in QUESTIONS} == {number: [] for number in QUESTIONS}


def test_of_a_history_the_answers_are_those_of_its_rows(client, ask):
    """Each question finds something, and those that can be counted by hand come out so."""
    history.write_all(client)
    write_sessions(client)
    answers = {number: ask(number) for number in QUESTIONS}
    assert [number for number, rows in answers.items() if not rows] == []
    good, bad = history.counts(bad=False), history.counts(bad=True)
    days = answers["1"]
    assert [row["day"] for row in days] == ["2026-03-02", "2026-03-03"]
    for row, hour in zip(days, (good, bad), strict=True):
        k, n = 24 * hour["unsafe_served"], 24 * hour["unsafe_served_trials"]
        low, high = (float(bound) for bound in wilson(k, n))
        assert (row["value"], row["lower"], row["upper"]) == pytest.approx((k / n, low, high))
    both = {name: 24 * (good[name] + bad[name]) for name in good if isinstance(good[name], int)}
    [version] = answers["2"]
    assert version["value"] == pytest.approx(both["unsafe_served"] / both["unsafe_served_trials"])
    [change] = answers["3"]
    later = 23 * bad["unsafe_served"] + good["unsafe_served"]  # the day after it ends an hour after the bad one
    assert change["after"] == pytest.approx(later / (24 * bad["unsafe_served_trials"]))
    [tenant] = answers["4"]
    assert int(tenant["unsafe"]) == both["unsafe_served"]
    stopped = {row["kpi"]: row["value"] for row in answers["5"]}
    assert stopped["mitigation"] == pytest.approx(1 - both["unsafe_served"] / both["unsafe_attempted"])
    assert len(answers["6"]) == 48
    doors = {row["door"]: (int(row["flagged_n"]), int(row["judged"])) for row in answers["7"]}
    assert doors == {"model call": (1, 3), "agent step": (1, 1), "retrieval": (1, 1)}
    [tool] = answers["8"]
    assert (tool["tool_name"], tool["denied"], tool["share"]) == ("shell", 1, 1)
    assert answers["9"][0]["p50_ms"] == 12
    [step] = answers["13"]
    assert step["transition"] == "detected"
    assert [row["incident_id"] for row in answers["14"]] == ["inc-1"]
    [family] = answers["15"]
    assert (family["open"], family["share_false"]) == (1, None)
    assert len(answers["16"]) == 7
    sessions = [(row["session"], int(row["flagged_n"]), int(row["events"])) for row in answers["18"]]
    assert sessions == [("s1", 2, 3), ("s2", 0, 1)]
    [refused] = answers["20"]
    assert (refused["reason"], refused["records"]) == ("not_json", 30)
