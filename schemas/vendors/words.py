"""The vendors' words in ours: versioned tables, one file a vendor in `data`.

A file has `origin`, the packages and versions that its lists are from, `version`, its own, and some of

- `categories`: taxonomy → code of ours → codes of the vendor. What stands under `content.x_oth` has no closer code of
  ours; what stands under `none` is no finding.
- `scales`: scale → the vendor's word → severity from 0 to 4.
- `verdicts`: kind of action → the vendor's word → verdict and action.
- `words`: field → the vendor's word → ours.
- `entities`: the vendor's name of a kind of personal data → Presidio's.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from ..categories import UNNAMED

NONE: Final = "none"
"""Stands in a table for a native code by which a guard says that it found nothing."""


class Opinion(NamedTuple):
    """What a native word says: a verdict of ours, and the action that was taken."""

    verdict: str
    action: str


class Table(NamedTuple):
    """The words of one vendor."""

    vendor: str
    origin: str
    version: str
    categories: dict[str, dict[str, str]]
    scales: dict[str, dict[str, int]]
    verdicts: dict[str, dict[str, Opinion]]
    words: dict[str, dict[str, str]]
    entities: dict[str, str]

    @property
    def mapping_version(self) -> str:
        """What a result names as the map it was made with."""
        return f"{self.vendor}/{self.version}"

    def category(self, taxonomy: str, native: str | None) -> str:
        """Return our code of a native one; `content.x_oth` of one that we do not know.

        >>> table("openai").category("openai_moderation", "sexual/minors")
        'content.cse'
        >>> table("openai").category("openai_moderation", "something new")
        'content.x_oth'
        """
        return self.categories[taxonomy].get(native or "", UNNAMED)

    def severity(self, scale: str, native: str | None) -> int | None:
        """Return the severity of a native word or number; None of one that we do not know."""
        return self.scales[scale].get(native or "")

    def opinion(self, kind: str, native: str | None) -> Opinion:
        """Return verdict and action of a native word; both unknown of one that we do not know."""
        return self.verdicts[kind].get(native or "", Opinion("unknown", "unknown"))


@cache
def table(vendor: str) -> Table:
    """Return the table of a vendor, read once."""
    found = _file(vendor)
    return Table(
        vendor=vendor,
        origin=found["origin"],
        version=found["version"],
        categories={name: _turned(codes) for name, codes in found.get("categories", {}).items()},
        scales=found.get("scales", {}),
        verdicts={
            kind: {native: Opinion(*pair) for native, pair in pairs.items()}
            for kind, pairs in found.get("verdicts", {}).items()
        },
        words=found.get("words", {}),
        entities=found.get("entities", {}),
    )


def vendors() -> list[str]:
    """Return the names of all tables."""
    folder = files(__package__) / "data"
    return sorted(path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json"))


def _file(vendor: str) -> Any:
    return json.loads((files(__package__) / "data" / f"{vendor}.json").read_text(encoding="utf-8"))


def _turned(codes: dict[str, list[str]]) -> dict[str, str]:
    return {native: ours for ours, natives in codes.items() for native in natives}
