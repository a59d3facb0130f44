"""Guards and evaluations of every dialect become verdicts, about what they judged."""

import pytest

from streams.dialects.otlp import LogRecord
from tests.support.otlp import START, results, span, told

A, B = "a" * 16, "b" * 16


def only(*spans):
    (event,) = told(*spans)
    return event


GUARDS = [
    ({"rail.type": "input", "rail.name": "jailbreak", "rail.stop": True}, ("input", "block", "blocked")),
    ({"rail.type": "output", "rail.name": "topic", "rail.stop": False}, ("output", "allow", None)),
    ({"guard.name": "pii", "guard.action": "redact", "guard.phase": "preflight"}, ("input", "redact", "redacted")),
    ({"guard.name": "pii", "guard.action": "deny", "guard.phase": "postflight"}, ("output", "block", "blocked")),
    ({"validator.name": "toxic", "validator.validate.output.outcome": "fail", "validator.on_fail": "fix"},
     ("unknown", "flag", "replaced")),
    ({"openinference.span.kind": "GUARDRAIL", "validator_name": "toxic", "validator_on_fail": "EXCEPTION",
      "output.value": "fail"}, ("unknown", "flag", "blocked")),
    ({"guard.name": "all", "openinference.span.kind": "GUARDRAIL", "validation_passed": True},
     ("unknown", "allow", None)),
    ({"gen_ai.operation.name": "apply_guardrail", "gen_ai.guardrail.component.name": "Bedrock",
      "gen_ai.guardrail.result.type": "action", "gen_ai.guardrail.result.value": "GUARDRAIL_INTERVENED",
      "gen_ai.guardrail.source": "INPUT"}, ("input", "block", None)),
    ({"gen_ai.operation.name": "apply_guardrail", "gen_ai.guardrail.component.name": "Bedrock",
      "gen_ai.guardrail.result.type": "action", "gen_ai.guardrail.result.value": "NONE",
      "gen_ai.guardrail.source": "OUTPUT"}, ("output", "allow", None)),
    ({"gen_ai.operation.name": "guardrail_check", "gen_ai.guardrail.name": "g", "gen_ai.guardrail.triggered": False},
     ("unknown", "allow", None)),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "said"), GUARDS)
def test_a_guard_is_a_verdict_in_every_dialect(attributes, said):
    """Layer, verdict and action come out alike; a guard that says nothing has none."""
    (guard,) = results(only(span(A, attributes=attributes)))
    assert (guard["layer"], guard["verdict"], guard.get("action")) == said


def test_rails_that_answer_are_no_guards_and_steps_of_a_guard_are_none_of_their_own():
    """A generation rail of NeMo and a step of Guardrails AI are not counted as verdicts."""
    assert told(span(A, B, attributes={"rail.type": "generation", "rail.name": "answer", "rail.stop": False})) == []
    guard = span(
        A, end=20, attributes={"openinference.span.kind": "GUARDRAIL", "guard.name": "g", "validation_passed": False}
    )
    step = span(B, A, attributes={"openinference.span.kind": "GUARDRAIL", "guard.name": "g"})
    assert len([result for event in told(guard, step) for result in results(event)]) == 1


def test_an_evaluation_is_a_verdict_about_what_it_names():
    """As a log record it goes to the call of its span; alone it names the answer that it judged."""
    chat = span(A, gen_ai__operation__name="chat", gen_ai__request__model="m", gen_ai__response__id="r")
    said = {
        "gen_ai.evaluation.name": "hallucination",
        "gen_ai.evaluation.score.label": "fail",
        "gen_ai.evaluation.score.value": 0.9,
        "gen_ai.response.id": "r",
    }
    log = LogRecord("a" * 32, A, START, "gen_ai.evaluation.result", None, said, chat.origin)
    (event,) = told(chat, logs=[log])
    (guard,) = results(event)
    assert (guard["verdict"], guard["layer"], guard["findings"][0]["category"]) == ("flag", "output", "qual.ungrounded")
    (alone,) = told(logs=[log])
    assert (alone["target_id"], alone["trace_id"], alone["span_id"]) == ("r", "a" * 32, A)
