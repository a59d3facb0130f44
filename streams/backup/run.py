"""A backup of a whole installation, made while it runs, and restored where there is none."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiokafka.errors import KafkaError as AioKafkaError
from kafka.errors import KafkaError

from streams.audit.log import entry, note
from streams.backup import files, log, refill, tables
from streams.backup.manifest import BackupError, Manifest, opened, seal
from streams.kafka.log_reader import LogUnreadableError
from streams.kafka.topics import KafkaUnavailableError, admin, known_topics
from streams.local.reached import reached
from streams.settings import Settings
from streams.store.ask import endpoint_answers
from streams.store.client import connect
from streams.store.schema.migrate import migrate

Say = Callable[[str], object]


def backup(settings: Settings, folder: Path, say: Say) -> Manifest:
    """Save an installation into a folder, which is made, open to its owner alone.

    Parameters
    ----------
    say
        Is told what happens.

    Raises
    ------
    BackupError
        Where the folder is not empty.
    KafkaUnavailableError, StoreUnavailableError
        Where a part does not answer.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; name another folder")
    folder.chmod(0o700)
    with _answering(settings), reached(settings, say) as here:
        saved = _save(here, folder, say)
    files.save_files(settings, folder)
    whole = seal(folder, saved)
    if wrong := note(settings, [entry("backup", about=str(folder.absolute()))]):
        say(wrong)
    return whole


def _save(settings: Settings, folder: Path, say: Say) -> Manifest:
    """Save topics and rows: first how far each worker is, last what came from outside."""
    with admin(settings) as client:
        states = known_topics(client, settings)
        groups = log.groups_of(client, settings)
    saved = log.save_topics(settings, states, log.bounds_of(settings, states, log.STATE), folder)
    say("saved how far each worker is; now the store")
    schema, rows = tables.schema_of(settings), tables.save_rows(settings, folder)
    say(f"saved {sum(rows.values()):,} rows; now the topics")
    saved |= log.save_topics(settings, states, log.bounds_of(settings, states, log.LOGS), folder)
    return Manifest(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        topic_prefix=settings.topic_prefix,
        schema=schema,
        topics=saved,
        groups=groups,
        rows=rows,
        secrets=files.secrets_of(settings),
    )


def restore(settings: Settings, folder: Path, say: Say, replication: int = 1) -> Manifest:
    """Bring a backup into an installation that holds nothing, and whose workers do not run.

    Parameters
    ----------
    say
        As of `backup`.
    replication
        Copies of each partition.

    Raises
    ------
    BackupError
        Where the backup is damaged or newer than this version, or the installation holds data already.
    """
    manifest = opened(folder)
    tables.check_schema_of(manifest)
    if manifest.topic_prefix != settings.topic_prefix:
        raise BackupError(
            f"the backup is of WATCHKEEPER_TOPIC_PREFIX={manifest.topic_prefix!r}; rows name topics by it"
        )
    files.check_no_files(settings)
    if settings.clickhouse.startswith("chdb://") and endpoint_answers(settings):
        raise BackupError("a history worker runs and holds the store; stop the workers first")
    say(f"every file is as it was written: {manifest.said()}")
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _answering(settings), reached(settings, say, new="kafka" not in settings.model_fields_set) as here:
        _bring_back(here, folder, manifest, say, replication)
    files.restore_files(settings, folder)
    if wrong := note(settings, [entry("restored", about=str(folder.absolute()))]):
        say(wrong)
    return manifest


def _bring_back(settings: Settings, folder: Path, manifest: Manifest, say: Say, replication: int) -> None:
    """Fill store and topics."""
    with admin(settings) as client, connect(settings) as store:
        refill.check_no_topics(client, settings, manifest)
        tables.check_empty(store, settings.clickhouse_database)
        migrate(store)
        tables.restore_rows(store, folder, manifest)
        say("the store has its rows; now the topics")
        refill.make_topics(client, settings, manifest, replication)
        asyncio.run(refill.fill_topics(settings, folder, manifest))
        refill.finish_topics(client, settings, manifest, replication)


@contextmanager
def _answering(settings: Settings) -> Iterator[None]:
    """Say in one way that Kafka is away, whichever client finds it out."""
    try:
        yield
    except (KafkaError, AioKafkaError, LogUnreadableError) as error:
        raise KafkaUnavailableError(f"Kafka at {settings.kafka} does not answer: {error}; begin anew") from error
