"""Everything that stands open, looked for at once."""

from collections.abc import Iterator
from pathlib import Path

from streams.policy.policy import load_policy
from streams.production.asked import kafka_gaps, provider_gaps, store_gaps
from streams.production.gap import Gap
from streams.production.lying import file_gaps, image_gaps, token_gaps
from streams.production.named import gaps
from streams.production.proxies import proxy_gaps
from streams.settings import Settings


def open_gaps(settings: Settings, compose: Path | None) -> Iterator[Gap]:
    """Yield what stands open.

    Parameters
    ----------
    compose
        A Compose file whose images are looked at, if there is one.

    Raises
    ------
    ValueError
        Where policy, tokens or the Compose file can't be read.
    """
    yield from gaps(settings, load_policy(settings.policy))
    yield from proxy_gaps(settings)
    yield from file_gaps(settings)
    yield from token_gaps(settings)
    if compose is not None:
        yield from image_gaps(compose)
    yield from kafka_gaps(settings)
    yield from store_gaps(settings)
    yield from provider_gaps(settings)
