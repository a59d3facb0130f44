"""What searches gave to answers: documents that nobody vetted, and nothing at all."""

from datetime import timedelta

import pytest

from tests.support.histories import START, ask, counts, fill, holds, of

pytestmark = pytest.mark.store
AT = START + timedelta(hours=1)
OLD, NEW = AT - timedelta(days=181), AT - timedelta(days=179)


def searched(number, source, trusts, **fields):
    """Return a search that gave a document for each trust."""
    ids = [f"d{place}" for place in range(len(trusts))]
    return {"event_id": f"r{number}", "kafka_offset": number, "service_name": "a", "data_source_id": source, "time": AT,
            "documents_id": ids, "documents_trust": trusts, "documents_ingested_at": [], "score_max": None,
            "flagged": 0, "probe_id": "", "returned_count": None} | fields  # fmt: skip


@pytest.fixture
def filled(store):
    """A store with searches in two sources, and a probe that counts in neither."""
    fill(store, service_hours=[counts(1)], retrievals=[
        searched(1, "wiki", ["trusted", "internal", "external", ""], score_max=0.5,
                 documents_ingested_at=[OLD, NEW, None, None]),
        searched(2, "wiki", [], score_max=0.1), searched(3, "web", ["user_supplied"], flagged=4),
        searched(4, "web", ["external"], probe_id="p"), searched(5, "web", [], returned_count=3),
    ])  # fmt: skip
    return store


def test_shares_of_documents_and_of_searches(filled):
    """Two of five documents say that strangers wrote them; one of four searches gave nothing, as one only counted."""
    found = ask(filled, "kpi_known_shares")
    assert holds(of(found, "unvetted_served")[0, "a", ""], 2, 5)
    assert holds(of(found, "empty_searches")[0, "a", ""], 1, 4)


def test_each_source_by_itself(filled):
    """Share without a document, best score, unvetted, without a trust, stale (older than 180 days), injections."""
    shares = "empty_share, best_score, unvetted_share, unsaid_share, stale_share"
    asked = f"SELECT data_source_id, searches, {shares}, injections FROM"
    parameters = {"since": START, "until": START + timedelta(days=1)}
    view = "source_quality(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})"
    rows = filled.query(f"{asked} {view} ORDER BY data_source_id", parameters=parameters).result_rows
    assert [tuple(row) for row in rows] == [
        ("web", 2, 0.0, None, 1.0, 0.0, 0.0, 1), ("wiki", 2, 0.5, pytest.approx(0.3), 0.25, 0.25, 0.25, 0),
    ]  # fmt: skip
