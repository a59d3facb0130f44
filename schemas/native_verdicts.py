"""What a guard's own word for its result means, where it gave no verdict of ours.

The GenAI conventions forbid instrumentations to infer a verdict: they carry what the guard itself said. So it is
derived here, by a table, and only where the word can mean one thing. Versioned, because a row says by which table it
was judged.
"""

from typing import Final

VERSION: Final = "1"

NATIVE_VERDICTS: Final[dict[str, tuple[str, str]]] = {
    "guardrail_intervened": ("block", "blocked"),
    "intervened": ("block", "blocked"),
    "blocked": ("block", "blocked"),
    "block": ("block", "blocked"),
    "deny": ("block", "blocked"),
    "denied": ("block", "blocked"),
    "tripwire_triggered": ("block", "blocked"),
    "match_found": ("flag", ""),
    "flagged": ("flag", ""),
    "flag": ("flag", ""),
    "warn": ("flag", "annotated"),
    "attack_detected": ("flag", ""),
    "unsafe": ("flag", ""),
    "redact": ("redact", "redacted"),
    "redacted": ("redact", "redacted"),
    "anonymized": ("redact", "redacted"),
    "masked": ("redact", "redacted"),
    "modify": ("redact", "replaced"),
    "escalate": ("escalate", "escalated"),
    "human_in_the_loop_required": ("escalate", "escalated"),
    "allow": ("allow", "none"),
    "allowed": ("allow", "none"),
    "pass": ("allow", "none"),
    "passed": ("allow", "none"),
    "safe": ("allow", "none"),
    "none": ("allow", "none"),
    "no_match_found": ("allow", "none"),
}
"""Verdict and action by the native value in small letters; an empty action leaves open what was done.

The values are those of Bedrock (`GUARDRAIL_INTERVENED`, `NONE`), Model Armor (`MATCH_FOUND`, `NO_MATCH_FOUND`), Llama
Guard (`safe`, `unsafe`), LlamaFirewall, OpenLIT and the drafts of `gen_ai.guardrail.result`.
"""

NATIVE_BOOLEANS: Final[dict[str, tuple[str, str]]] = {
    "rail.stop": ("block", "blocked"),
    "tripwire_triggered": ("block", "blocked"),
    "attackdetected": ("flag", ""),
    "flagged": ("flag", ""),
    "detected": ("flag", ""),
}
"""Verdict and action of results whose value is ``true``, by the native type; ``false`` allows."""
