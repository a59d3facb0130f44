"""A question to the HTTP API from a command."""

import json
from typing import Any, Final

from streams.access.tokens import known_token
from streams.settings import Settings

SECONDS: Final = 15.0


class ApiError(ValueError):
    """The API refused, with its own words; or nothing answers, with what to do."""


def call(settings: Settings, method: str, path: str, **more: Any) -> dict[str, Any]:
    """Return the answer of the API, taken from JSON; parameters and errors as of `fetch`."""
    answer: dict[str, Any] = json.loads(fetch(settings, method, path, **more))
    return answer


def fetch(settings: Settings, method: str, path: str, **more: Any) -> bytes:
    """Return the answer of the API.

    Parameters
    ----------
    method, path, more
        As `requests.request`.

    Raises
    ------
    ApiError
        Where it refuses or does not answer.
    """
    import requests

    from streams.tls.asking import NotTrustedError, address, ask

    base = settings.api_url.rstrip("/") or address(settings, settings.api_port)
    headers = {"Authorization": f"Bearer {known_token(settings)}"}
    try:
        answer = ask(settings, method, base + path, headers=headers, timeout=SECONDS, **more)
    except NotTrustedError as error:
        raise ApiError(str(error)) from None
    except requests.RequestException:
        raise ApiError(f"no API answers at {base}; is `watchkeeper up` or the incidents worker running?") from None
    if answer.ok:
        return answer.content
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        raise ApiError(f"{base} is not the API of Watchkeeper: it answers {answer.status_code}") from None
    raise ApiError(_text(detail))


def _text(detail: Any) -> str:
    if isinstance(detail, list):  # what FastAPI says of a body that is not as it wants it
        return "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in detail)
    return str(detail)
