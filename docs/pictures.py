"""Takes the pictures of the README from a week that was played: ``python -m docs.pictures data/pictures``.

The terminal is drawn by the demo's own code and exported by rich; the page of the incident is the one that the API
serves, photographed by a browser without a screen (``chromium-headless-shell``).
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from PIL import Image
from rich.console import Console, Group
from rich.terminal_theme import MONOKAI
from rich.text import Text

from schemas.findings import Finding
from schemas.incidents import IncidentTransition
from schemas.topics import FINDINGS, INCIDENTS
from schemas.wire import decoder
from streams.api.client import call, fetch
from streams.demo.news import line
from streams.demo.screen import PAGES, SERVICES_QUERY, services_table
from streams.kafka.topics import client_arguments
from streams.local.ports import free_base_port
from streams.local.up import Installation
from streams.settings import Settings, load
from streams.store.ask import ask_running

FOLDER: Final = Path(__file__).with_name("pictures")
BROWSER: Final = "chromium-headless-shell"
WIDTH: Final = 128
SHOT: Final = "1000,1130"
FONTS: Final = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)


def main(folder: str) -> None:
    """Start what was played, take both pictures, and stop it again."""
    base = free_base_port()
    settings = load(data_dir=Path(folder), clickhouse=f"chdb://{folder}/clickhouse", base_port=base)
    installation = Installation(settings)
    try:
        installation.start()
        take_terminal(installation.settings, FOLDER / "terminal.svg")
        take_page(installation.settings, FOLDER / "incident.png")
    finally:
        installation.stop()


def take_terminal(settings: Settings, file: Path) -> None:
    """Write what the screen of the demo shows when the week is over."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    opened = [Text(text, style="red", overflow="ellipsis", no_wrap=True) for text in news(settings)]
    table = services_table(ask_running(settings, SERVICES_QUERY, {}))
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere)
        console.print(Group(table, *opened[-PAGES:]))
        plain = FONTS.sub("", CONSOLE_SVG_FORMAT)  # fonts of the reader's machine: a picture fetches nothing
        file.write_text(
            console.export_svg(title="watchkeeper demo", code_format=plain, theme=MONOKAI, unique_id="demo")
        )


def news(settings: Settings) -> list[str]:
    """Return a line of each page and of each incident that opened, in the order of their time."""
    said = dict.fromkeys(line(record) for record in records(settings))
    return sorted((text for text in said if text is not None), key=lambda text: text.split()[1:3])


def records(settings: Settings) -> Iterator[Any]:
    """Yield all findings and transitions."""
    for topic, kind in ((FINDINGS, Finding), (INCIDENTS, IncidentTransition)):
        part, decode = TopicPartition(settings.topic(topic.name), 0), decoder(kind)
        with closing(KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)) as consumer:
            consumer.assign([part])
            consumer.seek_to_beginning(part)
            end = consumer.end_offsets([part])[part]
            while consumer.position(part) < end:
                for fetched in consumer.poll(timeout_ms=500).values():
                    yield from (decode(record.value, 2**62) for record in fetched)


def take_page(settings: Settings, file: Path) -> None:
    """Write a picture of the page of the leak, the first incident of its kind."""
    incidents = call(settings, "GET", "/incidents", params={"state": "all"})["incidents"]
    [chosen, *_] = [each for each in incidents if each["family"] == "leak"]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_bytes(fetch(settings, "GET", f"/incidents/{chosen['incident_id']}/page"))
        shot = ("--no-sandbox", "--hide-scrollbars", f"--window-size={SHOT}", f"--screenshot={file}")
        subprocess.run([BROWSER, *shot, page.as_uri()], check=True, capture_output=True, timeout=120)
    with Image.open(file) as shown:
        shown.convert("RGB").quantize(64).save(file, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
