"""Users of the SQL endpoint who ask too much, or guess: they wait, and nobody else does."""

import threading

import pytest
import requests
from prometheus_client import REGISTRY

from streams.audit.questions import recorded
from streams.audit.recorder import Recorder
from streams.sql.server import Endpoint
from streams.sql.users import user_line
from tests.support.addresses import From
from tests.support.audit import entries

pytestmark = pytest.mark.store

ELSEWHERE = "127.0.0.2"


@pytest.fixture
def desk(store_settings, tmp_path):
    """An endpoint of three users, who may ask four questions a minute; what asks it, and what records it."""
    file = tmp_path / "users.yaml"
    file.write_text("\n".join(["users:", *(user_line(name, f"{name}-pass") for name in ("ann", "bo", "board"))]))
    settings = store_settings.model_copy(
        update={"sql_users": file, "sql_user": "board", "sql_port": 0, "sql_questions_a_minute": 4, "lockout_tries": 3}
    )
    recorder = Recorder(settings)
    endpoint = Endpoint(settings, around=[recorded(recorder, settings)])
    endpoint.start()

    def ask(user, password="", address="127.0.0.1"):
        with requests.Session() as session:
            session.mount("http://", From(address))
            who = (user, password or f"{user}-pass")
            return session.post(f"http://127.0.0.1:{endpoint.port}/", data="SELECT 1", auth=who, timeout=60)

    ask.endpoint, ask.recorder = endpoint, recorder
    yield ask
    endpoint.stop()


def failed():
    """Return how many passwords were wrong, or of who had to wait, as the metrics say."""
    return REGISTRY.get_sample_value("watchkeeper_failed_sign_ins_total", {"door": "sql"}) or 0


def test_a_user_who_asks_too_much_waits_and_no_other_does(desk):
    """429 with ClickHouse's code for a quota and `Retry-After`; other users go on, our own has no limit."""
    answers = [desk("ann") for _ in range(7)]
    assert [each.status_code for each in answers] == [200] * 4 + [429] * 3
    last = answers[-1]
    assert last.text.startswith("Code: 201. DB::Exception: ann asks more than 4 questions a minute: try again in ")
    assert (last.headers["X-ClickHouse-Exception-Code"], 0 < int(last.headers["Retry-After"]) <= 15) == ("201", True)
    assert desk("bo").status_code == 200
    assert [desk("board").status_code for _ in range(9)] == [200] * 9
    desk.recorder.begin()
    desk.recorder.end()
    found = [(each["kind"], each["who"], each["status"]) for each in entries(desk.recorder.log)[1:]]
    assert found == [*[("question", "ann", 200)] * 4, ("refused", "ann", 429), ("question", "bo", 200)]


def test_who_guesses_passwords_waits_and_keeps_nobody_out(desk):
    """After three wrong ones nothing is looked at that comes from there under that name; from elsewhere it is."""
    before = failed()
    assert [desk("ann", f"wrong {each}").status_code for each in range(4)] == [403] * 3 + [429]
    assert failed() == before + 4
    waiting = desk("ann")
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (429, "1")
    assert desk("ann", address=ELSEWHERE).status_code == 200
    assert desk("bo").status_code == 200


def test_a_client_with_the_password_of_yesterday_locks_nobody_out(desk):
    """The same wrong one again and again counts once, and is not even looked at."""
    assert [desk("ann", "of yesterday").status_code for _ in range(10)] == [403] * 10
    assert desk("ann").status_code == 200


def test_passwords_that_are_looked_at_delay_nobody_who_is_known(desk):
    """While the thread that looks at passwords does nothing else, whoever has come in before is answered."""
    assert desk("ann").status_code == 200
    free = threading.Event()
    desk.endpoint._door._pool.submit(free.wait)
    guessing = [threading.Thread(target=desk, args=(f"n{each}", "wrong", ELSEWHERE)) for each in range(8)]
    for each in guessing:
        each.start()
    try:
        assert [desk("ann").status_code for _ in range(3)] == [200] * 3
        assert all(each.is_alive() for each in guessing)
    finally:
        free.set()
        for each in guessing:
            each.join()
