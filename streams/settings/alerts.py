"""The settings of Grafana, of what its alerts tell, and of the sign of life for somebody outside."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]


class AlertSettings(BaseSettings):
    """Where alerts go, and who hears that we live."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    grafana_url: str = "http://127.0.0.1:3000"
    """The Grafana of `watchkeeper grafana`, with its path if it has one."""
    grafana_token: SecretStr = SecretStr("")
    """Token of a service account there with the role Admin; or a secrets file, as above."""
    grafana_clickhouse: str = ""
    """The store as Grafana reaches it, `http(s)://USER@HOST:PORT`; when empty, the SQL endpoint of this machine with
    the user and password for it."""
    grafana_clickhouse_password: SecretStr = SecretStr("")
    """Password of that user; or a secrets file, as above."""
    alert_webhook_url: str = ""
    """The API as Grafana reaches it, `http://HOST:8130/alerts`: where alerts are told to incidents."""
    alert_pagerduty_key: SecretStr = SecretStr("")
    """Integration key of PagerDuty; or a secrets file, as above."""
    alert_slack_url: SecretStr = SecretStr("")
    """Incoming webhook of Slack; or a secrets file, as above."""
    alert_email: str = ""
    """Addresses that alerts are mailed to, with `;` between them."""
    receivers_private: str = ""
    """Hosts of receivers that may be on a private network or on this machine, with commas, as the policy names them."""
    receivers_proxy: SecretStr = SecretStr("")
    """Proxy through which receivers and the heartbeat are told, `http://HOST:PORT` or `http://USER:PASSWORD@HOST:PORT`;
    those named in `WATCHKEEPER_RECEIVERS_PRIVATE` are told directly. Or a secrets file, as above."""
    heartbeat_url: SecretStr = SecretStr("")
    """Where the incidents worker says at intervals that everything moves, as to a check of healthchecks.io: by a POST,
    and by one to `/fail` behind it, with the reasons, where something does not. Who hears neither pages. Or a secrets
    file, as above."""
    heartbeat_seconds: Seconds = 60.0
    """How often it says so."""
    heartbeat_late_seconds: Seconds = 120.0
    """How long a record may wait for a kind of worker, or a kind of worker be away, before that is a failure."""
    heartbeat_asks: str = ""
    """Addresses that must answer well too, with commas, as `http://receiver:4318/health`; `watchkeeper up` adds that
    of its receiver."""
