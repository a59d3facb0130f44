"""Children are kept running whatever they do."""

import pytest

from streams.local import supervisor as policy
from streams.local.supervisor import ChildFailedError, State, Supervisor
from tests.support.children import SLEEP, child, until

pytestmark = pytest.mark.faults


def test_a_killed_child_is_started_again(tmp_path, supervised):
    """A child that was killed runs again, as another process, and is stopped with the rest."""
    one = child(tmp_path, SLEEP)
    supervisor = supervised(one)
    until(supervisor, lambda: one.state is State.RUNNING)
    first = one.process
    first.kill()
    first.wait()
    until(supervisor, lambda: one.process not in {None, first} and one.state is State.RUNNING)
    assert one.starts == 2
    supervisor.stop()
    assert one.process.poll() is not None


@pytest.mark.parametrize(
    ("code", "reason", "again"),
    [
        ("print('watchkeeper: the cause'); raise SystemExit(78)", "ended with status 78 (a setting): the cause", False),
        (
            "print('watchkeeper: the cause'); print('the engine: more'); raise SystemExit(78)",
            "ended with status 78 (a setting): the cause",
            False,
        ),
        ("print('cause'); print('\\x1b[?25h'); raise SystemExit(3)", "ended with status 3: cause", True),
        ("raise ValueError('cause')", "ended with status 1: ValueError: cause", True),
        ("import os; os.kill(os.getpid(), 11)", "ended by SIGSEGV", True),
    ],
)
def test_a_child_that_will_not_stay_up_is_left_down_while_the_others_go_on(
    tmp_path, supervised, monkeypatch, code, reason, again
):
    """A refusal is final; repeated deaths are tried again later, once each time. The neighbour keeps its process."""
    monkeypatch.setattr(policy, "LONGEST_WAIT_SECONDS", 0.1)
    bad, good = child(tmp_path, code, "bad"), child(tmp_path, SLEEP, "good")
    supervisor = supervised(bad, good)
    until(supervisor, lambda: bad.state is State.DOWN)
    assert bad.reason == reason
    assert bad.starts == (policy.FAILURES + 1 if again else 1)
    assert (bad.start_at is not None) == again
    if again:
        bad.start_at = 0.0  # the five minutes are over
        until(supervisor, lambda: bad.starts == policy.FAILURES + 2 and bad.state is State.DOWN)
    assert good.state is State.RUNNING
    assert good.starts == 1


def test_what_a_child_needs_may_be_away_for_as_long_as_it_likes(tmp_path, supervised, monkeypatch):
    """Status 69 says that something else is away: the child is never given up."""
    monkeypatch.setattr(policy, "LONGEST_WAIT_SECONDS", 0.05)
    one = child(tmp_path, "raise SystemExit(69)")
    supervisor = supervised(one)
    until(supervisor, lambda: one.starts > policy.FAILURES + 2)
    assert one.state is not State.DOWN


def test_a_start_says_which_child_is_not_ready_and_what_it_said(tmp_path):
    """`start` returns when all are ready, and else fails with the last lines of the child."""
    supervisor = Supervisor([child(tmp_path, "print('cause'); raise SystemExit(78)", ask=lambda: None)])
    with pytest.raises(ChildFailedError, match=r"(?s)one ended with status 78.*cause"):
        supervisor.start()
    supervisor.stop()


def test_a_child_waits_for_what_hinders_it_and_stops_for_what_evicts_it(tmp_path, supervised):
    """It starts when the hindrance is over, is stopped in good order for an eviction, and comes back after it."""
    why = {"hindrance": "no broker", "eviction": None}
    handles = "import signal, sys; signal.signal(15, lambda *_: sys.exit(print('in good order')))"
    code = f"{handles}; print('listens', flush=True); {SLEEP}"
    one = child(tmp_path, code, hindrance=lambda: why["hindrance"], eviction=lambda: why["eviction"])
    supervisor = supervised(one)
    supervisor.check()
    assert (one.state, one.reason, one.process) == (State.WAITING, "no broker", None)
    why["hindrance"] = None
    until(supervisor, lambda: one.state is State.RUNNING)
    until(supervisor, lambda: "listens" in one.log_file.read_text())
    why["eviction"] = "no room"
    until(supervisor, lambda: one.process is None)
    assert (one.state, one.reason) == (State.WAITING, "no room")
    assert "in good order" in one.log_file.read_text()
    supervisor.check()
    assert one.process is None
    why["eviction"] = None
    until(supervisor, lambda: one.state is State.RUNNING)
    assert not one.deaths
