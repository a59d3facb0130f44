"""One HTTP request to one receiver, and what came of it in words that hold no secret."""

import time
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from schemas.signature import WEBHOOK_ID, webhook_headers, webhook_keys
from streams.incidents.notify.reach import Reach
from streams.incidents.notify.secret import SecretError, read_secret
from streams.policy.receivers import PAGERDUTY_URL, Receiver

PASSING: Final = frozenset({408, 425, 429})
"""Client errors that another attempt may mend: time-out, too early, too many requests."""
LONGEST_REST: Final = 3600.0
"""A receiver may not ask to be left alone for longer: an incident does not wait."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt; `wait` is for how many seconds the receiver asked to be left alone."""

    status: Literal["delivered", "failed", "given_up"]
    http_status: int | None
    detail: str
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a receiver is and what proves that it is us; `shown` is what may be seen of the address."""

    shown: str
    url: str = field(repr=False)
    secret: SecretStr | None

    async def post(
        self, session: aiohttp.ClientSession, body: bytes, delivery_id: str, *, signed: bool, reach: Reach | None = None
    ) -> Outcome:
        """Send a body, and wait for the answer as long as the session does, whose connections `reach` makes."""
        headers = {"Content-Type": "application/json", WEBHOOK_ID: delivery_id}
        now = time.time()
        proxy = None if reach is None else await reach.towards(self.url)
        if reach is not None and (address := reach.refused()):
            return self._private(address)
        if signed and self.secret is not None:
            headers |= webhook_headers(body, self.secret.get_secret_value(), delivery_id, int(now))
        try:
            async with session.post(self.url, data=body, headers=headers, allow_redirects=False, proxy=proxy) as answer:
                return judge(answer.status, answer.headers.get("Retry-After", ""), now, self.shown)
        except TimeoutError:
            return Outcome("failed", None, f"{self.shown}: no answer in time")
        except aiohttp.ClientError as error:  # its text may hold the whole address
            if reach is not None and (address := reach.refused()):
                return self._private(address)
            return Outcome("failed", None, f"{self.shown}: {type(error).__name__}")

    def _private(self, address: str) -> Outcome:
        named = f"{address} is a private address; add its host to WATCHKEEPER_RECEIVERS_PRIVATE"
        return Outcome("failed", None, f"{self.shown}: {named}")


def target(receiver: Receiver) -> Target:
    """Return where a receiver is.

    Raises
    ------
    streams.incidents.notify.secret.SecretError
        Where a secret that it names is not there, or signs nothing.
    """
    secret = read_secret(receiver.secret_from) if receiver.secret_from else None
    if secret is not None and receiver.kind == "webhook":
        try:
            webhook_keys(secret.get_secret_value())
        except ValueError as error:
            raise SecretError(f"the secret {receiver.secret_from}: {error}") from None
    url = read_secret(receiver.url_from).get_secret_value() if receiver.url_from else receiver.url
    host_only = bool(receiver.url_from) or receiver.kind == "slack"
    return at_address(f"the secret {receiver.url_from}", url or PAGERDUTY_URL, secret, host_only=host_only)


def at_address(what: str, url: str, secret: SecretStr | None = None, *, host_only: bool = True) -> Target:
    """Return what is told at an address.

    Parameters
    ----------
    what
        Holds the address, for the message where it is none.
    host_only
        Whether the path of the address is a secret too.

    Raises
    ------
    streams.incidents.notify.secret.SecretError
        Where it is no address.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SecretError(f"{what} holds no address that begins with https:// or http://")
    return Target(shown(url, host_only=host_only), url, secret)


def shown(url: str, *, host_only: bool) -> str:
    """Return what may be seen of an address: no user, no query, and no path where that is a secret too.

    >>> shown("https://me:pw@example.org:8443/hook?key=1#x", host_only=False)
    'https://example.org:8443/hook'
    >>> shown("https://hooks.slack.com/services/T0/B0/x", host_only=True)
    'hooks.slack.com'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return host if host_only else f"{parts.scheme}://{host}{parts.path}"


def judge(status: int, retry_after: str, now: float, where: str) -> Outcome:
    """Return what an HTTP status means for a delivery.

    >>> judge(204, "", 0, "example.org").status, judge(410, "", 0, "example.org").status
    ('delivered', 'given_up')
    >>> judge(429, "30", 0, "example.org")
    Outcome(status='failed', http_status=429, detail='example.org: 429 Too Many Requests', wait=30.0)
    """
    name = f" {HTTPStatus(status).phrase}" if status in HTTPStatus._value2member_map_ else ""
    detail = f"{where}: {status}{name}"
    if 200 <= status < 300:
        return Outcome("delivered", status, detail)
    if 400 <= status < 500 and status not in PASSING:
        return Outcome("given_up", status, detail)
    return Outcome("failed", status, detail, _seconds(retry_after, now))


def _seconds(retry_after: str, now: float) -> float:
    """Return the wait that a Retry-After header asks for: seconds, or a date (RFC 9110, 10.2.3); 0 if neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(min(int(retry_after[:9]), LONGEST_REST))
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return min(max(seconds, 0.0), LONGEST_REST)
