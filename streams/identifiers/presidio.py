"""Presidio's recognizers beside ours: those that know by patterns and checks, without a language model.

A model would find names too, and not the same ones tomorrow; a replay could not say what was said before.
"""

import logging
from typing import Final

from presidio_analyzer import PatternRecognizer, RecognizerRegistry

from streams.identifiers.numbers import Span
from streams.identifiers.texts import Finder

SURE: Final = 0.5
"""Presidio's score from which on something is masked: a pattern of its own, or a check digit that fits."""
LEFT_OUT: Final = frozenset({"EMAIL_ADDRESS", "URL", "DATE_TIME", "IP_ADDRESS", "UUID", "MAC_ADDRESS"})
"""What is found here already, and what names nobody."""


def with_presidio(usual: Finder) -> Finder:
    """Return what finds all that `usual` does, and what Presidio is sure of."""
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)  # it tells of every recognizer that it loads
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers()
    recognizers = [
        each
        for each in registry.recognizers
        if isinstance(each, PatternRecognizer) and not LEFT_OUT & set(each.supported_entities)
    ]

    def find(text: str) -> list[Span]:
        found = list(usual.find(text))
        for each in recognizers:
            results = each.analyze(text, each.supported_entities)
            found += [(item.entity_type, item.start, item.end) for item in results if item.score >= SURE]
        return found

    return Finder(find, f"[0-9]|{usual.suspect}")
