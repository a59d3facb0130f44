"""The page about the KPIs, written from the registry.

python -m streams.kpis.documentation          # writes streams/kpis/README.md anew
"""

from pathlib import Path
from typing import Final

from streams.kpis.registry import KPIS

PAGE: Final = Path(__file__).with_name("README.md")

_HEAD: Final = """# KPIs

Each KPI is a view `kpi_NAME` of one shape, a row for each hour, service and (where it says so) model version:

| column | meaning |
| --- | --- |
| `window_start`, `service_name`, `model_version` | whose hour; no version where the KPI has none |
| `value` | NULL where it is not known; never 0 instead |
| `lower`, `upper` | 95 per cent interval; NULL where few observations leave a side open |
| `n` | what it rests on: the denominator, or the number of observations |
| `trust`, `trust_reason` | `trusted`, or `untrusted` and why |

Over any other period the same comes from the counts of the whole period, never from a mean of hours:
`watchkeeper kpi [--since 7d] [--service S] [--json] [--html FILE]`, or in SQL
`SELECT * FROM kpis(since='2026-03-02', until='2026-03-09', step=86400, versions=0, objective=0.99,
known_at='2026-03-09')`. `known_at` leaves out labels given later: so it looked then.

**Untrusted** is an hour with a gap in its telemetry, with events that an emitter dropped, with too many dead letters or
late events, or without any event inside the life of a service; and what rests on guards, where fewer than 99 per cent
of the outputs had a verdict. A longer period is as trusted as the worst of its hours.

"""


def page() -> str:
    """Return the page."""
    lines = ["| KPI | name | better | formula | known to mislead |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {kpi.title} | `{kpi.name}`{' (by version)' if kpi.by_version else ''} | {kpi.better} | {kpi.formula} "
        f"| {kpi.bias} |"
        for kpi in KPIS
    ]
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
