"""What is wanted, in numbers: views, boards, alert rules and the defaults of the policy read them here."""

from typing import Any, Final

from msgspec import Struct

SERVICE_OBJECTIVE: Final = 0.99
"""Share of outputs that must be harmless; the rest is the error budget that burn rates are about."""

ERROR_SHARE: Final = 0.01
SLOW_MS: Final = 10_000.0
SLOW_SHARE: Final = 0.05
"""What the default policy tolerates of calls: this share of errors, and this share that takes longer than that."""

GUARD_TIME_SHARE: Final = 0.2
"""Share of the time of requests that guards may take."""

PAGES_PER_DAY: Final = 1.0
"""What the default policy promises about false pages of the whole fleet."""

TICKETS_PER_DAY: Final = 10.0

ACKNOWLEDGE_MINUTES: Final = {"sev1": 5, "sev2": 15, "sev3": 60}
MITIGATE_MINUTES: Final = {"sev1": 60, "sev2": 240}
RECOVER_MINUTES: Final = {"sev1": 240, "sev2": 1_440}
"""How long an incident may wait, by severity. The first two are the defaults of the policy; a policy knows no third."""

REFUSED_SHARE: Final = 0.01
LATE_SHARE: Final = 0.05
COVERED_SHARE: Final = 0.99
"""Where more events of an hour are refused or late, or fewer outputs are covered by guards, the hour is not trusted."""

SEVERITY_WEIGHTS: Final = {"low": 0.3, "medium": 1.0, "high": 3.0, "critical": 10.0}
"""What an unsafe output costs in risk-adjusted uptime, unless the policy says otherwise.

One whose severity nobody said costs what a medium one does. No standard weighs severities (NIST SP 800-30, appendix H,
ranks them only): each level costs about the square root of ten times the one below, so that two levels are a factor
of ten.
"""


class Burn(Struct, frozen=True):
    """A burn rate over two windows in minutes, and the threshold that both must pass.

    >>> BURNS[1].part, BURNS[1].name
    ('6h/30m > 6', '6h')
    """

    long: int
    short: int
    threshold: float

    @property
    def name(self) -> str:
        """Its long window, as alerts are called."""
        return _span(self.long)

    @property
    def part(self) -> str:
        """Its name in the view ``kpi_burn_rates``."""
        return f"{_span(self.long)}/{_span(self.short)} > {self.threshold:g}"

    def of(self, kpi: str) -> str:
        """Return the name of a burn rate over its windows among the gauges.

        >>> BURNS[1].of("burn_rate")
        'burn_rate_6h'
        """
        return f"{kpi}_{self.name}"


def _span(minutes: int) -> str:
    for size, unit in ((1_440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


BURNS: Final = (Burn(60, 5, 14.4), Burn(360, 30, 6.0), Burn(4_320, 360, 1.0))
"""Windows and thresholds of the Site Reliability Workbook, chapter 5."""

VIEW_VALUES: Final[dict[str, Any]] = {
    "objective": SERVICE_OBJECTIVE,
    "refused_share": REFUSED_SHARE,
    "late_share": LATE_SHARE,
    "covered_share": COVERED_SHARE,
    "severity_weights": SEVERITY_WEIGHTS,
    "call_objectives": {"error_share": ERROR_SHARE, "slow_ms": SLOW_MS, "slow_share": SLOW_SHARE},
    "burns": [(burn.part, burn.long, burn.short) for burn in BURNS],
}
"""The numbers that stand in views, by name."""
