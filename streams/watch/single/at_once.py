"""What single events bring to light as they come, before their tick is closed."""

from schemas.findings import Finding
from streams.events.decode import Columns
from streams.events.guards import Guards
from streams.policy.policy import Policy
from streams.watch.single.severe import severe_findings
from streams.watch.single.tools import tool_findings


def findings_at_once(columns: Columns, guards: Guards, policy: Policy) -> list[Finding]:
    """Return what is severe enough by itself, and what breaks the rules for tools, in events of one kind.

    Parameters
    ----------
    columns, guards, policy
        As `severe_findings` takes them.
    """
    return [*severe_findings(columns, guards, policy), *tool_findings(columns, policy)]
