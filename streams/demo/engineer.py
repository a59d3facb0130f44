"""A scripted on-call engineer for the recorded week: the same moves after the same minutes, for every incident.

What it does is marked as scripted; it knows nothing but what the API tells everybody. Beside it a scripted pipeline
announces the change that had been announced.
"""

import threading
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from schemas.fields import NANO
from streams.api.client import ApiError, call
from streams.settings import Settings

log: Final = structlog.get_logger()

NAME: Final = "scripted-engineer"
ACKNOWLEDGES: Final = timedelta(minutes=4)
MITIGATES: Final = timedelta(minutes=25)
CLOSES: Final = timedelta(hours=1)
"""After the detection, and after the proven recovery."""

AHEAD: Final = timedelta(hours=6)
"""The pipeline says so long before what it is going to do."""

POLL_SECONDS: Final = 0.5
TRIES: Final = 600

_MEASURES: Final = {
    "leak": ("policy_tightened", "output filter set to redact personal data"),
    "error": ("model_switched", "traffic moved to the second provider"),
    "injection": ("policy_tightened", "input guard set to block"),
    "unsafe": ("policy_tightened", "input guard set to block"),
    "refusal": ("rollback", "system prompt of last week"),
    "tool": ("rollback", "deploy rolled back"),
}


class Pipeline:
    """The delivery pipeline of the recorded week; it announces ahead of time what had been announced."""

    def __init__(self, settings: Settings, answers: list[dict[str, Any]]) -> None:
        self._settings: Final = settings
        self._waiting: Final = [answer for answer in answers if "announced_version" in answer]

    def progress(self, event_time: int) -> None:
        """Announce what is due at a time of the recording, Unix nanoseconds."""
        for answer in list(self._waiting):
            said = moment(answer["start"]) - AHEAD
            if event_time >= said.timestamp() * 1e9:
                self._waiting.remove(answer)
                self._say(_change(answer, said))

    def _say(self, change: dict[str, Any]) -> None:
        """Announce a change; the week waits for it, as long as the API may only be slow or starting again."""
        for _ in range(TRIES):
            try:
                call(self._settings, "POST", "/changes", json=change)
            except ApiError as error:
                log.debug("the pipeline could not announce", error=str(error))
                time.sleep(POLL_SECONDS)
            else:
                return
        call(self._settings, "POST", "/changes", json=change)


def _change(answer: dict[str, Any], said: datetime) -> dict[str, Any]:
    return {
        "event_id": f"announced/{answer['id']}",
        "change_id": answer["id"],
        "source": "scripted-pipeline",
        "time_unix_nano": int(said.timestamp()) * NANO,
        "service_name": answer["service"],
        "subject_type": "model",
        "subject_name": answer["service"],
        "action": "approved",
        "to_version": answer["announced_version"],
        "reason": answer["text"],
        "trigger": "ci",
    }


class Engineer:
    """Acts on the incidents that the API shows, until it is stopped.

    Parameters
    ----------
    leaves
        Services of others: nothing is done about their incidents.
    """

    def __init__(self, settings: Settings, leaves: Collection[str] = ()) -> None:
        self._leaves: Final = frozenset(leaves)
        self._settings: Final = settings
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._work, name="engineer", daemon=True)

    def start(self) -> None:
        """Begin the shift."""
        self._thread.start()

    def stop(self) -> None:
        """End the shift, after a last look."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while True:
            last = self._stop.is_set()
            try:
                for incident in call(self._settings, "GET", "/incidents", params={"state": "open"})["incidents"]:
                    if self._leaves.isdisjoint(incident["services"]):
                        self._act(incident)
            except ApiError as error:
                log.debug("the engineer could not act", error=str(error))
            if last:
                return
            self._stop.wait(POLL_SECONDS)

    def _act(self, incident: dict[str, Any]) -> None:
        done, detected = incident["seconds_to"], moment(incident["detected"])
        kind, how = _MEASURES.get(incident["family"], ("none", "looked into"))
        if done["acknowledged"] is None:
            self._say(incident, "acknowledge", detected + ACKNOWLEDGES, "on it")
        if done["mitigated"] is None:
            self._say(incident, "mitigate", detected + MITIGATES, how, mitigation_kind=kind)
        if incident["status"] == "recovered":
            recovered = detected + timedelta(seconds=done["recovered"])
            self._say(incident, "close", recovered + CLOSES, "proven back")

    def _say(self, incident: dict[str, Any], action: str, at: datetime, reason: str, **more: str) -> None:
        name = incident["incident_id"]
        body = {
            "actor": NAME,
            "actor_kind": "human",
            "reason": f"{reason} (scripted)",
            "action_id": f"{NAME}/{name}/{action}/{at:%Y%m%dT%H%M%S}",
            "happened_at_unix_nano": int(at.timestamp() * 1_000) * 1_000_000,
        }
        call(self._settings, "POST", f"/incidents/{name}/{action}", json=body | more)


def moment(text: str) -> datetime:
    """Return a time of the answers or of the API, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
