"""Options that many commands have."""

from typing import Annotated

import typer

Kafka = Annotated[str | None, typer.Option("--kafka", help="Kafka brokers, HOST:PORT.")]
Store = Annotated[str | None, typer.Option("--clickhouse", help="chdb://PATH or http(s)://HOST:PORT.")]
