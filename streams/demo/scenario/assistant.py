"""The assistant, which looks documents up before it answers, and the desk, which does not."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.events import Event, GuardVerdict, Inference, Retrieval, RetrievedDocument, StageLatency, Telemetry
from schemas.guards import GuardResult
from streams.demo.scenario.story import (
    ASSISTANT,
    CANARY_HOURS,
    CANDIDATE,
    DESK,
    HOURS,
    LATE_LEAK_HOURS,
    LEAK_HOURS,
    STABLE,
    Story,
    verdict,
    within,
)

EVERY_SECONDS: Final = {ASSISTANT: 12, DESK: 48}
LEAKS: Final = {ASSISTANT: LEAK_HOURS, DESK: LATE_LEAK_HOURS}
LEAKING: Final = 0.25
HARMS: Final = (
    ("content.ncr", 0.004, "blocked"), ("content.hte", 0.003, "none"), ("qual.ungrounded", 0.02, "none"),
    ("qual.misinformation", 0.006, "none"), ("qual.bias", 0.004, "none"), ("sec.data_leakage.pii", 0.002, "redacted"),
)  # fmt: skip
"""What a guard finds on an output, how often, and what is done then."""

REFUSED: Final = {STABLE: 0.06, CANDIDATE: 0.35}
ENDINGS: Final = (
    ("error", 0.005, {"error_type": "timeout"}), ("rate_limited", 0.005, {"outcome_source": "quota"}),
    ("filtered", 0.01, {"outcome_source": "provider_filter"}), ("blocked", 0.02, {"outcome_source": "guardrail"}),
)  # fmt: skip
"""How calls end that are neither refused nor completed, and how often."""

TRUSTS: Final = ("trusted", "internal", "internal", "external", "unknown")


def conversations(story: Story, service: str) -> Iterator[Event]:
    """Yield the events of all conversations of a service."""
    total = HOURS * 3_600 // EVERY_SECONDS[service]
    for number in range(total):
        hour = (number + float(story.chance.random())) * HOURS / total
        yield from _conversation(story, service, f"{number:05}", hour, STABLE)
        if service == ASSISTANT and within(hour, CANARY_HOURS):
            yield from _conversation(story, service, f"{number:05}-beside", hour, CANDIDATE)
        if number % 120 == 0:
            measured = {"adopted_answers": 40.0 + number % 13, "minutes_saved": 2.5 * (number % 7)}
            yield Telemetry(**story.envelope(service, f"measured-{number}", hour), measures=measured)


def _conversation(story: Story, service: str, name: str, hour: float, version: str) -> Iterator[Event]:
    """Yield a search, the answer, another one after some refusals, and some verdicts that travel alone."""
    number = int(name[:5])
    common = {"session_id": f"{service}-s{name}", "trace_id": f"{service}-t{name}",
              "user_pseudo_id": f"u{number % 400:03}", "model_version": version}  # fmt: skip
    if service == ASSISTANT:
        yield _search(story, name, hour, common)
    answer = _answer(story, name, hour, story.envelope(service, f"answer-{name}", hour) | common)
    yield answer
    if answer.outcome == "refused" and story.draw(0.4):
        yield _answer(story, name, hour, story.envelope(service, f"answer-{name}-again", hour + 0.02) | common)
    if number % 50 == 0:
        found = verdict("later-judge", "output", "content.hte" if number % 200 == 0 else "")
        target = answer.event_id if number % 400 else f"{service}/nobody-{name}"
        said = story.envelope(service, f"later-{name}", hour + 0.01)
        yield GuardVerdict(**said, guard=found, target_event_id=target)


def _search(story: Story, name: str, hour: float, common: dict[str, Any]) -> Retrieval:
    found = 0 if story.draw(0.03) else int(story.chance.integers(1, 5))
    documents = [_document(story, int(story.chance.integers(0, 60))) for _ in range(found)]
    shield = verdict("source-shield", "retrieval", "sec.rag_poisoning" if story.draw(0.004) else "", mode="monitor")
    return Retrieval(
        **story.envelope(ASSISTANT, f"search-{name}", hour - 0.0005), **common, data_source_id="handbook", top_k=4,
        documents=documents, returned_count=found, index_version="7", embedding_model="embed-3",
        duration_ms=story.milliseconds(80), guards=[shield],
    )  # fmt: skip


def _document(story: Story, number: int) -> RetrievedDocument:
    return RetrievedDocument(
        id=f"handbook/{number:03}", score=float(story.chance.uniform(0.5, 1)), version=str(1 + number % 3),
        source_uri=f"https://handbook.example/{number}", content_hash=f"sha256:{number:064x}",
        trust=TRUSTS[number % len(TRUSTS)], ingested_at=story.nano(-24.0 * (1 + number)),
    )  # fmt: skip


def _answer(story: Story, name: str, hour: float, said: dict[str, Any]) -> Inference:
    canary = said["model_version"] == CANDIDATE
    outcome, more = _ending(story, REFUSED[said["model_version"]])
    judged = outcome in ("completed", "refused")
    duration = story.milliseconds(1_300) * (12 if story.draw(0.01) else 1)
    return Inference(
        **said, operation_name="chat", request_model="atlas", deployment_variant="canary" if canary else "stable",
        prompt_name="help", prompt_version="12", outcome=outcome, output_type="text", input_chars=240, output_chars=900,
        usage_input_tokens=int(story.chance.integers(300, 900)), cost_usd=0.002,
        usage_output_tokens=int(story.chance.integers(40, 160)),
        duration_ms=duration, reached_user=outcome == "completed",
        stage_latency_ms=StageLatency(ingest=4.0, retrieval=70.0, inference=duration),
        guards=list(_guards(story, said["service_name"], hour, outcome)) if judged else [], **more,
    )  # fmt: skip


def _ending(story: Story, refused: float) -> tuple[str, dict[str, Any]]:
    """Return how a call ended, and what else is said of that."""
    if story.draw(refused):
        told = {"refusal_alternative": story.draw(0.7), "handed_over": story.draw(0.2)}
        return "refused", told | ({"refusal_reason": "out of scope"} if story.draw(0.8) else {})
    for outcome, share, more in ENDINGS:
        if story.draw(share):
            return outcome, more
    return "completed", {}


def _guards(story: Story, service: str, hour: float, outcome: str) -> Iterator[GuardResult]:
    asked = "sec.prompt_injection.direct" if story.draw(0.02) else ""
    yield verdict("prompt-shield", "input", asked, mode="monitor")
    yield verdict("prompt-pii", "input", "sec.data_leakage.pii" if story.draw(0.03) else "")
    for category, share, action in HARMS:
        guard = f"{'quality' if category.startswith('qual.') else 'harm'}-{category.rpartition('.')[2]}"
        found, score = story.draw(share), 0.5 + float(story.chance.random()) / 2
        yield verdict(guard, "output", category, action=action, score=score) if found else verdict(guard, "output")
    if within(hour, LEAKS[service]) and story.draw(LEAKING):
        yield verdict("pii-scanner", "output", "sec.data_leakage.pii", severity=3, mode="monitor")
    if outcome == "refused":  # a judge that scores every refusal, on either side of its threshold
        said = {"score": 0.9} if story.draw(0.08) else {"score": 0.1, "verdict": "allow"}
        yield verdict("refusal-judge", "output", "qual.over_refusal", mode="monitor", **said)
