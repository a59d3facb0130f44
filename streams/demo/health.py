"""Why a worker of the demo does not move: what its health page, its log and Kafka say."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import requests

from streams.demo.offsets import Offsets
from streams.settings import Settings
from streams.tls.asking import address, ask

ANSWER_SECONDS: Final = 5.0
TAIL_BYTES: Final = 4_096
WORDS: Final = 3
"""A line with fewer is a border, or what is left of a spinner."""

_CODES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_WORD: Final = re.compile(r"[A-Za-z]{2,}")


class Health:
    """Asks after workers.

    Parameters
    ----------
    ports
        Of the workers' health pages on this machine; none where they can't be reached.
    """

    def __init__(self, settings: Settings, offsets: Offsets, ports: Mapping[str, int]) -> None:
        self._settings: Final = settings
        self._offsets: Final = offsets
        self._ports: Final = ports

    def trouble(self, worker: str) -> str | None:
        """Return what is wrong with a worker that does not move; None where it only takes its time."""
        wrong = self._local(worker) if worker in self._ports else self._members(worker)
        return None if wrong is None else f"{worker} does not move: {wrong}"

    def _local(self, worker: str) -> str | None:
        wrong = illness(self._settings, self._ports[worker])
        last = last_line(self._settings.data_dir / "logs" / f"{worker}.log") if wrong else ""
        return f"{wrong}; last in its log: {last}" if last else wrong

    def _members(self, worker: str) -> str | None:
        known = self._offsets.members(worker)
        return "Kafka does not answer" if known is None else None if known else "Kafka knows no such worker"


def illness(settings: Settings, port: int) -> str | None:
    """Return in words what is wrong by a health page; None where all is well."""
    try:
        answer = ask(settings, "GET", f"{address(settings, port)}/health", timeout=ANSWER_SECONDS)
    except requests.Timeout:
        return f"its /health does not answer within {ANSWER_SECONDS:.0f} s"
    except requests.RequestException:
        return "nothing answers at its /health"
    try:
        said = answer.json()
        why = "; ".join(said.get("problems") or [f"{said['lag']} records wait for it"])
    except (ValueError, KeyError, AttributeError):
        return f"its /health answers {answer.status_code}"
    return None if said.get("healthy") else f"by its /health it is not healthy: {why}"


def last_line(file: Path) -> str:
    """Return the last line of a log that says something; nothing where there is none."""
    try:
        with file.open("rb") as log:
            log.seek(max(file.stat().st_size - TAIL_BYTES, 0))
            lines = _CODES.sub("", log.read().decode(errors="replace")).splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if len(_WORD.findall(line)) >= WORDS), "")
