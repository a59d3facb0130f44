"""The first policy of a service, made from the answers to five questions."""

from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML

from streams.policy.inheritance import READY
from streams.policy.policy import parse_policy

QUESTIONS: Final = {
    "use_case": f"What is it for ({', '.join(READY)})",
    "service": "What is the service called in its telemetry (service_name)",
    "owner": "Who looks after it",
    "runbook": "Where does it say what to do when it fails (an address; empty for none yet)",
    "guards": "Which guards look at every output (names with commas; empty for those of the use case)",
}
"""By the name of the option that answers it."""


def first_policy(use_case: str, service: str, owner: str, runbook: str, guards: str) -> str:
    """Return the text of a policy that extends the ready one of a use case for one service.

    Raises
    ------
    PolicyError
        Where there is no such use case.

    >>> print(first_policy("decision-support", "planner", "team-plan", "", "judge"), end="")
    extends: decision-support
    services:
      planner:
        extends: decision-support
        owner: team-plan
        required_guards:
        - judge
    """
    agreed: dict[str, Any] = {"extends": use_case, "owner": owner}
    if runbook:
        agreed["runbook"] = runbook
    if named := [name.strip() for name in guards.split(",") if name.strip()]:
        agreed["required_guards"] = named
    writer, text = YAML(), StringIO()
    writer.dump({"extends": use_case, "services": {service: agreed}}, text)
    parse_policy(text.getvalue())
    return text.getvalue()
