"""Every setting, read once from the environment (``WATCHKEEPER_…``) or from files of secrets.

Whoever goes on while a secret is changed asks `streams.health.secrets` for it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from streams.settings.alerts import AlertSettings, Seconds
from streams.settings.doors import DoorSettings
from streams.settings.identifiers import IdentifierSettings
from streams.settings.provider import ProviderSettings

Port = Annotated[int, Field(ge=0, le=65535)]


WORKER_PORTS: Final = {"history": 6066, "watch": 6067, "detect": 6068, "incidents": 6069, "normalise": 6070}
"""Where each kind of worker answers for its health, unless a setting says otherwise."""

RESENT: Final = "sent-again-"
"""Begin of the names of consumer groups whose offsets say what was sent again; they have no members."""

DOORS: Final = ("api", "health", "otlp", "sql")
"""What answers at ports: the API with the console, health and metrics, OTLP with LiteLLM's webhook, and SQL."""

PORTS_OF_ONE: Final = len(WORKER_PORTS) + 5
"""What an installation takes from its base port on: broker, workers, SQL, API, supervisor, OTLP."""


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and says what it may be."""


class Settings(AlertSettings, DoorSettings, ProviderSettings, IdentifierSettings):
    """The settings of every worker and command; each field's description is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix="WATCHKEEPER_", frozen=True, extra="forbid", secrets_dir=None, use_attribute_docstrings=True
    )

    kafka: str = "127.0.0.1:9092"
    """Kafka brokers, `HOST:PORT`, several with commas."""
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    """Security protocol towards Kafka. There is no SASL without TLS."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """SASL mechanism, with `SASL_SSL`."""
    kafka_username: str = ""
    """SASL user."""
    kafka_password: SecretStr = SecretStr("")
    """SASL password; or a file `watchkeeper_kafka_password` in the folder that `WATCHKEEPER_SECRETS` names, which is
    read again for each connection."""
    kafka_ca_file: Path | None = None
    """Certificate authority of the brokers; the system's own when empty."""
    kafka_cert_file: Path | None = None
    """Certificate (PEM) to show brokers that ask for one; with `SSL` they may know by it who this is."""
    kafka_key_file: Path | None = None
    """Key of that certificate, without a passphrase; when empty, it stands in the file of the certificate."""
    topic_prefix: str = ""
    """Put before every topic name, for several installations on one cluster."""
    clickhouse: str = "chdb://data/clickhouse"
    """The store: `chdb://PATH` in the process of the history worker, without one in the data folder; or
    `http(s)://USER@HOST:PORT`."""
    clickhouse_database: str = "watchkeeper"
    """Database of all tables."""
    clickhouse_password: SecretStr = SecretStr("")
    """Password of the ClickHouse user; or a secrets file, which is read again whenever a client is made."""
    data_dir: Path = Path("data")
    """Where the local broker, the local store and log files live."""
    instance: str = "1"
    """A stable name of this worker among its kind: after a crash it has its partitions back at once."""
    host: str = "127.0.0.1"
    """Address that workers bind for health, metrics and SQL."""
    allowed_hosts: str = ""
    """Names, with commas, under which services of this installation are reached, beside loopback, the bound address and
    the name in the public URL: requests with another `Host` are refused."""
    base_port: Annotated[int, Field(ge=0, le=65535 - PORTS_OF_ONE)] = 0
    """Moves all ports that no other setting names: the broker's to this one, then history, watch, detect, incidents,
    normalise, SQL, API, the supervisor and OTLP on the ones that follow. With 0 each has its own default."""
    port: Port = 0
    """Port of `/health`, `/ready` and `/metrics`; 0 takes 6066 for history, 6067 for watch, 6068 for detect, 6069
    for incidents, 6070 for normalise."""
    sql_port: Port = 8123
    """Port of the read-only SQL endpoint that serves a `chdb://` store."""
    api_port: Port = 8130
    """Port of the HTTP API that the incidents worker serves."""
    up_port: Port = 6065
    """Port of `/health` of `watchkeeper up`, about all its parts."""
    otlp_port: Port = 4318
    """Port at which OTLP over HTTP is received; OpenTelemetry's SDKs send to 4318 unless they are told otherwise."""
    otlp_token: SecretStr = SecretStr("")
    """Token that senders of OTLP must have, or several with spaces or lines between, each of which will do; or a
    secrets file, which is read again for each request. Without it, the receiver binds loopback alone."""
    tls_cert: Path | None = None
    """Certificate (PEM, with those between it and its authority) that every port shows; without one, no port speaks
    TLS. It is read again when its file changes. Commands show it too where a port asks them for one."""
    tls_key: Path | None = None
    """Key of that certificate, without a passphrase; when empty, it stands in the file of the certificate, and both
    change in one step."""
    tls_client_ca: Path | None = None
    """Authority of the certificates that clients must show at the ports of `WATCHKEEPER_TLS_CLIENT_PORTS`."""
    tls_client_ports: str = "otlp,sql"
    """Ports where they must, with commas, of `api` (with the console), `health`, `otlp` and `sql`."""
    tls_ca: Path | None = None
    """Authority by which commands and workers know the ports of this installation; the system's own when empty."""
    tls_name: str = ""
    """Name in the certificate, where commands and workers ask a port by its address, as `127.0.0.1`; that address when
    empty."""
    console: bool = True
    """Whether that API serves the console, the pages for people under `/console/`."""
    api_url: str = ""
    """Where commands find that API; `http(s)://HOST:API_PORT` when empty."""
    api_token: SecretStr = SecretStr("")
    """Token of the API; or a secrets file. When empty, a worker writes one to `api-token` in the data folder. It may do
    everything, and says in whose name; people and machines may have tokens of their own (`watchkeeper token`)."""
    tokens: Path | None = None
    """File with the hashes of those tokens; `tokens.json` in the data folder when empty."""
    otlp_encoding: Literal["auto", "otlp_proto", "otlp_json"] = "auto"
    """How records in `otlp_spans` and `otlp_logs` are encoded; by default each record is looked at."""
    telemetry_topics: str = ""
    """More topics with others' telemetry, `TOPIC=DIALECT` with commas, as `kong_logs=kong,calls=cloudevents`; without
    a dialect each record is known by its shape. `TOPIC=DIALECT:SERVICE` takes events of that service alone (several
    with `+`), as `shop_events=canonical:shop`."""
    root_wait_seconds: Seconds = 6.0
    """How long a span waits for its root, which may know session and model; SDKs export every five seconds."""
    hash_key: SecretStr = SecretStr("")
    """Key of the hashes of texts in telemetry that is translated, in which all users then have pseudonyms; or a secrets
    file, as above."""
    sql_users: Path | None = None
    """Users of the SQL endpoint (YAML, made with `watchkeeper sql-user`); without it, this machine alone may ask."""
    sql_user: str = "default"
    """User that `watchkeeper sql` and its like give to the SQL endpoint."""
    sql_password: SecretStr = SecretStr("")
    """Password of that user; or a secrets file, which is read again for each question."""
    tick_seconds: Annotated[int, Field(ge=1, le=3600)] = 10
    """Length of a tick of event time."""
    lateness_seconds: Annotated[int, Field(ge=0, le=3600)] = 10
    """How much later than the newest an event may come and still count in its own tick."""
    session_memory_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    """For how long a flagged session is not counted again for the same rate."""
    idle_seconds: Seconds = 3.0
    """After how long without records a caught-up live partition gets a time mark."""
    linger_seconds: Annotated[float, Field(ge=0, le=10)] = 0.1
    """How long records of a partition are gathered before they are handed on together."""
    checkpoint_seconds: Seconds = 2.0
    """At most this much work of watch and detect is repeated after a crash."""
    policy: Path | None = None
    """The policy file (YAML): budgets, ceilings, owners, and which detector looks at what; without it, defaults."""
    public_url: str = ""
    """Where people reach this installation, `https://HOST`; links to incidents in notifications begin with it.
    Without it they lead to this machine while ports bind loopback, and are left out otherwise."""
    board_url: str = ""
    """A board that notifications lead to, with `{service}` and `{from}` (milliseconds) where these belong, as in
    `https://GRAFANA/d/watchkeeper-service?var-service={service}&from={from}&to=now`."""
    control_key: SecretStr = SecretStr("")
    """Key that signs controls; or a secrets file, as above. Without it nothing is asked of any service."""
    gauge_seconds: Seconds = 30.0
    """How often the incidents worker reads the KPIs for `/metrics`."""
    max_series: Annotated[int, Field(ge=10)] = 20_000
    """Series that all detectors of a partition together keep; the rest is summed as `~other` and counted."""
    dead_letter_limit: Annotated[float, Field(gt=0, le=1)] = 0.2
    """Share of the records of a service that may be refused, over some minutes, from 100 refused on;
    above it the service is told of and its KPIs are untrusted."""
    disk_floor_mb: Annotated[int, Field(ge=0)] = 500
    """With less room on its disk than this, an embedded store waits; with half of it, the local broker is stopped. Both
    go on when there is room again."""
    hang_seconds: Annotated[float, Field(ge=5)] = 60.0
    """After how long without an answer, and without work that explains it, `watchkeeper up` starts a part again."""
    kafka_session_seconds: Seconds = 10.0
    """How long Kafka waits for a worker that never comes back before it gives its partitions away."""
    log_format: Literal["console", "json"] = "console"
    """How workers log."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe messages that are logged."""

    _secrets: dict[str, Path] = PrivateAttr(default_factory=dict)

    @field_validator("clickhouse")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if not value.startswith(("chdb://", "http://", "https://")):
            raise ValueError("must start with chdb://, http:// or https://")
        return value

    @field_validator("tls_client_ports")
    @classmethod
    def _known_ports(cls, value: str) -> str:
        if unknown := {each.strip() for each in value.split(",")} - {*DOORS, ""}:
            raise ValueError(f"no port is called {', '.join(sorted(unknown))}; there are {', '.join(DOORS)}")
        return value

    @field_validator("tls_key", "tls_client_ca")
    @classmethod
    def _with_certificate(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        if value is not None and others.data.get("tls_cert") is None:
            raise ValueError("wants a certificate in WATCHKEEPER_TLS_CERT beside it")
        return value

    @field_validator("kafka_key_file")
    @classmethod
    def _of_a_certificate(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        if value is not None and others.data.get("kafka_cert_file") is None:
            raise ValueError("wants a certificate in WATCHKEEPER_KAFKA_CERT_FILE beside it")
        return value

    @model_validator(mode="after")
    def _follow_the_base(self) -> Self:
        """Move what nobody has named."""
        if "clickhouse" not in self.model_fields_set:
            self.__dict__["clickhouse"] = f"chdb://{self.data_dir}/clickhouse"
        if self.base_port:
            after = self.base_port + len(WORKER_PORTS)
            moved = {"sql_port": after + 1, "api_port": after + 2, "up_port": after + 3, "otlp_port": after + 4}
            moved_to = {"kafka": f"127.0.0.1:{self.base_port}"} | moved
            self.__dict__.update({name: to for name, to in moved_to.items() if name not in self.model_fields_set})
        return self

    @property
    def broker_port(self) -> int:
        """Port of a broker of this machine's own."""
        return self.base_port or 9092

    def worker_port(self, name: str) -> int:
        """Return where a kind of worker answers for its health, unless `port` says otherwise."""
        return self.base_port + 1 + list(WORKER_PORTS).index(name) if self.base_port else WORKER_PORTS[name]

    @property
    def dialects(self) -> dict[str, str]:
        """Dialect by topic of others' telemetry, as they are written; empty where shapes tell it."""
        return {name: said.partition(":")[0].strip() for name, said in self._named_topics().items()}

    @property
    def bound(self) -> dict[str, frozenset[str]]:
        """Services whose events may come by a topic of others' telemetry; topics that may bring any are not in it."""
        services = {
            name: said.partition(":")[2].split("+") for name, said in self._named_topics().items() if ":" in said
        }
        return {name: frozenset(map(str.strip, each)) for name, each in services.items()}

    def _named_topics(self) -> dict[str, str]:
        items = (item.partition("=") for item in self.telemetry_topics.split(",") if item.strip())
        return {name.strip(): said.strip() for name, _, said in items}

    def topic(self, name: str) -> str:
        """Return the full name of a topic."""
        return self.topic_prefix + name

    def group(self, worker: str) -> str:
        """Return the consumer group of a kind of worker."""
        return f"{self.topic_prefix}watchkeeper-{worker}"

    def secret_file(self, name: str) -> Path | None:
        """Return the file that a setting comes from, or would; None where an argument or the environment gives it."""
        return self._secrets.get(name)

    def environment(self, names: Iterable[str]) -> dict[str, str]:
        """Return some settings as variables, in the order of their names, without secrets and what is not set."""
        values = {name: getattr(self, name) for name in sorted(names)}
        return {
            variable(name): str(value)
            for name, value in values.items()
            if not isinstance(value, SecretStr) and value is not None
        }


def variable(name: str) -> str:
    """Return the variable of the environment that a setting is read from.

    >>> variable("topic_prefix")
    'WATCHKEEPER_TOPIC_PREFIX'
    """
    return f"WATCHKEEPER_{name.upper()}"


def load(**overrides: object) -> Settings:
    """Read the settings from the environment; arguments that are not None win.

    Raises
    ------
    SettingsError
        Where a value cannot be used, with the name of its variable.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    folder = os.environ.get("WATCHKEEPER_SECRETS")
    try:
        made = Settings(_secrets_dir=folder, **given)  # type: ignore[call-arg,arg-type]
    except ValidationError as error:
        problems = [f"{variable('_'.join(map(str, item['loc'])))}: {item['msg']}" for item in error.errors()]
        raise SettingsError("; ".join(problems)) from None
    if folder:
        fixed = {*given, *(each.lower().removeprefix("watchkeeper_") for each in os.environ)}
        files = {name: Path(folder) / variable(name).lower() for name in Settings.model_fields.keys() - fixed}
        made._secrets.update(files)  # noqa: SLF001
    return made
