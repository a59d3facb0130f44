"""The review queue for hours of work: one item, one row of keys, and the guards hidden until it is judged."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, status
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct

from schemas.categories import FAMILIES
from schemas.reviews import Label
from schemas.sql import query
from schemas.topics import REVIEWS
from schemas.wire import InvalidRecordError
from streams.console.asking import Store
from streams.console.session import Form, Who, shown
from streams.incidents.worker import Incidents
from streams.kafka.sending import message
from streams.review.queue import Judgement, UnknownEventError, chosen, disagreements, judged, leased
from streams.store.ask import ask_rows
from streams.text.times import second

QUEUE: Final = "safety"
REMEMBERED: Final = 30
"""Items that a session has judged or passed over: history may not have stored the labels of the last ones yet."""
HERE: Final = "/console/review"
LINES: Final = 100
MINE: Final = query("streams.console", "mine")


class Key(Struct, frozen=True):
    """A label with its key and what it says."""

    label: Label
    key: str
    says: str


KEYS: Final = (
    Key("safe", "1", "Safe"), Key("unsafe", "2", "Unsafe"), Key("borderline", "3", "Borderline"),
    Key("benign_blocked", "4", "Wrongly refused"), Key("cannot_judge", "u", "Not sure"),
)  # fmt: skip


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page and the form that judges."""
    routes, settings = APIRouter(), work.settings

    @routes.get("/review")
    async def page(request: Request, who: Who, item: str = "", last: str = "", queue: str = QUEUE) -> Response:
        gone = {event for event, _ in _gone(request)}
        now = second(datetime.now(UTC))
        found = await store.ask(
            items=lambda: [chosen(settings, item)] if item else leased(settings, work.leases, queue, who, passed=gone),
            judged=lambda: chosen(settings, last) if last else {},
            done=lambda: ask_rows(settings, MINE, {"reviewer": who, "now": now})[0],
        )
        return shown(
            request, "review", items=found["items"], keys=KEYS, last=last, judged=found["judged"], queue=queue,
            again=bool(item), done=found["done"], said=_said(request, last), words=_words,
            wanted=round(work.policy.review.labels_per_day), categories=tuple(FAMILIES),
        )  # fmt: skip

    @routes.get("/review/disagreements")
    async def apart(request: Request, who: Who) -> Response:
        found = await store.ask(apart=lambda: disagreements(settings, LINES))
        return shown(request, "disagreements", here="review", apart=found["apart"], says=_says)

    _judging(routes, work)
    return routes


def _judging(routes: APIRouter, work: Incidents) -> None:
    settings = work.settings

    @routes.post("/review")
    async def judge(request: Request, who: Who, fields: Form) -> Response:
        event, label = fields.get("event", ""), fields.get("label", "")
        asked = {} if fields.get("queue", QUEUE) == QUEUE else {"queue": fields["queue"]}
        work.leases.end(who, event)
        if label == "skip":
            _remember(request, event, label)
            return RedirectResponse(f"{HERE}?{urlencode(asked)}", status.HTTP_303_SEE_OTHER)
        if label not in get_args(Label):
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "That is no label.")
        said = Judgement(
            target_event_id=event,
            label=label,  # type: ignore[arg-type]
            reviewer=who,
            categories=[fields["category"]] if fields.get("category") else None,
            note=fields.get("note") or None,
        )
        try:
            record = await asyncio.to_thread(judged, settings, said)
        except UnknownEventError as error:
            raise HTTPException(status.HTTP_404_NOT_FOUND, str(error)) from None
        except InvalidRecordError as error:
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, str(error)) from None
        except (OSError, ValueError) as error:
            raise HTTPException(
                status.HTTP_503_SERVICE_UNAVAILABLE, "The store does not answer, so nothing was written. Try again."
            ) from error
        await work.publisher.publish([message(settings, REVIEWS, record, record.target_event_id)])
        _remember(request, event, label)
        return RedirectResponse(f"{HERE}?{urlencode(asked | {'last': event})}", status.HTTP_303_SEE_OTHER)


def _gone(request: Request) -> list[list[str]]:
    return list(request.session.get("reviewed", []))


def _remember(request: Request, event: str, label: str) -> None:
    others = [each for each in _gone(request) if each[0] != event]
    request.session["reviewed"] = [*others, [event[:64], label]][-REMEMBERED:]


def _said(request: Request, event: str) -> str:
    """Return what this session said of an event in words; empty where it said nothing."""
    return next((_says(said) for judged_event, said in _gone(request) if judged_event == event), "")


def _says(label: str) -> str:
    return next((each.says for each in KEYS if each.label == label), label)


def _words(guard: dict[str, Any]) -> str:
    """Return what a guard said of an item."""
    found = ", ".join(guard["categories"]) or "nothing"
    return f"{guard['guard_name']} on {guard['layer']}: {guard['verdict'] or guard['status']}, {found}"
