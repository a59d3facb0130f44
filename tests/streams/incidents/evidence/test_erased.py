"""Evidence as it is shown after an erasure."""

import json

from schemas.incidents import IncidentEvidence
from streams.api.erasures import Asked, erasure
from streams.erasure.subjects import Keyed
from streams.incidents.evidence.erased import Erased
from streams.settings import load


def test_evidence_is_shown_without_who_was_erased(tmp_path):
    """A user of before is another word in the bundle, one whose name only begins alike and one of later are not."""
    settings = load(data_dir=tmp_path)
    said = [{"dimension": "user", "name": name} for name in ("ü-1", "ü-1-b")]
    base = {"source": "s", "service_name": "a", "incident_id": "i", "moment": "opening", "complete": True}
    before, after = (
        IncidentEvidence(**base, event_id=str(at), time_unix_nano=at, bundle=json.dumps({"contributors": said}))
        for at in (1_790_000_000 * 10**9, 1_790_000_002 * 10**9)
    )
    erased = Erased(settings)
    assert erased.out_of(before) == before
    made = erasure(Asked(subject="user", value="ü-1", reason="why"), Keyed(settings), 1_790_000_001 * 10**9)
    erased.take(made)
    names = [each["name"] for each in json.loads(erased.out_of(before).bundle)["contributors"]]
    assert names == [f"~{made.subject_hash[:16]}", "ü-1-b"]
    assert erased.out_of(after) == after
