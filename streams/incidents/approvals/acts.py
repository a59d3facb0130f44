"""What takes two persons: which records an act writes, what they are in words, and when one person is enough."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from schemas.approvals import Act, Approval
from schemas.categories import family
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.metrics import WATCHED
from schemas.topics import CHANGES, ERASURES, TRIAGE
from schemas.triage import Triage
from streams.incidents.approvals.fold import Asked
from streams.incidents.fold.severity import HARMS
from streams.incidents.requests.signing import signed
from streams.kafka.publisher import Message
from streams.kafka.sending import message
from streams.settings import Settings
from streams.text.times import utc

Written = Control | Change | Triage | Erasure

KINDS: Final[Mapping[Act, Any]] = {
    "lift_kill_switch": list[Control], "publish_policy": list[Change], "mute_severe": list[Triage],
    "erasure": list[Erasure],
}  # fmt: skip
"""The records that each act writes; no other can come of it."""
ROUTES: Final[Mapping[Act, str]] = {
    "lift_kill_switch": "POST /controls", "publish_policy": "POST /policies", "mute_severe": "POST /triage",
    "erasure": "POST /erasures",
}  # fmt: skip
"""The route of each act: whoever may ask for it may agree to it."""
_FAMILIES: Final = {rate.name: rate.family for rate in WATCHED}


class KillSwitches:
    """Which services were asked to stop, and until when.

    Of several kill switches the one that ends last counts: only time and a `resume` lift them.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def take(self, control: Control) -> bool:
        """Take a control that is ours, and tell whether it lifted a kill switch."""
        lifted = control.control == "resume" and self.in_force(control.service_name, control.time_unix_nano)
        if control.control == "resume":
            self._until.pop(control.service_name, None)
        elif control.control == "kill_switch":
            ends = control.expires_at or float("inf")
            self._until[control.service_name] = max(self._until.get(control.service_name, 0), ends)
        return lifted

    def in_force(self, service: str, now: int) -> bool:
        """Tell whether a service is asked to stop at a time in Unix nanoseconds."""
        return self._until.get(service, 0) > now


def takes_two(act: Act, records: Sequence[Written], switches: KillSwitches) -> bool:
    """Tell whether some records are what the policy names, and not something that may pass without."""
    if act == "lift_kill_switch":
        now = time.time_ns()
        return any(
            isinstance(each, Control) and each.control == "resume" and switches.in_force(each.service_name, now)
            for each in records
        )
    if act == "mute_severe":
        return any(isinstance(each, Triage) and each.decision == "mute" and severe(each.metric or "")
                   for each in records)  # fmt: skip
    return True


def severe(metric: str) -> bool:
    """Tell whether the tickets of a metric are of a family in which somebody may come to harm.

    >>> severe("leak"), severe("goal_hijack"), severe("sec.jailbreak"), severe("latency")
    (True, True, True, False)
    """
    return (_FAMILIES.get(metric) or family(metric) or metric) in HARMS  # type: ignore[call-overload]


def content_of(records: Sequence[Written]) -> str:
    """Return records as the content of a request."""
    return msgspec.json.encode(records).decode()


def records_of(request: Approval) -> list[Written]:
    """Return the records that a request would write.

    Raises
    ------
    msgspec.ValidationError
        Where they are of another kind than the act writes.
    """
    found: list[Written] = msgspec.json.decode(request.content or "[]", type=KINDS[request.act])
    return found


def messages(settings: Settings, asked: Asked) -> list[Message]:
    """Return what carries out an act: what was asked for, word for word; a change says who approved it besides.

    Raises
    ------
    SettingsError
        Where a control is to be signed, and there is no key.
    """
    return [_message(settings, each, asked.decided) for each in records_of(asked.request)]


def _message(settings: Settings, record: Written, decided: Approval | None) -> Message:
    if isinstance(record, Control):
        return signed(settings, record)
    if isinstance(record, Change):
        if decided is not None and decided.step == "approved":
            record = replace(record, approver_ids=[decided.actor_id])
        return message(settings, CHANGES, record, record.service_name)
    if isinstance(record, Triage):
        return message(settings, TRIAGE, record, record.service_name)
    return message(settings, ERASURES, record, record.subject_hash)


def in_words(request: Approval) -> str:
    """Return what is asked for, as a short sentence without a full stop."""
    first = records_of(request)[0]
    if isinstance(first, Control):
        return f"lift the kill switch of {first.service_name}"
    if isinstance(first, Triage):
        return f"mute {first.metric} of {first.service_name} until {utc(first.expires_at or 0)}"
    if isinstance(first, Erasure):
        return f"erase {first.subject} {first.subject_hash[:16]}"
    return f"publish the policy {first.to_version} in place of {first.from_version}"
