"""The settings of who comes to our ports: how often they may ask, and which proxies speak for people."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Requests = Annotated[int, Field(ge=0, le=1_000_000)]


class DoorSettings(BaseSettings):
    """What keeps one caller from being in the way of others."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    requests_a_minute: Requests = 3_000
    """Requests to API and console that each principal may send at once, and as many a minute after that; looking,
    acting and pages that renew themselves are counted apart. 0 is no limit, here and for the ones that follow."""
    strangers_a_minute: Requests = 600
    """The same for each address, of requests without a valid token: to the API, the console, OTLP and SQL."""
    sql_questions_a_minute: Requests = 6_000
    """Questions that each user of the SQL endpoint may ask; `WATCHKEEPER_SQL_USER`, who asks for all that look at the
    console, has no limit."""
    otlp_requests_a_minute: Requests = 0
    """Requests to the receiver that each address may send; who sends too many is answered 429, which clients of OTLP
    send again later. Without a limit by default: no telemetry is to be lost."""
    proxy_addresses: str = ""
    """Addresses or networks, with commas, of reverse proxies of ours, as `10.0.3.7,10.0.4.0/28`; those on this machine
    only where `127.0.0.1` stands here. Where a request comes from is read of their `X-Forwarded-For`, and of nobody's
    else."""
    proxy_user_header: str = ""
    """Header in which those proxies name whom they have signed in, as `X-Forwarded-User` (oauth2-proxy) or
    `Remote-User` (Authelia). Nobody comes in by a header when empty."""
    proxy_groups_header: str = ""
    """Header in which they name the groups of that person, with commas, as `X-Forwarded-Groups` or `Remote-Groups`."""
    proxy_roles: str = ""
    """Roles by group, as in `WATCHKEEPER_OIDC_ROLES`. Who is in none of them is refused."""
    proxy_teams: str = ""
    """Teams of the policy by group, as in `WATCHKEEPER_OIDC_TEAMS`."""
    proxy_sign_out: str = ""
    """Where people sign out of the proxy, as `/oauth2/sign_out`."""
    lockout_tries: Annotated[int, Field(ge=1, le=100)] = 5
    """Wrong tokens or passwords after which an address has to wait before the next is looked at, twice as long each
    time."""
    lockout_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    """The longest that it waits."""
