"""The chain of an answer: source, document, retrieval, prompt, model, output, verdicts, review, incident, change.

It is walked from any of its links: what is found first are the traces that a link is part of, and then all that is
known of these. So a document leads to the answers that used it, as an answer leads to its documents. Items of a memory
lead from trace to trace: back to those that wrote what was read, and on to those that read what was written.
"""

from typing import Any, Final

from msgspec import Struct

from schemas.metrics import RATES
from schemas.sql import query
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows

MOST_TRACES: Final = 50
"""The newest; how many more there are is told."""


MOST_HOPS: Final = 3
"""How often a memory is followed from trace to trace, either way."""

POISONED: Final = [rate.name for rate in RATES].index("memory_poisoning")


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
    memory
        Items of a memory that a step read or wrote (`words` says which), each with its store before it.
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
    memory: list[str] = []


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

    def remembered(self, answer: Link) -> list[str]:
        """Return the items of a memory that were read in the trace of an answer, before it."""
        found = [each for each in self._steps("read") if each.trace == answer.trace and each.at <= answer.at]
        return list(dict.fromkeys(item for each in found for item in each.memory))

    def written(self) -> dict[str, list[Link]]:
        """Return the steps that wrote each item of a memory, in the order of their time."""
        found: dict[str, list[Link]] = {}
        for step in sorted(self._steps("write"), key=lambda each: (each.at, each.id)):
            for item in step.memory:
                found.setdefault(item, []).append(step)
        return found

    def _steps(self, action: str) -> list[Link]:
        return [each for each in self.of_kind("step") if each.words.get("memory") == action]


def chain_of(settings: Settings, asked: str) -> Chain:
    """Return the chain of an event, a trace, an answer, a document, an item of a memory, a finding or an incident.

    Parameters
    ----------
    asked
        The id of any of them; of a document also its content hash or its address.
    """
    keys = ask_rows(settings, query("streams.lineage", "keys"), {"id": asked, "most": MOST_TRACES + 1})
    traces = [row["key"] for row in keys[:MOST_TRACES]]
    if not traces:
        return Chain(asked, [])
    tied = [*_tied(settings, traces, "read"), *_tied(settings, traces, "write")]
    traces = list(dict.fromkeys([*traces, *tied]))
    more, traces = len(keys) > MOST_TRACES or len(traces) > MOST_TRACES, traces[:MOST_TRACES]
    asking: Parameters = {"keys": traces, "poisoned": POISONED}
    events = [_event(row) for row in ask_rows(settings, query("streams.lineage", "events"), asking)]
    versions = {
        words for each in events for name in ("model", "prompt version", "index") if (words := each.words.get(name))
    }
    about: dict[str, str | int | list[str]] = {
        "events": [each.id for each in events if each.kind != "verdict"],
        "versions": sorted(versions),
        "services": sorted({each.service for each in events}),
    }
    judged = [_judged(row) for row in ask_rows(settings, query("streams.lineage", "judged"), about)]
    return Chain(asked, events + judged, more)


def _tied(settings: Settings, traces: list[str], mine: str) -> list[str]:
    """Return the traces that a memory ties to some: those that wrote what these read, or read what these wrote."""
    found, latest = list(traces), traces
    for _ in range(MOST_HOPS):
        asking: Parameters = {"keys": latest, "mine": mine, "most": MOST_TRACES}
        rows = ask_rows(settings, query("streams.lineage", "memory"), asking)
        latest = [row["key"] for row in rows if row["key"] not in found]
        if not latest or len(found) > MOST_TRACES:
            break
        found += latest
    return found[len(traces) :]


def _event(row: dict[str, Any]) -> Link:
    words = _known(row["words"])
    of = [words.pop("of")] if "of" in words else []
    documents = [Document(*document) for document in row["links"]]
    return Link(row["kind"], row["id"], row["at"], row["service"], row["key"], words, of, documents, row["items"])


def _judged(row: dict[str, Any]) -> Link:
    return Link(row["kind"], row["id"], row["at"], row["service"], "", _known(row["words"]), list(row["of"]))


def _known(words: dict[str, str]) -> dict[str, str]:
    return {name: word for name, word in words.items() if word.strip()}
