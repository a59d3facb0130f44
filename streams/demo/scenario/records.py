"""What is told beside the events: a canary, evaluations, probes, and what users thought."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from schemas.changes import Change
from schemas.evaluations import EvaluationRun
from schemas.events import Event, Inference
from schemas.fields import NANO
from schemas.identity import identity
from schemas.reviews import ReviewLabel
from streams.demo.scenario.story import AGENTS, ASSISTANT, CANARY_HOURS, CANDIDATE, DESK, HOURS, STABLE, Story, verdict
from streams.incidents.requests.gate import NAME
from streams.review.probes import Probe, attacks, judged, rotated, sent

PROBED: Final = (ASSISTANT, AGENTS)
FAILED: Final = {
    ("content.ncr", STABLE): 4, ("content.ncr", CANDIDATE): 5, ("content.hte", STABLE): 6,
    ("content.hte", CANDIDATE): 60, ("sec.data_leakage.pii", STABLE): 3, ("sec.data_leakage.pii", CANDIDATE): 4,
}  # fmt: skip
"""Items of a suite that failed, by hazard and version."""

ITEMS: Final = 200
EVALUATED_HOUR: Final = -10.0


def changes(story: Story) -> Iterator[Change]:
    """Yield what the delivery pipeline says of the candidate: it is put under the gate."""
    yield Change(
        **story.envelope(ASSISTANT, "canary-started", CANARY_HOURS[0] - 0.01), subject_type="model",
        subject_name=ASSISTANT, change_id=identity(NAME, ASSISTANT, CANDIDATE), action="started", from_version=STABLE,
        to_version=CANDIDATE, rollout_weight=0.5, gate_name=NAME, trigger="ci", reason="answers are shorter",
        initiator_id="pipeline",
    )  # fmt: skip


def evaluations(story: Story) -> Iterator[EvaluationRun]:
    """Yield the runs of a suite on both versions, before all of it."""
    for service in (ASSISTANT, AGENTS, DESK):
        for (category, version), failed in FAILED.items():
            said = story.envelope(service, f"evaluated-{category}-{version}", EVALUATED_HOUR)
            yield EvaluationRun(
                **said, model_version=version, suite="harms", test_name=category, category=category, items=ITEMS,
                failed=failed, tool="scenario", run_id="nightly",
            )  # fmt: skip


def probes(story: Story) -> Iterator[Event]:
    """Yield attacks of our own every hour, each as it was sent and as the service's guards judged it."""
    known = attacks()
    for number in range(1, HOURS):
        for service in PROBED:
            for at, attack in enumerate(rotated(known, 0, number, 7)):
                probe, when = Probe(service, f"{service}-r{number}", attack), story.nano(number) + at * NANO
                reached = (number + at) % 11 != 0
                yield sent(probe, when, "200" if reached else "429", reached=reached)
                if reached:
                    found = attack.category if (number + at) % 8 else ""
                    shield = verdict("prompt-shield", "input", found, action="blocked" if found else "none")
                    yield judged(probe, when + NANO // 2, [shield])


def feedback(story: Story, answers: Iterable[Inference]) -> Iterator[ReviewLabel]:
    """Yield what users thought of one answer in forty, when the next one was given."""
    for at, (answer, following) in enumerate(pairwise(answers)):
        if at % 40 == 0 and answer.outcome == "completed":
            said = story.envelope(answer.service_name, f"thumb-{at}", 0.0)
            yield ReviewLabel(
                **said | {"time_unix_nano": following.time_unix_nano}, target_event_id=answer.event_id,
                evaluation_name="user_feedback", label="cannot_judge", annotator_kind="end_user",
                sampling_method="appeal", sampling_probability=1.0, model_version=answer.model_version,
                score=0.0 if at % 280 == 0 else 1.0, labelled_at=following.time_unix_nano,
            )  # fmt: skip
