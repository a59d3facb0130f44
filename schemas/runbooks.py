"""Which runbook is for what: by family of findings and incidents."""

from typing import Final

OF_FAMILY: Final = {
    "unsafe": "unsafe-output",
    "injection": "injection",
    "leak": "leak",
    "refusal": "over-refusal",
    "error": "call-errors",
    "tool": "tool-rules",
    "tool_error": "failing-tools",
    "cascade": "cascade",
    "guard": "fail-open",
    "blocked": "mitigation-rate",
    "filtered": "mitigation-rate",
    "prompt_pii": "leak",
    "quality": "drift",
    "quantity": "drift",
    "mix": "drift",
    "odd": "drift",
    "pattern": "drift",
    "telemetry": "telemetry-untrusted",
    "canary": "canary",
    "change": "canary",
    "conduct": "two-persons",
    "sign_in": "failed-sign-ins",
    "unknown": "guard-coverage",
}
"""Names of files in `dashboards/runbooks`, without their ending."""


def runbook_of(family: str) -> str:
    """Return what a page about a family says where nothing is agreed for the service: a command that prints it.

    >>> runbook_of("leak"), runbook_of("nothing of ours")
    ('watchkeeper runbook leak', '')
    """
    return f"watchkeeper runbook {OF_FAMILY[family]}" if family in OF_FAMILY else ""
