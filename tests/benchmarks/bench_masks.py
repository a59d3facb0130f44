"""What the guard at the door costs: decoding with it and without, of ordinary events and of ones that name somebody.

python -m tests.benchmarks.bench_masks [EVENTS.jsonl.gz]
"""

import gzip
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streams.events.decode import Decoded, events_decoder
from streams.identifiers.guard import Guard
from streams.identifiers.keys import Pseudonyms
from streams.identifiers.texts import usual
from streams.settings import load

WEEK = Path(__file__).parents[2] / "streams" / "demo" / "recorded"
BATCH, BATCHES, ROUNDS = 10_000, 4, 7


@dataclass
class Line:
    """A record as the decoder wants it."""

    value: bytes
    timestamp: int


def lines(path: Path, **more: str) -> list[Line]:
    """Return recorded events, with more fields where these are given; calls of models get them, steps and others not."""
    found = []
    with gzip.open(path, "rb") as file:
        for raw in file:
            if more and b"inference.v1" in raw[:60]:
                said = msgspec.json.decode(raw)
                kind = {"event_type": said.pop("event_type")}
                own = {key: text.format(len(found) % 500) for key, text in more.items()}
                found.append(Line(msgspec.json.encode(kind | said | own), 4_000_000_000_000))
            else:
                found.append(Line(raw.strip(), 4_000_000_000_000))
            if len(found) == BATCH * BATCHES:
                break
    return found


def seconds(found: list[Line], guard: Guard | None) -> tuple[float, Decoded]:
    """Return what a batch takes of a processor, the median of rounds after one to warm up, and what came of the last."""
    decode, took = events_decoder(guard), []
    for _ in range(ROUNDS + 1):
        for first in range(0, len(found), BATCH):
            begin = time.process_time()
            decoded = decode(found[first : first + BATCH])
            took.append(time.process_time() - begin)
    return statistics.median(took[len(found) // BATCH :]), decoded


def main() -> None:
    """Print microseconds an event, without and with the guard."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else next(iter(sorted(WEEK.glob("*.jsonl.gz"))))
    guard = Guard(lambda: Pseudonyms(load(pseudonym_key="k" * 16)), usual())
    for name, more in {
        "as recorded": {},
        "an id of its own in user_pseudo_id": {"user_pseudo_id": "user-{}"},
        "an e-mail address in user_pseudo_id": {"user_pseudo_id": "user{}@example.org"},
        "an error of numbers in error_type": {"error_type": "upstream 10.0.0.{} said 503 after 30.125 s, id 4711-0815"},
        "an e-mail address in error_type": {"error_type": "no account for user{}@example.org"},
    }.items():
        found = lines(path, **more)
        (without, _), (with_it, decoded) = seconds(found, None), seconds(found, guard)
        each = 1e6 / min(BATCH, len(found))
        print(f"{name:40} {without * each:7.2f} {with_it * each:7.2f} us  {with_it / without:5.2f}  "
              f"{len(decoded.masked)} masked of {min(BATCH, len(found))}")  # fmt: skip


if __name__ == "__main__":
    main()
