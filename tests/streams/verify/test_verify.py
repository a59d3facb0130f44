"""`watchkeeper verify` says equal where both paths are whole, and names each hole."""

import pytest

from streams.local.broker import free_port
from streams.verify.run import Verifier
from tests.streams.verify.both_paths import play, send

pytestmark = pytest.mark.store


@pytest.fixture
def settings(kafka_settings, store_settings, client):
    """Settings with topics and tables of their own."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    return kafka_settings.model_copy(update=store | {"sql_port": free_port()})


def holes(settings, since=None, until=None):
    """Return what is found."""
    return [
        (hole.what, hole.partition, hole.expected, hole.found) for hole in Verifier(settings, since, until).run().holes
    ]


def test_whole_paths_are_equal(settings):
    """Late events, probes, dead letters and open ticks are no holes; what is not stored yet is said so."""
    play(settings)
    report = Verifier(settings, None, None).run()
    assert report.holes == []
    assert sum(counts.rows for counts in report.counts) == 1200
    assert sum(counts.dead_letters for counts in report.counts) == 12
    assert all(counts.window_events == counts.events > 200 for counts in report.counts)
    assert sum(counts.events + counts.not_yet_counted for counts in report.counts) == 1200 - 30
    send(settings, 1200, 1210)
    again = Verifier(settings, None, None).run()
    assert again.equal
    assert sum(counts.not_yet_stored for counts in again.counts) == 10
