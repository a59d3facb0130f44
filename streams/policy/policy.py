"""The policy: one YAML file that says who owns what, what is allowed, and how often the detectors may be wrong.

Everything has a default, so that no file is a policy too. Unknown keys are errors, with the line they stand in.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from detectors.river.classes import anomaly_class, drift_class
from schemas.approvals import Act
from schemas.kpis.objectives import PAGES_PER_DAY, TICKETS_PER_DAY
from schemas.metrics import WATCHED, Metric
from schemas.quantities import AGENT_MIXES, AGENT_QUANTITIES, MIXES, QUANTITIES
from streams.access.teams import Team, TeamName
from streams.policy.controls import CanaryGate, Changes, ControlRule, misnamed
from streams.policy.duties import ReportingDuty, told_apart
from streams.policy.inheritance import completed, laid_over
from streams.policy.objectives import CallObjectives, Share
from streams.policy.posture import Objectives, Posture
from streams.policy.receivers import Receiver, ResponseTimes, names_differ
from streams.policy.retention import Retention
from streams.policy.risk import Risk, SeverityWeights
from streams.policy.telemetry import TelemetryRules
from streams.policy.text import PolicyError, parsed, problem
from streams.policy.tools import ToolRules

Level = Literal["page", "ticket", "off"]
Parameters = dict[str, float | int | bool | str]

FAMILIES: Final = tuple(dict.fromkeys(rate.family for rate in WATCHED))
_LEVELS: Final = {rate.name: rate.level for rate in WATCHED}


class Budget(BaseModel, extra="forbid", frozen=True):
    """How many false pages and tickets a day the whole fleet may raise, and how families share them."""

    pages_per_day: Annotated[float, Field(gt=0)] = PAGES_PER_DAY
    tickets_per_day: Annotated[float, Field(gt=0)] = TICKETS_PER_DAY
    weights: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Weight of a family in its budget; 1 where nothing is said."""

    @field_validator("weights")
    @classmethod
    def _known(cls, value: dict[str, float]) -> dict[str, float]:
        return _all_in(value, (*FAMILIES, "quantity", "mix"), "family")


class Service(BaseModel, extra="forbid", frozen=True):
    """What is agreed about a service."""

    extends: str = ""
    """Ready policy, or file, whose `defaults` hold where nothing is said here."""
    owner: str = ""
    tier: Literal["critical", "standard", "experimental"] = "standard"
    runbook: str = ""
    required_guards: list[str] = []
    ceilings: dict[Metric, Share] = {}
    """Most that a rate may ever be, from the first minute on."""
    calls: CallObjectives = CallObjectives()
    objectives: Objectives = {}
    """What is wanted of a KPI, by its name; for others the usual."""
    posture: Posture = Posture()
    """How much may go wrong, who agreed to that, and when what is new is taken back."""
    tools: ToolRules | None = None
    """What its agents may do with tools."""
    agents: dict[str, ToolRules] = {}
    """The same for one of its agents, by name; then nothing else holds for that one."""


class Vote(BaseModel, extra="forbid", frozen=True):
    """The River drift detector whose second opinion opens a ticket."""

    river_class: str = "river.drift.ADWIN"
    parameters: Parameters = {}

    @field_validator("river_class")
    @classmethod
    def _known(cls, value: str) -> str:
        drift_class(value)
        return value


class OddEvents(BaseModel, extra="forbid", frozen=True):
    """Single events and traces unlike the others."""

    level: Literal["ticket", "off"] = "ticket"
    alerts_per_day: Annotated[float, Field(gt=0)] = 2.0
    """Of the whole fleet, by rank: so many are reported whatever happens."""
    river_class: str = ""
    """A River anomaly detector as a second scorer, or nothing."""
    parameters: Parameters = {}
    every: Annotated[int, Field(ge=1)] = 10
    """The second scorer sees one event in so many."""

    @field_validator("river_class")
    @classmethod
    def _known(cls, value: str) -> str:
        if value:
            anomaly_class(value)
        return value


class Canary(BaseModel, extra="forbid", frozen=True):
    """When a candidate counts as worse, or as not worse."""

    alpha: Share = 0.05
    margin: Annotated[float, Field(gt=1)] = 1.5


class Review(BaseModel, extra="forbid", frozen=True):
    """How people's judgement is asked for."""

    labels_per_day: Annotated[float, Field(gt=0)] = 200.0
    second_reviewer_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    queue: Annotated[str, Field(min_length=1, max_length=256)] = "safety"
    always_at: Annotated[float, Field(gt=0)] = 0.75
    """From this risk on an event is asked about whatever its stratum; above 1 never."""


class Detectors(BaseModel, extra="forbid", frozen=True):
    """Which detector looks at what, and what it may do."""

    rates: dict[Metric, Level] = {}
    falls: Level = "page"
    """Flags or refusals that vanish: at most this, and at most what a rise of the rate is."""
    drift_vote: Vote = Vote()
    quantities: dict[str, Literal["ticket", "off"]] = {}
    mixes: dict[str, Literal["ticket", "off"]] = {}
    volume: Literal["ticket", "off"] = "ticket"
    patterns: Literal["ticket", "off"] = "ticket"
    odd_events: OddEvents = OddEvents()
    canary: Canary = Canary()

    @field_validator("quantities")
    @classmethod
    def _known_quantities(cls, value: dict[str, str]) -> dict[str, str]:
        return _all_in(value, [quantity.name for quantity in (*QUANTITIES, *AGENT_QUANTITIES)], "quantity")

    @field_validator("mixes")
    @classmethod
    def _known_mixes(cls, value: dict[str, str]) -> dict[str, str]:
        return _all_in(value, (*MIXES, *AGENT_MIXES), "mix")


_ALLOWING_ALL: Final = ToolRules()


class Policy(BaseModel, extra="forbid", frozen=True):
    """A whole policy."""

    extends: str = ""
    """Ready policy, or file, that holds where nothing is said here."""
    budget: Budget = Budget()
    defaults: Service = Service()
    services: dict[str, Service] = {}
    teams: dict[TeamName, Team] = {}
    """Which services are whose, by the name of the team. Where none is named, everybody sees all."""
    detectors: Detectors = Detectors()
    risk: Risk = Risk()
    severity_weights: SeverityWeights = SeverityWeights()
    review: Review = Review()
    telemetry: TelemetryRules = TelemetryRules()
    retention: Retention = Retention()
    receivers: list[Receiver] = []
    response: ResponseTimes = ResponseTimes()

    @property
    def names_retention(self) -> bool:
        """Whether it says for how long data are kept; one that does not promises nothing, and nothing goes."""
        return "retention" in self.model_fields_set

    @field_validator("receivers")
    @classmethod
    def _told_apart(cls, value: list[Receiver]) -> list[Receiver]:
        return names_differ(value)

    changes: Changes = Changes()
    canary_gate: CanaryGate = CanaryGate()
    controls: list[ControlRule] = []
    duties: list[ReportingDuty] = []
    two_persons: list[Act] = []
    """What one person asks for, and another has to agree to."""

    @field_validator("duties")
    @classmethod
    def _named_once(cls, value: list[ReportingDuty]) -> list[ReportingDuty]:
        return told_apart(value)

    def service(self, name: str) -> Service:
        """Return what is agreed about a service, the defaults where nothing is said of it."""
        return self.services.get(name, self.defaults)

    def ceiling(self, service: str, metric: Metric, usual: float) -> float:
        """Return the most a rate may be: of the service, else of the defaults, else the usual one."""
        own = self.service(service).ceilings
        return own.get(metric, self.defaults.ceilings.get(metric, usual))

    def tools(self, service: str, agent: str | None = None) -> ToolRules:
        """Return the rules for an agent's tools: its own, else the service's, else the usual ones, which allow all."""
        own = self.service(service)
        return own.agents.get(agent or "") or own.tools or self.defaults.tools or _ALLOWING_ALL

    def watches_tools(self, service: str | None = None) -> bool:
        """Tell whether there are rules for tools, of a service or of any."""
        asked = [self.defaults, *([self.service(service)] if service else self.services.values())]
        return any(each.tools is not None or each.agents for each in asked)

    def level(self, metric: Metric) -> Level:
        """Return what a risen rate is: what its definition says, unless the policy says otherwise."""
        return self.detectors.rates.get(metric, _LEVELS[metric])


def _all_in(value: dict[str, Any], known: Any, kind: str) -> dict[str, Any]:
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise ValueError(f"unknown {kind} {', '.join(unknown)}; known are {', '.join(known)}")
    return value


def load_policy(path: Path | None) -> Policy:
    """Read a policy; without a path, everything is as by default.

    Raises
    ------
    PolicyError
        Where it cannot be read or used, with the line of each mistake.
    """
    if path is None:
        return Policy()
    try:
        text = path.read_text()
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}") from None
    return parse_policy(text, str(path))


def parse_policy(text: str, name: str = "policy") -> Policy:
    r"""Return the policy that a YAML text describes.

    Raises
    ------
    PolicyError
        As `load_policy`.

    >>> parse_policy("budget: {pages_per_day: 0.5}").budget.pages_per_day
    0.5
    >>> parse_policy("budget:\n  page_per_day: 1\n", "p.yaml")
    Traceback (most recent call last):
    ...
    streams.policy.text.PolicyError: p.yaml:2: budget.page_per_day: Extra inputs are not permitted
    """
    return _checked(_mapping(text, name), name)


def policy_over(path: Path | None, text: str, name: str = "policy") -> Policy:
    """Return the policy in a file with what a text says otherwise: to be tried, and by whoever may not read our files.

    Parameters
    ----------
    path
        Of the policy in use; None where everything is as by default.
    text
        YAML. It may extend a ready policy, which then stands in the place of the one in use, and no file.
    name
        Of the text, in errors.

    Raises
    ------
    PolicyError
        As `load_policy`.
    """
    return _checked(laid_over(path, _mapping(text, name), name), name)


def _mapping(text: str, name: str) -> dict[str, Any]:
    content = parsed(text, name)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PolicyError(f"{name}:1: a policy is a mapping, for example `budget: {{pages_per_day: 1}}`")
    return content


def _checked(content: dict[str, Any], name: str) -> Policy:
    whole = completed(content, name, parse_policy)
    try:
        policy = Policy.model_validate(whole)
    except ValidationError as error:
        raise PolicyError("\n".join(problem(name, content, item) for item in error.errors())) from None
    if wrong := [problem(name, content, item) for item in misnamed(policy.controls, policy.services)]:
        raise PolicyError("\n".join(wrong))
    return policy
