"""What is told of children: their problems, and one page about all of them."""

import pytest
import requests

from streams.local.page import Page
from streams.local.pulse import Answer
from streams.local.supervisor import State
from streams.settings import Settings
from streams.tls.asking import address, ask
from tests.support.children import SLEEP, child, until
from tests.support.hook import Hook
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults


def test_the_problems_of_a_child_are_told_once(tmp_path, supervised):
    """What a child says of itself is told when it begins, not again when a number in it changes, and when it ends."""
    said, problems = [], []
    one = child(tmp_path, SLEEP, ask=lambda: Answer(ready=True, problems=tuple(problems)))
    supervisor = supervised(one)
    supervisor._tell = lambda child, problem, **_: said.append((child.name, problem))
    until(supervisor, lambda: one.state is State.RUNNING)
    for shown in (["90 MB are free"], ["80 MB are free"], ["80 MB are free", "no Kafka"], []):
        problems[:] = shown
        until(supervisor, lambda shown=shown: one.pulse.answer.problems == tuple(shown))
        supervisor.check()
    assert said == [("one", "90 MB are free"), ("one", "no Kafka"), ("one", "")]


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("given", "named", "status"),
    [
        ({"host": "::1"}, None, 200),
        ({"host": "0.0.0.0", "allowed_hosts": "watch.example"}, "watch.example:8138", 200),
        ({"host": "0.0.0.0"}, "192.0.2.7:8138", 200),
        ({"host": "0.0.0.0"}, "watch.example:8138", 421),
    ],
)
def test_the_page_is_there_on_every_address_that_may_be_bound(given, named, status):
    """That of IPv6 too, under the names that are set and any address; Prometheus asks by one of these."""
    settings = Settings(**given)
    page = Page(settings, 0, list)
    headers = {} if named is None else {"Host": named}
    try:
        answer = ask(settings, "GET", f"{address(settings, page.port)}/health", timeout=60, headers=headers)
    finally:
        page.stop()
    assert answer.status_code == status, answer.text


@pytest.mark.enable_socket
def test_the_page_says_how_every_part_is(tmp_path, supervised):
    """One address tells states, reasons and problems; 503 unless all is well; a foreign host is refused."""
    bad = child(tmp_path, "raise SystemExit('watchkeeper: the cause')", "bad")
    good = child(tmp_path, SLEEP, "good", ask=lambda: Answer(ready=True, problems=tuple(problems)))
    problems = []
    supervisor = supervised(good)
    until(supervisor, lambda: good.state is State.RUNNING)
    page, shown = Page(Settings(), 0, lambda: shown), [good]
    url = f"http://127.0.0.1:{page.port}/health"
    try:
        assert requests.get(url, timeout=60).json()["parts"]["good"]["state"] == "running"
        assert requests.get(url, timeout=60).status_code == 200
        problems.append("Kafka does not answer")
        wait_until(lambda: requests.get(url, timeout=60).json()["problems"] == ["good: Kafka does not answer"])
        problems.clear()
        bad.become(State.DOWN, "ended with status 1: the cause")
        shown.append(bad)
        wait_until(lambda: len(requests.get(url, timeout=60).json()["problems"]) == 1)
        answer = requests.get(url, timeout=60)
        assert answer.status_code == 503
        assert answer.json()["problems"] == ["bad is down: ended with status 1: the cause"]
        assert 'watchkeeper_part_up{part="bad"} 0.0' in requests.get(url.replace("health", "metrics"), timeout=60).text
        assert requests.get(url, timeout=60, headers={"Host": "evil.example"}).status_code == 421
    finally:
        page.stop()


@pytest.mark.enable_socket
def test_this_machine_is_asked_without_a_proxy_and_with_our_token(tmp_path, monkeypatch):
    """What the environment and `~/.netrc` say of the world outside keeps nobody from our own ports."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    hook = Hook()
    try:
        answer = ask(Settings(), "POST", hook.url, json={}, headers={"Authorization": "Bearer ours"}, timeout=60)
    finally:
        hook.stop()
    assert answer.status_code == 204
    assert hook.said[0][1]["Authorization"] == "Bearer ours"
