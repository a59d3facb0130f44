"""Options that many commands have."""

from typing import Annotated

import typer

Kafka = Annotated[str | None, typer.Option("--kafka", help="Kafka brokers, HOST:PORT.")]
Store = Annotated[str | None, typer.Option("--clickhouse", help="chdb://PATH or http(s)://HOST:PORT.")]
Speed = Annotated[str, typer.Option("--speed", help="Times real time, or max.")]
Seed = Annotated[
    int | None, typer.Option("--seed", help="Send them in another order, by up to 5 s, which the number gives again.")
]
