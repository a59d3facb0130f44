"""Bundles of evidence as they are shown: records in the log stay what they are, and who was erased is not named."""

from typing import Final

from msgspec.structs import replace

from schemas.erasures import Erasure
from schemas.incidents import IncidentEvidence
from streams.erasure.subjects import Keyed, Known
from streams.erasure.texts import without_known
from streams.settings import Settings


class Erased:
    """Whom the incidents worker knows to be erased."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._erasures: Final[dict[str, Erasure]] = {}
        self._known: Known | None = None

    def take(self, erasure: Erasure) -> None:
        """Know of one more."""
        if erasure.event_id not in self._erasures:
            self._erasures[erasure.event_id] = erasure
            self._known = Known(Keyed(self._settings), self._erasures.values())

    def out_of(self, record: IncidentEvidence) -> IncidentEvidence:
        """Return evidence that names none of them."""
        if self._known is None:
            return record
        return replace(record, bundle=without_known(record.bundle, self._known, record.time_unix_nano))
