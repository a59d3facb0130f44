"""Versions of a service side by side: of its models, its prompts, and the indexes that its answers rest on."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from streams.console.asking import Store, held, newest, stream_now
from streams.console.kept import DAYS, USUAL, known_days, last
from streams.console.session import Who, shown
from streams.incidents.worker import Incidents
from streams.kpis.versions import SUBJECTS, Version, pairs, title, versions, words
from streams.pages.places import Bar, bar

FIRST: Final = "unsafe_served"
"""What is drawn of each version."""


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page."""
    routes, settings = APIRouter(), work.settings

    @routes.get("/versions/{name:path}")
    async def page(
        request: Request, who: Who, name: str, days: str = USUAL, subject: str = "", one: str = "", other: str = ""
    ) -> Response:
        days = known_days(days)
        asked = last(stream_now(await held(work), await newest(store)), int(days), name)
        found = (await store.study(versions=lambda: versions(settings, asked)))["versions"]
        of = subject if subject in SUBJECTS else _newest(found or [])
        mine = [each for each in found or [] if each.subject == of]
        pair = chosen(mine, one, other)
        return shown(
            request, "versions", here="now", name=name, days=days, spans=DAYS, period=asked, found=found, of=of,
            subjects=SUBJECTS, versions=mine, pair=pair, rows=list(pairs(*pair)) if pair else [],
            bars={each.name: _bar(each) for each in mine}, title=title, words=words, first=FIRST,
        )  # fmt: skip

    return routes


def chosen(mine: Sequence[Version], one: str, other: str) -> tuple[Version, Version] | None:
    """Return the two to hold against each other; where nobody says which, the newest and that of most calls."""
    by_name = {each.name: each for each in mine}
    if one in by_name and other in by_name and one != other:
        return by_name[one], by_name[other]
    if len(mine) < 2:
        return None
    first = by_name.get(one) or max(mine, key=lambda each: (each.first, each.name))
    return first, max((each for each in mine if each is not first), key=lambda each: (each.calls, each.name))


def _newest(found: Sequence[Version]) -> str:
    """Return what there is more than one version of, and of which the newest came last; else the model."""
    several = [each for each in found if sum(other.subject == each.subject for other in found) > 1]
    return max(several, key=lambda each: each.first).subject if several else SUBJECTS[0]


def _bar(version: Version) -> Bar | None:
    share = version.shares.get(FIRST)
    return bar(*share, None) if share else None
