"""The canary gate: asks to promote a candidate, or to take it back, when the comparison has said enough.

It may look as often as it likes, because the verdicts that it rests on hold at all times at once (`detectors.canary`).
A candidate that is worse in any metric of the policy goes back; so does one with more flagged sessions than the
policy lets it cost, proven or not. One that is not worse in all of them, over the exposure asked for, and of which the
evaluations say what the policy wants, is promoted.
Whatever is decided is a request: a signed control, and a change that passed or failed the gate. Each canary is decided
once; what was known at each comparison, and why that was not yet enough, goes along.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from schemas.changes import Change
from schemas.controls import Control
from schemas.evaluations import EvaluationRun
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.identity import identity
from schemas.windows import AT
from streams.incidents.requests.comparison import Comparison, Comparisons, comparison_of, evidence, known
from streams.incidents.requests.evaluated import Evaluations
from streams.policy.controls import CanaryGate

NAME: Final = "canary"
"""`gate_name` of the changes that begin, end and decide a canary, and `rule` of its controls."""

IN_FORCE_NANO: Final = 86_400 * NANO
"""How long a request of the gate is good for: later it rests on what is no longer so."""

MOST: Final = 1_000
"""Canaries, and candidates that were heard of, that are kept: the latest."""

LINES: Final = 12
"""Comparisons that the decision log shows, the latest."""

MAX_REASON: Final = 2_000

Asked = Literal["promote", "rollback"]


class Decision(NamedTuple):
    """What the gate asks for, once as a control and once on the timeline of changes."""

    control: Control
    change: Change


@dataclass(slots=True)
class _Canary:
    started: Change
    log: list[str] = field(default_factory=list)

    @property
    def decision_id(self) -> str:
        return decision_id(self.started)

    def limit(self, name: str, usual: float) -> float:
        return (self.started.gate_stats or {}).get(name, usual)


class Gate:
    """The canaries that run, and what is known of every candidate.

    Parameters
    ----------
    policy
        `streams.policy.policy.Policy.canary_gate`; a canary may bring its own exposure and regret.
    """

    def __init__(self, policy: CanaryGate) -> None:
        self._policy: Final = policy
        self._open: dict[str, _Canary] = {}  # by change
        self._done: dict[str, None] = {}  # by decision
        self._comparisons: dict[tuple[str, str], Comparisons] = {}
        self._evaluations: Final = Evaluations(policy.evaluations)

    def take(self, record: Change | Finding | EvaluationRun) -> list[Decision]:
        """Take a change, a finding or an evaluation, and return what it decides; repeats change nothing."""
        if isinstance(record, Change):
            return self._take_change(record) if record.gate_name == NAME else []
        if isinstance(record, EvaluationRun):
            return self._take_evaluation(record)
        if record.kind != "canary" or record.model_version is None or record.metric not in self._policy.metrics:
            return []
        comparison, about = comparison_of(record), (record.service_name, record.model_version)
        comparisons = self._comparisons.setdefault(about, {})
        if (
            comparisons.get(record.metric, comparison).at > comparison.at
            or comparisons.get(record.metric) == comparison
        ):
            return []
        comparisons[record.metric] = comparison
        _forget(self._comparisons)
        running = [each for each in self._open.values() if _about(each.started) == about]
        return [decision for each in running for decision in self._judge(each, comparison)]

    def _take_evaluation(self, run: EvaluationRun) -> list[Decision]:
        if not self._evaluations.take(run):
            return []
        running = [each for each in self._open.values() if each.started.service_name == run.service_name]
        known_of = ((each, self._comparisons.get(_about(each.started))) for each in running)
        return [decision for canary, found in known_of if found for decision in self._judge(canary, _newest(found))]

    def _take_change(self, change: Change) -> list[Decision]:
        running = self._open.get(change.change_id)
        if change.action == "started":
            if decision_id(change) in self._done or (running and running.started.event_id == change.event_id):
                return []
            self._open[change.change_id] = canary = _Canary(change)
            _forget(self._open)
            comparisons = self._comparisons.get(_about(change), {})
            return list(self._judge(canary, _newest(comparisons))) if comparisons else []
        if change.action == "aborted" and running:
            self._close(running)
        elif change.gate_result is not None:  # our own word, read back after a restart
            self._done[change.event_id] = None
            if running and running.decision_id == change.event_id:
                self._close(running)
        return []

    def _close(self, canary: _Canary) -> None:
        del self._open[canary.started.change_id]
        self._done[canary.decision_id] = None
        _forget(self._done)

    def _judge(self, canary: _Canary, newest: Comparison) -> Iterator[Decision]:
        comparisons = self._comparisons[_about(canary.started)]
        asked, why = self._verdict(canary, comparisons)
        canary.log.append(f"{known(comparisons, newest)}: {why}")
        if asked is not None:
            self._close(canary)
            yield _decision(canary, asked, why, newest, evidence(comparisons))

    def _verdict(self, canary: _Canary, comparisons: Comparisons) -> tuple[Asked | None, str]:
        """Return what to ask for, or None, and why."""
        worse = [name for name in self._policy.metrics if name in comparisons and comparisons[name].verdict == "worse"]
        if worse:
            return "rollback", f"worse than stable in {', '.join(worse)}"
        regret, metric = max((comparison.regret, name) for name, comparison in comparisons.items())
        most = canary.limit("max_regret", self._policy.max_regret)
        if regret > most:
            return "rollback", f"about {regret:.1f} more flagged sessions by {metric} than stable; at most {most:g}"
        open_ = [
            name for name in self._policy.metrics if name not in comparisons or comparisons[name].verdict != "not worse"
        ]
        if open_:
            return None, f"not yet proven not worse: {', '.join(open_)}"
        exposure = min(comparison.trials for comparison in comparisons.values())
        least = canary.limit("min_exposure", self._policy.min_exposure)
        if exposure < least:
            return None, f"{exposure} sessions, {least:g} are asked for"
        at = _newest(comparisons).at
        if unmet := self._evaluations.unmet(*_about(canary.started), canary.started.from_version, at):
            return None, f"evaluations: {', '.join(unmet)}"
        return "promote", f"not worse in {', '.join(self._policy.metrics)} over {exposure} sessions"


def decision_id(started: Change) -> str:
    """Return the identity that the decision about a canary has, whenever it is made."""
    return identity("gate", started.event_id)


def _newest(comparisons: Comparisons) -> Comparison:
    return max(comparisons.values(), key=lambda comparison: comparison.at)


def _about(change: Change) -> tuple[str, str]:
    """Return service and candidate; a version of a prompt is compared under the name of the prompt (`AT`)."""
    version = change.to_version or ""
    if change.subject_type == "prompt" and AT not in version:
        version = f"{change.subject_name}{AT}{version}"
    return change.service_name, version


def _forget(kept: dict[str, _Canary] | dict[str, None] | dict[tuple[str, str], Comparisons]) -> None:
    if len(kept) > MOST:
        del kept[next(iter(kept))]  # type: ignore[arg-type]


def _decision(canary: _Canary, asked: Asked, why: str, newest: Comparison, stats: dict[str, float]) -> Decision:
    started = canary.started
    at = max(newest.at, started.time_unix_nano + 1)
    reason = "; ".join([why, f"{len(canary.log)} comparisons", *reversed(canary.log[-LINES:])])[:MAX_REASON]
    control = _control(started, asked, newest.finding_id, at, reason)
    change = _passed(started, canary.decision_id, asked, at)
    return Decision(replace(control, evidence=stats), replace(change, reason=reason, gate_stats=stats))


def _control(started: Change, asked: Asked, finding_id: str, at: int, reason: str) -> Control:
    of_prompt = started.subject_type == "prompt"
    return Control(
        event_id=identity("gate-control", started.event_id),
        source="watchkeeper/gate",
        time_unix_nano=at,
        service_name=started.service_name,
        model_version=None if of_prompt else started.to_version,
        control=asked,
        actor_kind="automation",
        reason=reason,
        rule=NAME,
        finding_id=finding_id,
        change_id=started.change_id,
        prompt_name=started.subject_name if of_prompt else None,
        to_version=started.to_version if asked == "promote" else started.from_version,
        expires_at=at + IN_FORCE_NANO,
    )


def _passed(started: Change, decision_id: str, asked: Asked, at: int) -> Change:
    passed = asked == "promote"
    return Change(
        event_id=decision_id,
        source="watchkeeper/gate",
        time_unix_nano=at,
        service_name=started.service_name,
        change_id=started.change_id,
        subject_type=started.subject_type,
        subject_name=started.subject_name,
        action="approved" if passed else "rejected",
        from_version=started.from_version,
        to_version=started.to_version,
        gate_name=NAME,
        gate_result="pass" if passed else "fail",
        trigger="gate",
    )
