"""Why a worker of the demo does not move: what its health page, its log and Kafka say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import requests

from streams.demo_offsets import Offsets
from streams.settings import Settings

ANSWER_SECONDS: Final = 5.0
TAIL_BYTES: Final = 4_096


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

    def trouble(self, worker: str) -> str:
        """Return what is known of a worker that does not move."""
        if worker in self._ports:
            said = [health_text(self._settings.host, self._ports[worker])]
            last = last_line(self._settings.data_dir / "logs" / f"{worker}.log")
            said += [f"last in its log: {last}"] if last else []
        else:
            members = self._offsets.members(worker)
            said = ["Kafka does not answer" if members is None else f"Kafka knows {members} such workers"]
        return f"{worker} does not move: {'; '.join(said)}"


def health_text(host: str, port: int) -> str:
    """Return in words what a health page answers."""
    try:
        answer = requests.get(f"http://{host}:{port}/health", timeout=ANSWER_SECONDS)
        said = answer.json()
        return f"its /health says {'healthy' if said['healthy'] else 'NOT healthy'}, lag {said['lag']}"
    except requests.Timeout:
        return f"its /health does not answer within {ANSWER_SECONDS:.0f} s"
    except requests.RequestException:
        return "nothing answers at its /health"
    except (ValueError, KeyError):
        return f"its /health answers {answer.status_code}"


def last_line(file: Path) -> str:
    """Return the last line of a log that says something; nothing where there is none."""
    try:
        with file.open("rb") as log:
            log.seek(max(file.stat().st_size - TAIL_BYTES, 0))
            lines = log.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
