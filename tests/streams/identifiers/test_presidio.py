"""Presidio beside what is usual: more kinds, the same answers to what both know, and the same lanes."""

import pytest

from streams.identifiers.guard import guard_of
from streams.identifiers.keys import Pseudonyms
from streams.identifiers.texts import usual
from streams.settings import SettingsError, load

WALLET = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


def test_it_is_said_what_to_install():
    """Where Presidio is asked for and missing, the setting and the command are named."""
    try:
        import presidio_analyzer  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match=r"WATCHKEEPER_IDENTIFIERS=presidio .*pip install"):
            guard_of(load(identifiers="presidio"))
    else:
        assert guard_of(load(identifiers="presidio")).texts.suspect.startswith("[0-9]|")


def test_presidio_finds_more_and_nothing_in_ids():
    """A wallet is known to it by its check; numbers of traces, times and orders stay."""
    pytest.importorskip("presidio_analyzer", reason="the extra `presidio` is not installed: spaCy is 300 MB")
    from schemas.events import Event
    from streams.events.decode import Decoder, events_decoder
    from streams.identifiers.guard import Guard
    from streams.identifiers.presidio import with_presidio
    from tests.streams.events.test_decode import Record, dumps, event, same

    guard = Guard(lambda: Pseudonyms(load(pseudonym_key="k" * 16)), with_presidio(usual()))
    text = f"pay kim@example.org in {WALLET}"
    assert guard.value("text", text)[0] == "pay <EMAIL_ADDRESS> in <CRYPTO>"
    ids = "550e8400-e29b-41d4-a716-446655440000 4bf92f3577b34da6a3ce929d0e0e4736 1767225600000000000 12:30:45"
    assert guard.value("text", ids) == (ids, ())
    lines = [Record(dumps(event(error_type=each))) for each in (text, ids, WALLET, "fine")]
    same(events_decoder(guard)(lines), Decoder(Event, (), guard)(lines))
