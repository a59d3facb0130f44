"""What follows from findings and changes beside incidents.

Rules of the policy and the canary gate ask for controls, and versions that nobody announced are found.

What was said already is read from the logs like everything else, so that nothing is asked twice.
"""

from typing import Final

from schemas.changes import Change
from schemas.controls import Control
from schemas.evaluations import EvaluationRun
from schemas.findings import Finding
from streams.incidents.requests.announcements import Announcements
from streams.incidents.requests.gate import Gate
from streams.incidents.requests.rules import ControlRules
from streams.policy.policy import Policy


class PendingRequests:
    """The rules of a policy at work."""

    def __init__(self, policy: Policy) -> None:
        self._rules: Final = ControlRules(policy.controls)
        self._gate: Final = Gate(policy.canary_gate)
        self._announcements: Final = Announcements(policy.changes)
        self._asked: dict[str, Control] = {}
        self._decided: dict[str, Change] = {}
        self._changes: set[str] = set()
        self._given: set[str] = set()
        self._found: set[str] = set()

    def take(self, record: Finding | Change | Control | EvaluationRun) -> None:
        """Take what a log holds."""
        if isinstance(record, Control):
            self._given.add(record.event_id)
            return
        for control, change in self._gate.take(record):
            self._asked[control.event_id] = control
            self._decided[change.event_id] = change
        if isinstance(record, EvaluationRun):
            return
        self._announcements.take(record)
        if isinstance(record, Change):
            self._changes.add(record.event_id)
        else:
            if record.kind == "unannounced_change":
                self._found.add(record.finding_id)
            self._asked |= {control.event_id: control for control in self._rules.take(record)}

    def controls(self, wall_unix_nano: int) -> list[Control]:
        """Return the controls that nobody has given yet; what is over by now is not asked for any more."""
        fresh = [
            control
            for name, control in self._asked.items()
            if name not in self._given and (control.expires_at or wall_unix_nano) >= wall_unix_nano
        ]
        self._asked.clear()
        self._given |= {control.event_id for control in fresh}
        return fresh

    def changes(self) -> list[Change]:
        """Return the decisions of the gate that are not on the timeline of changes yet."""
        fresh = [change for name, change in self._decided.items() if name not in self._changes]
        self._decided.clear()
        self._changes |= {change.event_id for change in fresh}
        return fresh

    def findings(self, now_unix_nano: int) -> list[Finding]:
        """Return the versions that nobody had announced by a time of the stream."""
        found = [each for each in self._announcements.due(now_unix_nano) if each.finding_id not in self._found]
        self._found |= {each.finding_id for each in found}
        return found
