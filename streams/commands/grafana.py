"""``watchkeeper grafana``: boards and alerts in a Grafana that runs already, from the files that are generated."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import unquote, urlsplit

import typer

from streams.access.tokens import known_token
from streams.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from dashboards.grafana.server import Server
    from dashboards.grafana.shapes import Item, Source

grafana_app: Final = typer.Typer(no_args_is_help=True, help="Boards and alerts in a Grafana that runs already.")


@grafana_app.command()
def deploy(
    *,
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="Send passwords, tokens and keys again: Grafana hides whether they differ."),
    ] = False,
) -> None:
    """Bring the data source, boards, rules, contact points and our routes to what the files say."""
    from dashboards.grafana import deploy as work

    changed = False
    for line in work.deploy(*_there_and_wanted(load()), secrets=secrets):
        typer.echo(line)
        changed = True
    if not changed:
        typer.echo("no change")


@grafana_app.command()
def diff() -> None:
    """Show what deploy would change, and end with status 1 if anything; nothing is written."""
    from dashboards.grafana.deploy import differences

    shown = differences(*_there_and_wanted(load()))
    typer.echo("\n".join(shown) or "no difference")
    if shown:
        raise typer.Exit(1)


@grafana_app.command()
def verify() -> None:
    """Ask every query of boards and rules through Grafana, show how its rules fare; status 1 if anything is wrong."""
    from rich.table import Table

    from dashboards.grafana.deploy import read_files
    from dashboards.grafana.verify import verify as ask_all
    from streams.text.terminal import console

    report = ask_all(_server(load()), read_files(), datetime.now(UTC))
    rules, wrong = Table("rule", "state", "health", "last error"), Table("what", "is wrong")
    for rule in report.rules:
        rules.add_row(rule.name, rule.state, rule.health, rule.error)
    for problem in report.wrong:
        wrong.add_row(*problem)
    if report.rules:
        console().print(rules)
    values = ", ".join(f"{name} {value}" for name, [value] in report.chosen.items()) or "no values for the variables"
    typer.echo(f"asked {report.asked} questions, with {values}: {len(report.wrong)} wrong")
    if report.wrong:
        console().print(wrong)
        raise typer.Exit(1)


def _server(settings: Settings) -> "Server":
    from dashboards.grafana.server import Server

    return Server(settings.grafana_url, settings.grafana_token.get_secret_value())


def _there_and_wanted(settings: Settings) -> tuple["Server", list["Item"]]:
    from dashboards.grafana.deploy import read_files, wanted

    return _server(settings), wanted(read_files(), source(settings), contact_values(settings))


def source(settings: Settings) -> "Source":
    """Return where Grafana finds the store.

    Raises
    ------
    SettingsError
        Where that is not said, or cannot be used.
    """
    from dashboards.grafana.shapes import Source
    from streams.tls.asking import address

    url = settings.grafana_clickhouse
    password = settings.grafana_clickhouse_password or settings.sql_password
    if not url and not settings.clickhouse.startswith("chdb://"):
        raise SettingsError(
            "set WATCHKEEPER_GRAFANA_CLICKHOUSE to the store as Grafana reaches it, http(s)://USER@HOST:PORT, with a "
            "user that may only read"
        )
    own = address(settings, settings.sql_port).replace("://", f"://{settings.sql_user}@")
    parts = urlsplit(url or own)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.password:
        raise SettingsError("WATCHKEEPER_GRAFANA_CLICKHOUSE must be http(s)://USER@HOST:PORT, without a password")
    secure = parts.scheme == "https"
    return Source(
        host=parts.hostname,
        port=parts.port or (8443 if secure else 8123),
        secure=secure,
        user=unquote(parts.username or "default"),
        password=password.get_secret_value() if not url or settings.grafana_clickhouse_password else "",
        database=settings.clickhouse_database,
        authority=_authority(settings) if secure and not url else "",
    )


def _authority(settings: Settings) -> str:
    """Return the certificate by which our own SQL port is known; Grafana keeps it, and reads no file."""
    try:
        return settings.tls_ca.read_text() if settings.tls_ca else ""
    except OSError as error:
        raise SettingsError(f"WATCHKEEPER_TLS_CA: {settings.tls_ca} can't be read ({error.strerror})") from None


def contact_values(settings: Settings) -> Mapping[str, str]:
    """Return what contact points are filled in with; what is not set is empty."""
    return {
        "WATCHKEEPER_ALERT_WEBHOOK_URL": settings.alert_webhook_url,
        "WATCHKEEPER_API_TOKEN": known_token(settings) if settings.alert_webhook_url else "",
        "WATCHKEEPER_ALERT_PAGERDUTY_KEY": settings.alert_pagerduty_key.get_secret_value(),
        "WATCHKEEPER_ALERT_SLACK_URL": settings.alert_slack_url.get_secret_value(),
        "WATCHKEEPER_ALERT_EMAIL": settings.alert_email,
    }
