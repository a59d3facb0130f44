"""What would another policy have found? A period of stored history, judged with the policy in use and with another."""

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter, HTTPException, Request, status
from fastapi.responses import RedirectResponse, Response

from schemas.fields import NANO
from streams.access.teams import seen
from streams.console.asking import Store, newest
from streams.console.backtests import Backtests
from streams.console.session import Form, Who, shown
from streams.incidents.worker import Incidents
from streams.policy.policy import policy_over
from streams.replay.job import Asked

HERE: Final = "/console/backtest"
START: Final = "POST /console/backtest"
LONGEST: Final = timedelta(days=92)
LONGEST_TEXT: Final = 50_000
USUAL: Final = timedelta(days=7)
BLANK: Final = {"since": "", "until": "", "policy": ""}


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page and its forms."""
    routes, tests = APIRouter(), Backtests(work.settings)

    def form(request: Request, given: dict[str, str], wrong: str = "") -> Response:
        code = status.HTTP_422_UNPROCESSABLE_CONTENT if wrong else status.HTTP_200_OK
        return shown(request, "backtest", code, tests=tests.seen(), given=given, wrong=wrong, start=START,
                     longest=LONGEST_TEXT)  # fmt: skip

    @routes.get("/backtest")
    async def page(request: Request, who: Who) -> Response:
        heard = await newest(store)
        until = datetime.fromtimestamp(heard // NANO, UTC) if heard else datetime.now(UTC)
        given = {"since": _minute(until - USUAL), "until": _minute(until + timedelta(minutes=1)), "policy": ""}
        return form(request, given)

    @routes.post("/backtest")
    async def start(request: Request, who: Who, fields: Form) -> Response:
        try:
            tests.start(_asked(fields, work), who)
        except ValueError as error:  # another runs, or the policy cannot be used
            return form(request, BLANK | fields, f"Nothing was started: {error}.")
        return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)

    @routes.post("/backtest/{number}/cancel")
    async def cancel(request: Request, who: Who, fields: Form, number: int) -> Response:
        if not tests.cancel(number, who):
            raise HTTPException(status.HTTP_409_CONFLICT, "It does not run any more. Load the page again.")
        return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)

    return routes


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


def _asked(fields: dict[str, str], work: Incidents) -> Asked:
    """Return what a form asks for; a policy that cannot be used is told before anything runs."""
    try:
        since, until = (datetime.fromisoformat(fields.get(name, "")).replace(tzinfo=UTC) for name in ("since", "until"))
    except ValueError:
        raise ValueError("from and to are dates with a time, by UTC") from None
    if not timedelta() < until - since <= LONGEST:
        raise ValueError(f"from lies before to, by at most {LONGEST.days} days")
    text = fields.get("policy", "")
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise ValueError("write what the policy should say otherwise than the one in use")
    policy_over(work.settings.policy, text, "policy")
    return Asked(since, until, text, seen())
