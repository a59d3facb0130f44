"""Questions of people to the SQL endpoint are written down, and so is who is refused there."""

import hashlib

import pytest
import requests

from streams.audit.questions import recorded
from streams.audit.recorder import Recorder
from streams.sql.server import Endpoint
from streams.sql.users import user_line
from tests.support.audit import entries


@pytest.fixture
def ask(store_settings, tmp_path):
    """Ask an endpoint with two users whose questions are recorded, and give the recorder."""
    file = tmp_path / "users.yaml"
    file.write_text("\n".join(["users:", user_line("ann", "pa55"), user_line("board", "pa55")]))
    settings = store_settings.model_copy(update={"sql_users": file, "sql_user": "board", "sql_port": 0})
    recorder = Recorder(settings)
    endpoint = Endpoint(settings, around=[recorded(recorder, settings)])
    endpoint.start()

    def asked(user, password, question, **headers):
        url = f"http://127.0.0.1:{endpoint.port}/"
        return requests.post(url, data=question, auth=(user, password), headers=headers, timeout=60).status_code

    yield asked, recorder
    endpoint.stop()


def test_questions_and_refusals_are_written_down(ask):
    """A person's question with its text and answer, whoever was refused and why, and no question of the boards."""
    asked, recorder = ask
    assert asked("ann", "pa55", "SELECT 1") == 200
    assert asked("board", "pa55", "SELECT 2") == 200
    assert asked("ann", "pa55", "SELECT nothing") == 404
    assert asked("ann", "wr0ng", "SELECT 3") == 403
    assert asked("board", "pa55", "SELECT * FROM file('x')") == 403
    assert asked("ann", "pa55", "SELECT 5", Host="evil.example") == 403
    recorder.begin()
    recorder.end()
    found = entries(recorder.log)[1:]
    assert [(each["kind"], each.get("who"), each.get("question"), each["status"]) for each in found] == [
        ("question", "ann", "SELECT 1", 200),
        ("question", "ann", "SELECT nothing", 404),
        ("refused", None, None, 403),
        ("refused", "board", "SELECT * FROM file('x')", 403),
        ("refused", None, None, 403),
    ]
    assert found[0]["sha256"] == hashlib.sha256(b"SELECT 1").hexdigest()
    assert b"pa55" not in recorder.log.parts()[0][0].read_bytes()
