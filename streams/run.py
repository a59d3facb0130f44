"""One worker in this process, from its checks before the start to its exit status."""

from datetime import UTC, datetime
from typing import Any, Final

import faust
import structlog

from streams.app import worker
from streams.incidents.requests.signing import check_key
from streams.kpis.policies import publish_policy
from streams.policy.policy import load_policy
from streams.settings import Settings
from streams.sql.server import serve_sql
from streams.store.client import connect
from streams.store.schema.migrate import check_schema, migrate

log: Final = structlog.get_logger()


def run_worker(name: Any, settings: Settings) -> None:
    """Run a worker until a signal ends it or its work fails; does not return."""
    policy = load_policy(settings.policy)  # refuse a wrong one before the start
    if name == "incidents":
        check_key(settings, policy)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    endpoint = None
    if name == "history":
        client = connect(settings)
        if settings.clickhouse.startswith("chdb://"):
            migrate(client)  # the store of this process alone: nobody else could do it
            endpoint = serve_sql(settings)
        else:
            check_schema(client)
        publish_policy(client, policy, datetime.now(UTC))
    app = worker(name, settings)
    log.info("worker starts", worker=name, instance=settings.instance, kafka=settings.kafka)
    try:
        faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()
    finally:
        if endpoint is not None:
            endpoint.stop()
