"""One worker in this process, from its checks before the start to its exit status."""

import resource
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any, Final

import faust
import structlog

from streams.app import worker
from streams.kafka.topics import KafkaUnavailableError
from streams.policy.policy import Policy, load_policy
from streams.settings import Settings
from streams.worker.light import without_hoard, without_pandas

log: Final = structlog.get_logger()


def run_worker(name: Any, settings: Settings) -> None:
    """Run a worker until a signal ends it or its work fails; does not return.

    Raises
    ------
    KafkaUnavailableError
        Where Kafka does not let it begin.
    """
    take_files()
    if name in ("history", "watch"):  # the two that decode columns
        without_pandas(store=name == "history")
    if name == "history":  # it holds answers whole
        without_hoard()
    policy = load_policy(settings.policy)  # refuse a wrong one before the start
    if name == "incidents":
        from streams.incidents.requests.signing import check_key

        check_key(settings, policy)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as ends:  # whatever ends it: an engine that is asked while its process goes breaks it
        if name == "history":
            _open_store(settings, policy, ends)
        app = worker(name, settings)
        log.info("worker starts", worker=name, instance=settings.instance, kafka=settings.kafka)
        running = faust.Worker(app, loglevel="WARN", redirect_stdouts=False)
        try:
            running.execute_from_commandline()
        except SystemExit:
            if isinstance(running.crash_reason, KafkaUnavailableError):  # in words, which come last, to be tried again
                raise running.crash_reason from None
            raise


def take_files() -> None:
    """Have this process open as many files as it may at most: history has some 600, and shells stop at 256 or 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS says that there is no end, and has one
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _open_store(settings: Settings, policy: Policy, ends: ExitStack) -> None:
    """Make the store ready for what history writes, and serve one of this process alone until `ends` is closed."""
    from streams.audit.questions import recorded
    from streams.audit.recorder import Recorder
    from streams.kpis.policies import publish_policy
    from streams.sql.server import serve_sql
    from streams.store.client import connect
    from streams.store.schema.migrate import check_schema, migrate

    client = connect(settings)
    if settings.clickhouse.startswith("chdb://"):
        migrate(client)  # nobody else could do it
        recorder = Recorder(settings)
        ends.callback(recorder.end)  # after the endpoint, whose questions it writes down
        ends.callback(serve_sql(settings, [recorded(recorder, settings)], policy.teams).stop)
        recorder.begin()
    else:
        check_schema(client)
    publish_policy(client, policy, datetime.now(UTC))
