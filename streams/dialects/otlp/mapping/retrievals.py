"""A span of a search, read into the fields of a `Retrieval`."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.events import Retrieval
from streams.dialects.otlp.mapping.steps import as_text
from streams.dialects.otlp.records import Attributes
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import FLATTENED, Said, text_of
from streams.dialects.otlp.tables.own import own_fields
from streams.dialects.otlp.tables.readers import number, structure, text

MAX_DOCUMENTS: Final = 1_000
_IDS: Final = ("id", "document_id", "doc_id", "chunk_id", "source", "url", "file_name")
"""What names a document, in itself or in its metadata; one without a name is counted and not listed."""


def retrieval_fields(said: Said, rules: Rules) -> dict[str, Any]:
    """Return the fields of a search: how many documents came, which, and how well they fitted.

    Parameters
    ----------
    said
        By the span; the query and the documents' texts are measured and go no further.
    rules
        How texts are hashed.
    """
    fields = said.fields
    found: dict[str, Any] = {name: fields[name] for name in ("data_source_id", "top_k") if name in fields}
    if query := text_of(said, "query"):
        words = query if isinstance(query, str) else as_text(query)
        found |= {"query_hash": rules.hashed(words), "query_chars": len(words)}
    documents = fields.get("documents") or list(_flattened(said.attributes))
    if documents:
        found["returned_count"] = len(documents)
        scores = [score for item in documents if (score := _score(item)) is not None]
        if scores:
            found |= {"score_max": max(scores), "score_mean": sum(scores) / len(scores)}
        if listed := [document for item in documents if (document := _document(item, rules))]:
            found["documents"] = listed
    return found | own_fields(fields, Retrieval)


def _flattened(attributes: Attributes) -> Iterator[dict[str, Any]]:
    """Read `retrieval.documents.0.document.id` and its like, in the order of their numbers."""
    prefix = FLATTENED["documents"][0]
    found: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(prefix):
            position, _, rest = key[len(prefix) :].partition(".")
            if position.isdigit() and int(position) < MAX_DOCUMENTS:
                found.setdefault(int(position), {})[rest.removeprefix("document.")] = value
    yield from (found[position] for position in sorted(found))


def _about(item: dict[str, Any]) -> dict[str, Any]:
    metadata = structure(item.get("metadata"))
    return (metadata if isinstance(metadata, dict) else {}) | item


def _score(item: dict[str, Any]) -> float | None:
    return number(_about(item).get("score"))


def _document(item: dict[str, Any], rules: Rules) -> dict[str, Any] | None:
    about = _about(item)
    name = next((name for key in _IDS if (name := text(about.get(key)))), None)
    if name is None:
        return None
    document: dict[str, Any] = {"id": name}
    if (score := number(about.get("score"))) is not None:
        document["score"] = score
    content = about.get("content") or about.get("page_content") or about.get("text")
    if isinstance(content, str) and content:
        document["content_hash"] = rules.hashed(content)
    return document
