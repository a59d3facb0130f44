"""Review by HTTP: the next item, a judgement, and what the judgements say."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Body, HTTPException, Query, Request

from schemas.topics import REVIEWS
from schemas.wire import InvalidRecordError
from streams.access.entry import speaker
from streams.kafka.publisher import Publisher
from streams.kafka.sending import message
from streams.kpis.period import Period, begin, moment, period
from streams.review.leases import Leases
from streams.review.queue import Judgement, UnknownEventError, judged, leased
from streams.review.stats import stats
from streams.review.whatif import THRESHOLDS, Question, whatif
from streams.settings import Settings
from streams.store.ask import ASK_SECONDS, patience

T = TypeVar("T")


def router(settings: Settings, publisher: Publisher, leases: Leases) -> APIRouter:
    """Return the routes of reviews; who may use them is decided by the application that includes them."""
    routes = APIRouter(prefix="/review", tags=["review"])

    @routes.get("/next")
    async def following(request: Request, reviewer: str = "", queue: str = "safety", most: int = 1) -> dict[str, Any]:
        """Return the oldest items that still need this reviewer and that nobody else looks at just now."""
        who = speaker(request, reviewer)
        return {"items": await _asked(leased, settings, leases, queue, who, min(max(most, 1), 100))}

    @routes.post("/labels", status_code=202)
    async def label(request: Request, body: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
        """Take a judgement, also a user's feedback (`annotator_kind` end_user, `score` 0 to 1)."""
        if (name := request.state.principal.name) and body.get("annotator_kind", "human") == "human":
            body = body | {"reviewer": name}
        try:
            record = await _asked(judged, settings, msgspec.convert(body, Judgement))
        except UnknownEventError as error:
            raise HTTPException(404, str(error)) from None
        except (InvalidRecordError, msgspec.ValidationError) as error:
            raise HTTPException(422, str(error)) from None
        await publisher.publish([message(settings, REVIEWS, record, record.target_event_id)])
        leases.end(str(record.annotator_pseudo_id), record.target_event_id)
        return {"event_id": record.event_id}

    @routes.get("/stats")
    async def said(since: str = "7d", known_at: str = "") -> dict[str, Any]:
        """Return what the labels say of the events since a time, as known now or at a moment."""
        now = datetime.now(UTC)
        known = moment(known_at, now, "known_at") if known_at else now
        return await _asked(stats, settings, Period(begin(since, now), now), known)

    @routes.get("/whatif")
    async def other_thresholds(
        guard: str, category: str, threshold: Annotated[list[float] | None, Query()] = None, since: str = "7d",
        service: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Return what a guard would have caught, missed and blocked wrongly at other thresholds."""
        asked = Question(
            guard=guard, category=category, period=period(since, "", service), thresholds=threshold or THRESHOLDS
        )
        return {"rows": await _asked(whatif, settings, asked)}

    return routes


async def _asked(question: Callable[..., T], *given: Any) -> T:
    """Return what a running store says; the process of the API opens none."""
    with patience(ASK_SECONDS):
        return await asyncio.to_thread(question, *given)
