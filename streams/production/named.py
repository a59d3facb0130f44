"""What stands open by the settings in force and by the policy, without a question to anybody."""

import os
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from streams.access.hosts import loopback
from streams.policy.policy import Policy
from streams.production.gap import Gap
from streams.settings import WORKER_PORTS, Settings, variable
from streams.tls.expiry import wrong_with_certificate

GUESSED: Final = frozenset(
    {"admin", "changeme", "clickhouse", "default", "grafana", "kafka", "password", "secret", "test", "watchkeeper"}
)
"""Passwords that everybody tries first."""
SHORTEST: Final = 16
"""Characters of a secret that nobody guesses, if they are random."""


def gaps(settings: Settings, policy: Policy) -> Iterator[Gap]:
    """Yield what stands open."""
    yield from _kafka(settings)
    yield from _store(settings)
    yield from _doors(settings)
    if wrong := wrong_with_certificate(settings):
        yield Gap("certificate", wrong, "renew it; the ports show the new one as soon as its file is there")
    yield from _secrets(settings)
    if not policy.names_retention:
        where = settings.policy or "the policy, which is that by default,"
        yield Gap("retention", f"{where} names no retention: nothing that is old is removed",
                  "name it in the policy, and set WATCHKEEPER_POLICY")  # fmt: skip


def _kafka(settings: Settings) -> Iterator[Gap]:
    away = [each for each in settings.kafka.split(",") if not _near(each.rpartition(":")[0])]
    if settings.kafka_security == "PLAINTEXT" and away:
        yield Gap("kafka tls", f"records travel readable to {away[0]}", "set WATCHKEEPER_KAFKA_SECURITY=SASL_SSL")
    shown = settings.kafka_security == "SSL" and settings.kafka_cert_file is not None
    if settings.kafka_security != "SASL_SSL" and not shown:
        yield Gap("kafka sasl", "Kafka does not know who writes, and takes everybody's word for another's",
                  "set WATCHKEEPER_KAFKA_SECURITY=SASL_SSL with a user for each worker, or give each a certificate in "
                  "WATCHKEEPER_KAFKA_CERT_FILE; see `watchkeeper topics acl`")  # fmt: skip


def _store(settings: Settings) -> Iterator[Gap]:
    if settings.clickhouse.startswith("chdb://"):
        return
    url = urlsplit(settings.clickhouse)
    if url.scheme == "http" and not _near(url.hostname or ""):
        yield Gap("store tls", f"rows and the password travel readable to {url.hostname}",
                  "give ClickHouse a certificate, and WATCHKEEPER_CLICKHOUSE an address with https://")  # fmt: skip
    if (url.username or "default") == "default":
        yield Gap("store user", "the store is asked as ClickHouse's user `default`, who may do everything",
                  "make a user for Watchkeeper, and name it in WATCHKEEPER_CLICKHOUSE")  # fmt: skip
    if url.password:
        yield Gap("store password", "WATCHKEEPER_CLICKHOUSE holds a password, and addresses stand in logs",
                  "put it into the file watchkeeper_clickhouse_password of WATCHKEEPER_SECRETS")  # fmt: skip
    elif not settings.clickhouse_password.get_secret_value():
        yield Gap("store password", "the store is asked without a password", "set WATCHKEEPER_CLICKHOUSE_PASSWORD")


def _doors(settings: Settings) -> Iterator[Gap]:
    if loopback(settings.host):
        return
    seen = f"ports are bound to {settings.host}"
    if not settings.otlp_token.get_secret_value():
        yield Gap("otlp token", f"{seen}, and whoever reaches OTLP may send", "set WATCHKEEPER_OTLP_TOKEN")
    if settings.clickhouse.startswith("chdb://") and settings.sql_users is None:
        yield Gap("sql users", f"{seen}, and SQL has no users", "name a file of users in WATCHKEEPER_SQL_USERS")
    if settings.tls_cert is None and not settings.public_url.startswith("https://"):
        open_to = ", ".join(_ports(settings))
        yield Gap("ports tls", f"{seen} without TLS ({open_to}), and no address with https:// leads to them",
                  "give a certificate in WATCHKEEPER_TLS_CERT, or put a proxy with one in front and name it in "
                  "WATCHKEEPER_PUBLIC_URL")  # fmt: skip


def _ports(settings: Settings) -> Iterator[str]:
    """Yield the ports that an installation opens, by what answers there."""
    yield f"API and console {settings.api_port}"
    if settings.clickhouse.startswith("chdb://"):
        yield f"SQL {settings.sql_port}"
    yield f"OTLP {settings.otlp_port}"
    yield f"health {', '.join(str(settings.port or settings.worker_port(name)) for name in WORKER_PORTS)}"


def _secrets(settings: Settings) -> Iterator[Gap]:
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    known = {
        name: value.get_secret_value()
        for name, value in values.items()
        if isinstance(value, SecretStr) and value.get_secret_value()
    }
    tokens = [("otlp_token", each) for each in known.get("otlp_token", "").split()]
    for name, value in [*((name, known[name]) for name in known if name != "otlp_token"), *tokens]:
        if value.lower() in {*GUESSED, settings.kafka_username.lower(), settings.sql_user.lower()}:
            yield Gap("default secret", f"{variable(name)} is one that everybody tries first", "make a random one")
        elif len(value) < SHORTEST:
            yield Gap("short secret", f"{variable(name)} has fewer than {SHORTEST} characters", "make a random one")
    for name, others in {name: [other for other in known if known[other] == known[name]] for name in known}.items():
        if len(others) > 1 and name == others[0]:
            yield Gap("shared secret", f"{' and '.join(map(variable, others))} are the same",
                      "give each one of its own")  # fmt: skip
    if "control_key" not in known:
        yield Gap("control key", "controls can't be asked for", "set WATCHKEEPER_CONTROL_KEY")
    if "hash_key" not in known:
        yield Gap("hash key", "whoever has a list of texts finds them among their hashes",
                  "set WATCHKEEPER_HASH_KEY")  # fmt: skip
    if given := sorted(name for name in known if os.environ.get(variable(name))):
        yield Gap("secret in environment", f"{', '.join(map(variable, given))} can be read by whoever lists processes",
                  "put each into a file of the folder that WATCHKEEPER_SECRETS names")  # fmt: skip


def _near(host: str) -> bool:
    return host == "localhost" or loopback(host.strip("[]"))
