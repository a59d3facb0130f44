"""The demo on services that run elsewhere: when it may begin, and when it is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from streams.cli import app
from streams.demo_settled import EVENT_TABLES, LATER_TABLES, STILL_SECONDS, Stillness, check_ready, store_counts
from streams.kafka_admin import TopicError
from streams.local.broker import free_port
from streams.settings import SettingsError

COUNTS = dict.fromkeys((*EVENT_TABLES, *LATER_TABLES), 0) | {"inferences": 10, "telemetry": 4, "counted": 10}


@given(news=st.lists(st.sampled_from(LATER_TABLES), min_size=1, max_size=8), gap=st.integers(1, int(STILL_SECONDS) - 1))
def test_news_of_any_kind_puts_the_end_off(news, gap):
    """As long as any table grows within the time of stillness it is not settled; after that time without news it is."""
    stillness, counts, now = Stillness(), dict(COUNTS), 0.0
    for table in news:
        assert not stillness.settled(counts, 10, 4, now)
        counts = counts | {table: counts[table] + 1}
        now += gap
    assert not stillness.settled(counts, 10, 4, now)
    assert stillness.settled(counts, 10, 4, now + STILL_SECONDS)


@pytest.mark.parametrize("missing", ["inferences", "telemetry", "counted"])
def test_what_is_not_stored_or_counted_is_waited_for(missing):
    """However long nothing happens, an event or mark that is not stored, or an event not counted, keeps it open."""
    stillness, counts = Stillness(), COUNTS | {missing: COUNTS[missing] - 1}
    assert [stillness.settled(counts, 10, 4, now) for now in (0.0, 1000.0)] == [False, False]


def test_the_counts_are_those_of_the_tables(client, store_settings):
    """Every table is counted in the migrated store, and a row more is one more."""
    settings = store_settings.model_copy(update={"sql_port": free_port()})
    before = store_counts(settings)
    client.insert("telemetry", [["e1"]], column_names=["event_id"])
    assert set(before) == set(COUNTS)
    assert store_counts(settings) == before | {"telemetry": 1}


@pytest.mark.kafka
def test_services_that_are_not_ready_are_refused(kafka_settings, client, store_settings):
    """Missing topics, a store with events and an API without a known token are each refused with what to do."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    settings = kafka_settings.model_copy(update={**store, "sql_port": free_port(), "api_port": free_port()})
    with pytest.raises(TopicError, match="topics create"):
        check_ready(settings.model_copy(update={"topic_prefix": "nobody."}))
    with pytest.raises(SettingsError, match="WATCHKEEPER_API_TOKEN"):
        check_ready(settings)
    client.insert("telemetry", [["e1"]], column_names=["event_id"])
    with pytest.raises(ValueError, match="holds 1 events already"):
        check_ready(settings)


@pytest.mark.parametrize("options", [["--kafka", "a:1"], ["--clickhouse", "http://a:1"]])
def test_half_an_address_is_refused(options):
    """Kafka without the store, or the store without Kafka, is no installation to play to."""
    error = CliRunner().invoke(app, ["demo", *options]).exception
    assert isinstance(error, SettingsError)
    assert "give both" in str(error)
