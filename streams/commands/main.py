"""The command ``watchkeeper``: thin, each command a few lines over the part that does the work."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from streams.commands.approval import approval_app
from streams.commands.audit import audit_app
from streams.commands.backup import backup, restore
from streams.commands.canary import canary_app
from streams.commands.change import change_app
from streams.commands.control import control_app
from streams.commands.demo import demo
from streams.commands.doctor import doctor
from streams.commands.erase import erase
from streams.commands.explain import explain
from streams.commands.grafana import grafana_app
from streams.commands.guard import guard_app
from streams.commands.imports import import_files
from streams.commands.incident import incident_app
from streams.commands.init import init
from streams.commands.kpi import kpi
from streams.commands.options import Kafka, Seed, Speed, Store, times_real_time
from streams.commands.policy import budget, policy_app
from streams.commands.probe import probe_app
from streams.commands.prometheus import prometheus
from streams.commands.pseudonym import pseudonym
from streams.commands.report import report
from streams.commands.retention import retention_app
from streams.commands.review import review_app
from streams.commands.runbook import runbook
from streams.commands.status import status
from streams.commands.tail import tail
from streams.commands.token import token_app
from streams.commands.topics import letters_app, topics_app
from streams.commands.trace import trace
from streams.commands.verify import rebuild, verify
from streams.settings import SettingsError, load
from streams.text.times import live_in_utc

app: Final = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
GROUPS: Final = {
    "policy": policy_app, "incident": incident_app, "topics": topics_app, "dead-letters": letters_app,
    "canary": canary_app, "change": change_app, "control": control_app, "grafana": grafana_app, "guard": guard_app,
    "probe": probe_app, "review": review_app, "token": token_app, "audit": audit_app, "retention": retention_app,
    "approval": approval_app,
}  # fmt: skip
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
for _command in (
    budget, demo, doctor, erase, pseudonym, explain, init, kpi, prometheus, report, runbook, status, tail, trace,
    verify, rebuild, backup, restore,
):  # fmt: skip
    app.command()(_command)
app.command("import")(import_files)


@app.command()
def worker(
    name: Annotated[str, typer.Argument(help="history, watch, detect, incidents or normalise.")],
    kafka: Kafka = None,
    clickhouse: Store = None,
    instance: Annotated[str | None, typer.Option(help="A stable name among the workers of its kind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of health and metrics.")] = None,
) -> None:
    """Run one worker until it is told to stop."""
    from streams.app import WORKERS
    from streams.health.logs import configure_logs
    from streams.run import run_worker

    if name not in WORKERS:
        raise SettingsError(f"no worker is called {name!r}; take one of {', '.join(WORKERS)}")
    settings = load(kafka=kafka, clickhouse=clickhouse, instance=instance, port=port)
    configure_logs(settings)
    run_worker(name, settings)


@app.command()
def receiver(kafka: Kafka = None) -> None:
    """Receive OTLP over HTTP and write it to Kafka, until it is told to stop."""
    from streams.health.logs import configure_logs
    from streams.receiver.run import run_receiver

    settings = load(kafka=kafka)
    configure_logs(settings)
    run_receiver(settings)


@app.command()
def migrate(
    *,
    clickhouse: Store = None,
    carry: Annotated[bool, typer.Option("--carry", help="Take over a store of the version before.")] = False,
) -> None:
    """Create or update the tables and views of the store."""
    from streams.store.client import connect
    from streams.store.schema.carry import carry as take_over
    from streams.store.schema.migrate import migrate as apply

    applied = (take_over if carry else apply)(connect(load(clickhouse=clickhouse)))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "nothing to do")


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="JSON lines, also .gz.")],
    kafka: Kafka = None,
    speed: Speed = "max",
    seed: Seed = None,
) -> None:
    """Send recorded events into Kafka."""
    from streams.replay.disorder import disordered
    from streams.replay.send import Replay, read

    running = Replay(load(kafka=kafka), times_real_time(speed))
    count = running.run(read(files) if seed is None else disordered(read(files), seed))
    typer.echo(f"sent {count} events, {running.marks} time marks")


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A SELECT, SHOW, DESCRIBE or EXPLAIN.")],
    output: Annotated[str, typer.Option("--format", help="Any output format of ClickHouse.")] = "PrettyCompact",
    clickhouse: Store = None,
) -> None:
    """Ask the store: through the running history worker, or by opening it when nothing runs."""
    from streams.store.ask import ask

    sys.stdout.buffer.write(ask(load(clickhouse=clickhouse), query, output))


@app.command("sql-user")
def sql_user(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    team: Annotated[list[str] | None, typer.Option(help="A team of the policy whose rows alone it sees.")] = None,
) -> None:
    """Print the line of a user for the file that WATCHKEEPER_SQL_USERS names; the password is asked for, or read."""
    from streams.sql.users import user_line

    asked = sys.stdin.isatty()
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if asked else sys.stdin.readline()
    typer.echo("users:  # once, at the top of the file", err=True)
    typer.echo(user_line(name, password.rstrip("\r\n"), team))


@app.command("sql-teams")
def sql_teams() -> None:
    """Print what limits users of a ClickHouse server to the services of the policy's teams: roles and row policies."""
    from streams.access.rows import server_statements
    from streams.policy.policy import load_policy

    settings = load()
    for each in server_statements(load_policy(settings.policy).teams, settings.clickhouse_database):
        typer.echo(f"{each};")


@app.command()
def findings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
    clickhouse: Store = None,
) -> None:
    """Print what was found."""
    from streams.findings.shown import FINDINGS_QUERY, table
    from streams.store.ask import ask, ask_rows

    settings = load(clickhouse=clickhouse)
    if as_json:
        sys.stdout.buffer.write(ask(settings, FINDINGS_QUERY, "JSONEachRow"))
    else:
        from streams.text.terminal import console

        console().print(table(ask_rows(settings, FINDINGS_QUERY)))


@app.command()
def backtest(
    files: Annotated[
        list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Recorded events, JSON lines, also .gz.")
    ] = None,
    since: Annotated[datetime | None, typer.Option("--from", help="Stored history from this time on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="And up to this one.")] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="Another policy, to be held beside the one in use; may be given again.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One finding a line.")] = False,  # noqa: FBT002
    clickhouse: Store = None,
) -> None:
    """Run recorded events or stored history through the detectors, and print what would have been found."""
    from streams.replay.backtest import run_backtest

    period = (since.replace(tzinfo=UTC), until.replace(tzinfo=UTC)) if since and until else None
    run_backtest(load(clickhouse=clickhouse), files or [], period, policy or [], as_json=as_json)


@app.command()
def broker(
    data_dir: Annotated[Path | None, typer.Option(help="Where the broker keeps its data.")] = None,
    port: Annotated[int | None, typer.Option(help="Port on loopback; 9092, or the base port, if not given.")] = None,
) -> None:
    """Run a Kafka broker on this machine."""
    from streams.health.logs import configure_logs
    from streams.local.up import run_broker

    settings = load(data_dir=data_dir)
    configure_logs(settings)
    run_broker(settings, port or settings.broker_port)


@app.command()
def up(
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept.")] = None,
    kafka: Kafka = None,
    clickhouse: Store = None,
    base_port: Annotated[
        int | None, typer.Option(help="Moves all ports: Kafka to this one, the rest after it.")
    ] = None,
) -> None:
    """Run the broker and all workers on this machine, until Ctrl-C; with a Kafka that is named, without the broker."""
    from streams.health.logs import configure_logs
    from streams.local.up import run_up

    settings = load(data_dir=data_dir, clickhouse=clickhouse, kafka=kafka, base_port=base_port)
    configure_logs(settings)
    run_up(settings)


@app.command("secrets")
def make_secrets(
    folder: Annotated[Path, typer.Argument(help="Made where it is missing; open to its owner alone.")],
    *,
    production: Annotated[bool, typer.Option("--production", help="Also those of compose/production.yml.")] = False,
) -> None:
    """Write the random passwords and tokens that docker-compose.yml needs; what is there is never touched."""
    from streams.access.secrets import write_secrets

    typer.echo(
        "\n".join(f"wrote {folder / name}" for name in write_secrets(folder, production=production)) or "nothing to do"
    )


def main() -> None:
    """Run the command; what a user can mend is one line on the error stream."""
    live_in_utc()
    try:
        app()
    except _mendable() as error:
        typer.echo(f"watchkeeper: {error}", err=True)
        raise SystemExit(_status(error)) from None


def _mendable() -> tuple[type[Exception], ...]:
    return (ValueError, RuntimeError, ConnectionError, *_of_kafka())


def _of_kafka() -> tuple[type[Exception], ...]:
    """Return the errors of the client of Kafka, which derive from no built-in one, where a command has loaded it."""
    errors = sys.modules.get("kafka.errors")
    return (errors.KafkaError,) if errors is not None else ()


def _status(error: Exception) -> int:
    """Return the exit status that tells a supervisor whether starting again helps."""
    from streams.store.client import StoreBusyError
    from streams.store.schema.migrate import SchemaError

    if isinstance(error, (ValueError, SchemaError)):
        return os.EX_CONFIG  # starting again would not help
    if isinstance(error, (ConnectionError, StoreBusyError, *_of_kafka())):
        return os.EX_UNAVAILABLE  # starting again helps once they are back
    return 1
