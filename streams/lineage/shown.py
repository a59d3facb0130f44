"""A chain in lines for people: each trace in its order, and below it what was judged and changed."""

from collections.abc import Iterator
from itertools import groupby

from streams.lineage.chain import MOST_TRACES, Chain, Document, Link


def lines(chain: Chain) -> Iterator[str]:
    """Yield the lines of a chain; nothing where the id leads nowhere."""
    for document, answers in answers_of(chain).items():
        yield f"document {document}: used by {len(answers)} answers ({', '.join(answers[:10])})"
    yield from _memory(chain)
    inside = [link for link in chain.links if link.trace]
    for trace, links in groupby(inside, key=lambda link: link.trace):
        yield f"trace {trace}"
        for link in links:
            yield from (f"  {line}" for line in _link(link))
    for link in chain.links:
        if not link.trace:
            yield from _link(link)
    if chain.more:
        yield f"and older traces; these are the newest {MOST_TRACES}"


def _memory(chain: Chain) -> Iterator[str]:
    """Yield, of each item of a memory, what wrote it, what is against that, and what read and used it."""
    written, used = chain.written(), answers_of_memory(chain)
    reads = [link for link in chain.of_kind("step") if link.words.get("memory") == "read"]
    for item in dict.fromkeys((*written, *used)):
        for write in written.get(item, []):
            number = sum(item in read.memory and read.at >= write.at for read in reads)
            by = f"{write.id} in trace {write.trace}{_against(write)}"
            yield f"memory {item}: written by {by}, read by {number} steps"
        answers = used.get(item, [])
        yield f"memory {item}: used by {len(answers)} answers" + (f" ({', '.join(answers[:10])})" if answers else "")


def _against(write: Link) -> str:
    """Return what is known against a write, in words; nothing where nothing is."""
    taint = write.words.get("taint")
    known = [*filter(None, [write.words.get("against it")]), *([f"tainted by {taint}"] if taint else [])]
    return f" ({', '.join(known)})" if known else ""


def answers_of_memory(chain: Chain) -> dict[str, list[str]]:
    """Return the answers that used each item of a memory: those in whose trace it was read before them."""
    found: dict[str, list[str]] = {}
    for answer in chain.of_kind("answer"):
        for item in chain.remembered(answer):
            found.setdefault(item, []).append(answer.id)
    return found


def answers_of(chain: Chain) -> dict[str, list[str]]:
    """Return the answers that used each document, where a document was asked for."""
    found: dict[str, list[str]] = {}
    for answer in chain.of_kind("answer"):
        for each in chain.sources(answer):
            if chain.asked in (each.id, each.content_hash, each.source_uri):
                found.setdefault(each.id, []).append(answer.id)
    return {document: list(dict.fromkeys(answers)) for document, answers in found.items()}


def _link(link: Link) -> Iterator[str]:
    words = ", ".join(f"{name} {word}" for name, word in link.words.items())
    about = f" of {', '.join(link.of)}" if link.of else ""
    yield f"{link.at} {link.kind} {link.id}{about} ({link.service}): {words or 'nothing more is known'}"
    yield from (f"  document {_document(each)}" for each in link.documents)
    yield from (f"  memory {item}" for item in link.memory)


def _document(each: Document) -> str:
    known = (
        ("version", each.version), ("hash", each.content_hash), ("trust", each.trust or "unknown"),
        ("from", each.source_uri), ("taken in", each.ingested_at),
    )  # fmt: skip
    return f"{each.id}: " + ", ".join(f"{name} {word}" for name, word in known if word)
