"""Who asked what of the SQL endpoint."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from streams.audit.recorder import Recorder
from streams.settings import Settings
from streams.sql.app import ADDRESS, OVER, QUESTION, USER
from streams.sql.errors import ACCESS_DENIED, QUOTA_EXCEEDED

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CODE: Final = "X-ClickHouse-Exception-Code"
_REFUSED: Final = (str(ACCESS_DENIED), str(QUOTA_EXCEEDED))


def recorded(recorder: Recorder, settings: Settings) -> Middleware:
    """Return a middleware of aiohttp that writes down questions of people, and all that was refused.

    Without users nobody has a name, and the user of the settings is that of Watchkeeper's own parts and boards, which
    ask all day: of these only what was refused is written down.
    """
    own = ("", settings.sql_user)

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        began, answer = time.monotonic(), None
        try:
            answer = await handler(request)
            return answer
        finally:
            code = "" if answer is None else answer.headers.get(CODE, "")
            user, text = request.get(USER, ""), request.get(QUESTION, "")
            refused, over = bool(code) and (not user or code in _REFUSED), request.get(OVER)
            known = settings.sql_users is not None and user not in own
            if (over is None or over.news) and (refused or known):
                recorder.record(
                    "refused" if refused else "question",
                    stranger=not user,
                    door="sql",
                    who=user,
                    question=text,
                    sha256=hashlib.sha256(text.encode(errors="replace")).hexdigest() if text else "",
                    address=request.get(ADDRESS, request.remote or ""),
                    status=0 if answer is None else answer.status,
                    code=code,
                    lost="" if over is None else over.unsaid or "",
                    milliseconds=round(1_000 * (time.monotonic() - began)),
                )

    return record
