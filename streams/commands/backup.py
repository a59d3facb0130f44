"""The commands ``watchkeeper backup`` and ``watchkeeper restore``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.options import Kafka, Store
from streams.settings import Settings, SettingsError, load

DataDir = Annotated[Path | None, typer.Option(help="Where `watchkeeper up` keeps everything.")]


def backup(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Made where it is missing; must be empty.")],
    data_dir: DataDir = None,
    kafka: Kafka = None,
    clickhouse: Store = None,
) -> None:
    """Save the whole installation while it runs: topics, rows, audit log, tokens' hashes, settings without secrets."""
    from streams.backup.run import backup as save

    with _files():
        manifest = save(_settings(data_dir, kafka, clickhouse), folder, _say)
    typer.echo(f"saved in {folder}: {manifest.said()}")
    if manifest.secrets:
        typer.echo(f"keep beside it, for they are not in it: {', '.join(manifest.secrets)}")


def restore(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="A backup.")],
    data_dir: DataDir = None,
    kafka: Kafka = None,
    clickhouse: Store = None,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Restore a backup where there is nothing yet, while no worker runs; then start, and see `watchkeeper verify`."""
    from streams.backup.files import SETTINGS
    from streams.backup.run import restore as bring_back

    with _files():
        manifest = bring_back(_settings(data_dir, kafka, clickhouse), folder, _say, replication)
    typer.echo(f"restored: {manifest.said()}")
    typer.echo(f"its settings are in {folder / SETTINGS}; start it, and see `watchkeeper verify`")
    if manifest.secrets:
        typer.echo(f"give it its secrets: {', '.join(manifest.secrets)}")


def _settings(data_dir: Path | None, kafka: str | None, clickhouse: str | None) -> Settings:
    return load(data_dir=data_dir, kafka=kafka, clickhouse=clickhouse)


@contextmanager
def _files() -> Iterator[None]:
    """Say of which file it is where the disk does not take or give it."""
    try:
        yield
    except ConnectionError:
        raise
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}") from None


def _say(what: str) -> None:
    typer.echo(what, err=True)
