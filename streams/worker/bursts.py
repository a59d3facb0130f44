"""Pages about wrong tokens and passwords, from whichever worker serves the door at which they came."""

import asyncio
from typing import Final

from schemas.findings import Finding
from schemas.topics import FINDINGS
from streams.access.limits.bursts import BURSTS, Burst
from streams.findings.finding import finding
from streams.kafka.publisher import Publisher
from streams.settings import Settings

LOOK_SECONDS: Final = 1.0
DOORS: Final = {"api": "the API and the console", "sql": "the SQL endpoint"}


async def tell_bursts(settings: Settings, publisher: Publisher) -> None:
    """Publish what this process has met, for ever."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if begun := BURSTS.due():
            await publisher.publish_findings(settings.topic(FINDINGS.name), [page(each) for each in begun])


def page(burst: Burst) -> Finding:
    """Return the page about an episode: no name is in it, as nobody proved one; the audit log has what was claimed."""
    whose = {
        "address": f"from {burst.address}",
        "name": f"for one name, from {burst.addresses} addresses",
        "all": f"for many names, from {burst.addresses} addresses or more",
    }[burst.what]
    evidence = (
        f"{burst.times} wrong tokens or passwords within {max(1, round(burst.seconds / 60))} min {whose}, the last at "
        f"{DOORS[burst.door]}; the audit log has them (`refused`, `sign_in_failed`)"
    )
    return finding(
        ("failed_sign_ins", burst.name), burst.at, onset_time_unix_nano=burst.began, kind="breach", severity="page",
        service_name="watchkeeper", metric="failed_sign_ins", family="sign_in", detector="sign_ins",
        detector_version="1", sample_size=burst.times, evidence=evidence,
    )  # fmt: skip
