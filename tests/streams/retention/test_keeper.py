"""A whole installation after what is too old went: nothing looks lost, and all that is kept is equal."""

import time
from functools import partial

import pytest

from schemas.fields import NANO
from streams.audit.log import of
from streams.health.problems import PROBLEMS
from streams.history.topics import tables_of
from streams.policy.inheritance import READY
from streams.policy.policy import Policy, parse_policy
from streams.policy.retention import DAY, Retention
from streams.retention.keeper import Keeper
from streams.store.client import connect, rows
from streams.store.keeper import StoreWatch
from streams.verify.run import Verifier
from tests.support.audit import kinds
from tests.support.both_paths import START_NANO, history_stage, play

pytestmark = pytest.mark.store

SHORT = Policy(retention=Retention(events="2d", text="2d"))


def test_after_what_is_too_old_went_all_is_equal_and_nothing_looks_lost(kafka_settings, store_settings, client):
    """Though Kafka still has the events that went; they are not looked for again on the same day."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    settings = kafka_settings.model_copy(update=store)
    play(settings, 200)
    assert Verifier(settings, None, None).run().equal
    clock = START_NANO / NANO + 4 * DAY
    keeper = Keeper(settings, partial(connect, settings), SHORT, lambda: clock)
    assert {each.name for each in keeper.look()} >= {"inferences", "agent_steps", "guard_verdicts", "window_messages"}
    assert rows(client, "SELECT count() FROM inferences") == [(0,)]
    assert rows(client, "SELECT sum(events) > 100 FROM service_hours FINAL") == [(1,)]
    report = Verifier(settings, None, None).run()
    assert report.equal, report.holes
    stage = history_stage(settings)
    StoreWatch(settings, partial(connect, settings), tables_of(settings), stage._gives_rows).look()
    assert PROBLEMS.current() == {}
    assert kinds(of(settings)) == ["begun", "retention"]
    assert keeper.look() == []


def test_nothing_goes_where_the_policy_names_no_retention(store_settings, client):
    """Neither rows nor a word about them: a week that is replayed, or a past that is imported, stays."""
    client.command("INSERT INTO inferences (event_id, time) VALUES ('old', '2026-03-02')")
    keeper = Keeper(store_settings, partial(connect, store_settings), parse_policy("review: {}"), time.time)
    assert keeper.look() == []
    assert rows(client, "SELECT count() FROM inferences") == [(1,)]


@pytest.mark.parametrize("name", READY)
def test_the_ready_policies_say_how_long_data_are_kept(name):
    """Whoever begins with one of them has retention, as he who extends it has."""
    assert parse_policy(f"extends: {name}").names_retention
