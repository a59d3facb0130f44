"""Direct identifiers where none should be: they were masked on their way in, and Kafka has them as they were sent."""

from collections.abc import Iterator
from typing import Final

from streams.identifiers.guard import OTHER_KEY
from streams.identifiers.plans import PERSONS
from streams.intake.doctor.complaint import Complaint
from streams.intake.doctor.look import Look

_ADVICE: Final = "they are masked here, and in Kafka as they were sent: take them out at the source"
_PERSON: Final = "send a pseudonym (`pseudonym` of the emitter): Kafka has them as they were sent"
_KEY: Final = "nobody is found by their address there: give it the key of `watchkeeper pseudonym --key`"


def identifiers(look: Look) -> Iterator[Complaint]:
    """Yield which source sends what kinds of identifiers in which fields; of the fields with most of them first."""
    for row in look.masked:
        seen = f"{int(row['records']):,} records of {row.get('source', '')} have {row['kind']} in {row['field']}"
        if row["kind"] == OTHER_KEY:
            seen = f"{int(row['records']):,} records of {row.get('source', '')} have pseudonyms of another key"
        advice = _KEY if row["kind"] == OTHER_KEY else _PERSON if row["field"] in PERSONS else _ADVICE
        yield Complaint("identifiers", look.service, seen, advice)
