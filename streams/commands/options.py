"""Options that many commands have."""

from typing import Annotated

import typer

from streams.settings import SettingsError

Kafka = Annotated[str | None, typer.Option("--kafka", help="Kafka brokers, HOST:PORT.")]
Store = Annotated[str | None, typer.Option("--clickhouse", help="chdb://PATH or http(s)://HOST:PORT.")]
Speed = Annotated[str, typer.Option("--speed", help="Times real time, or max.")]
Seed = Annotated[
    int | None, typer.Option("--seed", help="Send them in another order, by up to 5 s, which the number gives again.")
]


def times_real_time(speed: str) -> float | None:
    """Return how many times faster than it passed time shall pass; None for as fast as Kafka takes the events."""
    if speed != "max" and not (speed.replace(".", "", 1).isdigit() and float(speed) > 0):
        raise SettingsError(f"--speed is a number above 0 or max, not {speed!r}")
    return None if speed == "max" else float(speed)
