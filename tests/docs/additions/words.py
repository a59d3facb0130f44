"""A guard's words: a verdict's layer and a category of injections."""

WHAT = "a guard's words"
FILES = {
    "schemas/vocabulary.py": [('"memory", "plan", "unknown")\nMODES', '"memory", "plan", "audio", "unknown")\nMODES')],
    "schemas/categories.py": [("memory_poisoning rag_poisoning", "memory_poisoning rag_poisoning voice_injection")],
    "schemas/categories.toml": [
        ("rag_poisoning =", 'voice_injection = "Instructions spoken in a sound"\nrag_poisoning =')
    ],
}
GENERATED = ["docs.categories", "schemas.json_schema"]
CHECKS = ["tests/schemas/test_examples.py"]
SEEN = '''
"""The words are known, and an event with them is flagged."""

from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import BIT, event_flags
from streams.events.words import _unknown
from tests.streams.events.test_decode import NOW_MS, Record


def test_they_are_flagged_and_none_is_unknown():
    """An injection that came by voice is a flagged trial of injection_flag."""
    found = GuardFinding(category="sec.voice_injection", severity=3)
    guard = GuardResult(
        guard_name="g", layer="audio", status="ok", verdict="flag", action="none", mode="monitor", findings=[found]
    )
    event = Inference(
        event_id="e", source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="chat", guards=[guard]
    )
    [columns] = events_decoder()([Record(encode(event))]).kinds.values()
    flags = event_flags(columns)
    assert flags.flagged[0] & BIT["injection_flag"]
    assert [name for name, words in _unknown(columns, flags.guards) if len(words)] == []
'''
