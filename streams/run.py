"""One worker in this process, from its checks before the start to its exit status."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import faust
import structlog

from streams.app import worker
from streams.policy.policy import Policy, load_policy
from streams.settings import Settings
from streams.worker.light import without_pandas

if TYPE_CHECKING:
    from streams.sql.server import Endpoint

log: Final = structlog.get_logger()


def run_worker(name: Any, settings: Settings) -> None:
    """Run a worker until a signal ends it or its work fails; does not return."""
    if name in ("history", "watch"):  # the two that decode columns
        without_pandas(store=name == "history")
    policy = load_policy(settings.policy)  # refuse a wrong one before the start
    if name == "incidents":
        from streams.incidents.requests.signing import check_key

        check_key(settings, policy)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    endpoint = _open_store(settings, policy) if name == "history" else None
    app = worker(name, settings)
    log.info("worker starts", worker=name, instance=settings.instance, kafka=settings.kafka)
    try:
        faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
    finally:
        if endpoint is not None:
            endpoint.stop()


def _open_store(settings: Settings, policy: Policy) -> "Endpoint | None":
    """Make the store ready for what history writes, and serve one of this process alone."""
    from streams.kpis.policies import publish_policy
    from streams.sql.server import serve_sql
    from streams.store.client import connect
    from streams.store.schema.migrate import check_schema, migrate

    client, endpoint = connect(settings), None
    if settings.clickhouse.startswith("chdb://"):
        migrate(client)  # nobody else could do it
        endpoint = serve_sql(settings)
    else:
        check_schema(client)
    publish_policy(client, policy, datetime.now(UTC))
    return endpoint
