"""Limits of single fields, shared by every contract, each with the reason for its number."""

from typing import Annotated

from msgspec import Meta

NANO = 1_000_000_000
"""Nanoseconds of a second."""

MAX_RECORD_BYTES = 1_048_576
"""A record above this is refused: Kafka's own default for one message, and far over any event without text."""

MAX_WINDOW_BYTES = 8_000_000
"""A window holds the sums of up to two thousand groups, and cannot be cut: its tick is its identity."""

MAX_DEPTH = 32
"""Levels of a record, itself the first: several times what any contract has, far from what a parser may die of."""

MAX_PARTS = 20_000
"""Fields and items of one record, all levels together; a window is bounded by its bytes."""

MAX_KEPT_BYTES = 4_000_000
"""Of refused records that are kept an hour for each of those they came from; more are only counted."""

EARLIEST_UNIX_NANO = 1_577_836_800_000_000_000
"""2020-01-01: a time before it is a wrong unit or an unset clock, not an event."""

MAX_AHEAD_NANO = 600_000_000_000
"""Ten minutes: how far an event's time may lie ahead of the moment its record was written to Kafka."""

Identity = Annotated[str, Meta(min_length=1, max_length=256, description="An identifier, never empty")]
Name = Annotated[str, Meta(max_length=256, description="A name of low cardinality")]
Version = Annotated[str, Meta(max_length=128, description="A version as its owner writes it")]
Reference = Annotated[str, Meta(max_length=2048, description="A hash, a link or a short explanation")]
Content = Annotated[str, Meta(max_length=262_144, description="Text, only where the producer opted in")]

UnixNano = Annotated[int, Meta(ge=EARLIEST_UNIX_NANO, le=2**63 - 1, description="Unix time in nanoseconds")]
Count = Annotated[int, Meta(ge=0, le=2**53, description="A count, never negative")]
Index = Annotated[int, Meta(ge=0, le=2**31 - 1, description="A position, from 0")]
Milliseconds = Annotated[float, Meta(ge=0, le=1e12, description="A duration in milliseconds")]
Seconds = Annotated[float, Meta(ge=0, le=1e9, description="A duration of sound or pictures in seconds")]
Real = Annotated[float, Meta(ge=-1e300, le=1e300, description="A finite number")]
Probability = Annotated[float, Meta(gt=0, le=1, description="A probability above 0")]
Share = Annotated[float, Meta(ge=0, le=1, description="A share from 0 to 1")]
Level = Annotated[int, Meta(ge=0, le=4, description="0 none, 1 low, 2 medium, 3 high, 4 critical")]

Word = Annotated[str, Meta(max_length=256, description="A word of an open vocabulary, see `schemas.vocabulary`")]
