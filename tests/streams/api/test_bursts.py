"""Failed sign-ins at a running worker are one page, with what to do and without a name that nobody proved."""

import pytest
import requests

from schemas.findings import Finding
from schemas.runbooks import runbook_of
from schemas.topics import FINDINGS
from streams.access.limits.bursts import BURSTS, MOST
from streams.access.principals import create, tokens_file
from streams.kafka.topics import create_topics
from streams.settings import load
from streams.sql.server import Endpoint
from streams.sql.users import user_line
from streams.worker.bursts import page
from tests.faults.log import decoded
from tests.support.incidents.process import Worker
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def worker(broker, tmp_path_factory):
    """A running worker without incidents."""
    settings = load(kafka=broker, topic_prefix="bursts.", data_dir=tmp_path_factory.mktemp("bursts"))
    create_topics(settings)
    running = Worker(settings).start()
    yield running
    running.kill()


@pytest.mark.faults
def test_guesses_at_the_api_open_one_incident(worker):
    """However many there are, one page and one incident of our own; the next guess is told to wait."""
    for each in range(3 * MOST):
        answer = worker.ask("GET", "", token=f"s3cret-{each}")
    assert answer.status_code == 429

    token = create(tokens_file(worker.settings), "vic", ("viewer",), 600)

    def incidents():
        return worker.ask("GET", "", token=token).json()["incidents"]

    wait_until(incidents)
    [found] = incidents()
    assert (found["service"], found["severity"], found["metric"]) == ("watchkeeper", "sev3", "failed_sign_ins")
    [told] = decoded(worker.settings, FINDINGS, Finding)
    assert (told.severity, told.family, told.sample_size) == ("page", "sign_in", MOST)
    assert told.evidence.startswith(
        f"{MOST} wrong tokens or passwords within 1 min from 127.0.0.1, the last at the API"
    )
    assert runbook_of(told.family) == "watchkeeper runbook failed-sign-ins"
    assert "s3cret" not in repr(told)


@pytest.mark.store
def test_guesses_at_the_sql_endpoint_are_an_episode_too(store_settings, tmp_path):
    """Different passwords count, those that had to wait among them; a client with an old one is no guesser."""
    file = tmp_path / "users.yaml"
    file.write_text("users:\n" + user_line("ann", "right"))
    endpoint = Endpoint(store_settings.model_copy(update={"sql_users": file, "sql_port": 0}))
    endpoint.start()
    BURSTS.due()

    def ask(password):
        url = f"http://127.0.0.1:{endpoint.port}/"
        return requests.post(url, data="SELECT 1", auth=("ann", password), timeout=60).status_code

    try:
        assert {ask("of yesterday") for _ in range(2 * MOST)} == {403}
        assert BURSTS.due() == []
        for each in range(2 * MOST):
            ask(f"s3cret-{each}")
        [found] = BURSTS.due()
    finally:
        endpoint.stop()
    assert "from 127.0.0.1, the last at the SQL endpoint" in page(found).evidence
    assert "ann" not in repr(found)
