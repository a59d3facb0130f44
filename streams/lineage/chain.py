"""The chain of an answer: source, document, retrieval, prompt, model, output, verdicts, review, incident, change.

It is walked from any of its links: what is found first are the traces that a link is part of, and then all that is
known of these. So a document leads to the answers that used it, as an answer leads to its documents.
"""

from typing import Any, Final

from msgspec import Struct

from schemas.sql import query
from streams.settings import Settings
from streams.store.ask import ask_rows

MOST_TRACES: Final = 50
"""The newest; how many more there are is told."""


class Document(Struct, frozen=True):
    """A document as it was retrieved."""

    id: str
    version: str
    content_hash: str
    trust: str
    source_uri: str
    ingested_at: str


class Link(Struct, frozen=True):
    """One link of a chain.

    Attributes
    ----------
    kind
        retrieval, answer, step, verdict, review, finding, incident or change.
    at
        When, by UTC.
    trace
        The trace, else the event itself; empty for what is of several.
    of
        Ids of the links that it is about: the event that was judged, the findings of an incident, a version.
    words
        What is known, by name.
    """

    kind: str
    id: str
    at: str
    service: str
    trace: str
    words: dict[str, str]
    of: list[str] = []
    documents: list[Document] = []


class Chain(Struct, frozen=True):
    """All links that an id leads to; `more` tells whether there are older traces too."""

    asked: str
    links: list[Link]
    more: bool = False

    def of_kind(self, kind: str) -> list[Link]:
        """Return the links of one kind, in their order."""
        return [link for link in self.links if link.kind == kind]

    def sources(self, answer: Link) -> list[Document]:
        """Return the documents that were retrieved in the trace of an answer, before it."""
        found = [each for each in self.of_kind("retrieval") if each.trace == answer.trace and each.at <= answer.at]
        return [document for each in found for document in each.documents]


def chain_of(settings: Settings, asked: str) -> Chain:
    """Return the chain of an event, a trace, an answer, a document, a finding or an incident.

    Parameters
    ----------
    asked
        The id of any of them; of a document also its content hash or its address.
    """
    keys = ask_rows(settings, query("streams.lineage", "keys"), {"id": asked, "most": MOST_TRACES + 1})
    traces = [row["key"] for row in keys[:MOST_TRACES]]
    if not traces:
        return Chain(asked, [])
    events = [_event(row) for row in ask_rows(settings, query("streams.lineage", "events"), {"keys": traces})]
    versions = {
        words for each in events for name in ("model", "prompt version", "index") if (words := each.words.get(name))
    }
    about: dict[str, str | int | list[str]] = {
        "events": [each.id for each in events if each.kind != "verdict"],
        "versions": sorted(versions),
        "services": sorted({each.service for each in events}),
    }
    judged = [_judged(row) for row in ask_rows(settings, query("streams.lineage", "judged"), about)]
    return Chain(asked, events + judged, len(keys) > MOST_TRACES)


def _event(row: dict[str, Any]) -> Link:
    words = _known(row["words"])
    of = [words.pop("of")] if "of" in words else []
    documents = [Document(*document) for document in row["links"]]
    return Link(row["kind"], row["id"], row["at"], row["service"], row["key"], words, of, documents)


def _judged(row: dict[str, Any]) -> Link:
    return Link(row["kind"], row["id"], row["at"], row["service"], "", _known(row["words"]), list(row["of"]))


def _known(words: dict[str, str]) -> dict[str, str]:
    return {name: word for name, word in words.items() if word.strip()}
