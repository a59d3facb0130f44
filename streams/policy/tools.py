"""What an agent may do with tools, as a policy says it, and in what a step breaks it.

No guard is needed: the step itself says which tool, with whose approval, where to, and whether text of strangers
steered it. What did not happen, because it was denied or only simulated, breaks nothing.
"""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, Field

from schemas.vocabulary import VETTED, ToolTier

Patterns = list[Annotated[str, Field(min_length=1, max_length=256)]]
"""Names in which ``*`` stands for anything."""

Level = Literal["page", "ticket", "dry_run", "off"]
Most = Annotated[int, Field(ge=1)]

NOT_DONE: Final = frozenset({"denied", "rejected", "simulated", "approval_required"})
"""Authorisations of steps that did not happen."""

LEAVING: Final = ("external",)
"""Tiers of tools that send something out."""


class ToolOverride(BaseModel, extra="forbid", frozen=True):
    """Other rules for some tools, classes of data or groups of users; what it does not say stays as it is.

    It holds for a step that fits all that it names of the first three.
    """

    tools: Patterns = []
    data_classes: list[str] = []
    groups: list[str] = []
    """Groups of users, as the label `user_group` of an event says it."""
    level: Level | None = None
    allowed: Patterns | None = None
    denied: Patterns = []
    """Besides those that are denied anyway."""
    approval: list[ToolTier] | None = None
    hosts: Patterns | None = None
    data: list[str] | None = None
    tainted: list[ToolTier] | None = None

    def fits(self, step: "ToolStep") -> bool:
        """Tell whether it holds for a step."""
        return (
            (not self.tools or _among(step.tool, self.tools))
            and (not self.data_classes or step.data in self.data_classes)
            and (not self.groups or step.group in self.groups)
        )


class ToolRules(BaseModel, extra="forbid", frozen=True):
    """Which tools an agent may call, and how; what is not said is allowed."""

    level: Level = "page"
    """What a breach is; a dry run tells what would have been one."""
    allowed: Patterns = []
    """Only these tools may be called; any where none is named."""
    denied: Patterns = []
    """These may not, whatever else is allowed."""
    tiers: dict[str, ToolTier] = {}
    """Tier of a tool by its name; it goes before what the step says."""
    approval: list[ToolTier] = []
    """Tiers of tools that need an approval, which no model can give."""
    hosts: Patterns = []
    """Hosts that a tool may reach; any where none is named."""
    data: list[Annotated[str, Field(min_length=1, max_length=256)]] = []
    """Classes of data that may leave by an external tool; any where none is named."""
    most_argument_bytes: Annotated[int, Field(ge=0)] | None = None
    """Most that the arguments of a call may be."""
    tainted: list[ToolTier] = []
    """Tiers of tools that text of strangers may not steer."""
    lethal: bool = True
    """Whether it is a breach that text of strangers comes in and an external tool then reaches a host on no list."""
    vetted: list[Annotated[str, Field(min_length=1, max_length=256)]] = [*VETTED, "unknown"]
    """Trust of documents that are no text of strangers; `unknown` stands for those that say nothing of it too."""
    strangers: Patterns = []
    """Tools whose results are text of strangers."""
    most_steps: Most | None = None
    """Most steps of one trace; more is an agent that runs away."""
    most_handovers: Most | None = None
    """Most hand-overs between agents in one trace."""
    most_repeats: Most | None = None
    """How often a trace may call one tool with the same arguments (`args_hash`); more is a loop."""
    overrides: list[ToolOverride] = []
    """Other rules for some tools, classes of data or groups of users; of several that fit the last one holds."""

    def at(self, step: "ToolStep") -> Self:
        """Return the rules that hold for a step.

        >>> guests = ToolOverride(groups=["guest"], denied=["mail"], level="ticket")
        >>> rules = ToolRules(denied=["shell"], overrides=[guests])
        >>> rules.at(ToolStep("mail", group="guest")).denied, rules.at(ToolStep("mail")).level
        (['shell', 'mail'], 'page')
        """
        rules = self
        for one in self.overrides:
            if one.fits(step):
                said = one.model_dump(exclude={"tools", "data_classes", "groups"}, exclude_none=True)
                rules = rules.model_copy(update=said | {"denied": [*rules.denied, *one.denied]})
        return rules

    def limits(self) -> bool:
        """Tell whether anything limits how far an agent may run."""
        return any(most is not None for most in (self.most_steps, self.most_handovers, self.most_repeats))


class ToolStep(NamedTuple):
    """What a step says of the tool that it calls; what it does not say is None."""

    tool: str
    tier: str | None = None
    authorization: str | None = None
    approver: str | None = None
    host: str | None = None
    data: str | None = None
    argument_bytes: int | None = None
    tainted: bool = False
    status: str | None = None
    group: str | None = None


class Breach(NamedTuple):
    """In what a step breaks the rules: the category that it counts as, and the words for people."""

    category: str
    words: str


def breaches(rules: ToolRules, step: ToolStep) -> Iterator[Breach]:
    """Yield each breach of the rules by one step, the worst first.

    Examples
    --------
    >>> rules = ToolRules(allowed=["search*", "mail"], tiers={"mail": "external"}, tainted=["external"])
    >>> [each.words for each in breaches(rules, ToolStep("mail", tainted=True))]
    ['an external tool that text of strangers steered']
    >>> list(breaches(rules, ToolStep("search_web", tainted=True)))
    []
    >>> [each.category for each in breaches(rules, ToolStep("shell"))]
    ['sec.tool_misuse']
    """
    if not done(step):
        return
    tier = tier_of(rules, step)
    if tier in rules.tainted and step.tainted:
        yield _steered(tier)
    if rules.hosts and step.host and not _among(step.host.lower(), rules.hosts):
        yield Breach("sec.exfiltration.tool", f"the host {step.host} is on no list")
    if rules.data and tier in LEAVING and step.data and step.data not in rules.data:
        yield Breach("sec.exfiltration.tool", f"data of the class {step.data} may not leave")
    if _among(step.tool, rules.denied) or (rules.allowed and not _among(step.tool, rules.allowed)):
        yield Breach("sec.tool_misuse", "the tool is not allowed")
    if tier in rules.approval and (step.authorization != "approved" or step.approver == "llm"):
        yield Breach("sec.privilege_abuse", f"a tool of the tier {tier} without an approval")
    if rules.most_argument_bytes is not None and (step.argument_bytes or 0) > rules.most_argument_bytes:
        yield Breach(
            "sec.tool_misuse", f"{step.argument_bytes} bytes of arguments, {rules.most_argument_bytes} at most"
        )


def breach_after_strangers(rules: ToolRules, step: ToolStep) -> Breach | None:
    """Return in what a step breaks the rules because text of strangers came into its trace before it.

    Where the step itself names that text, and the rules say more of it, `breaches` has told it already.

    >>> step = ToolStep("mail", tier="external", host="evil.test")
    >>> breach_after_strangers(ToolRules(), step).words
    'text of strangers, and then an external tool that reaches evil.test'
    >>> breach_after_strangers(ToolRules(hosts=["*.test"]), step)
    """
    tier = tier_of(rules, step)
    if not done(step) or (step.tainted and tier in rules.tainted):
        return None
    if rules.lethal and tier in LEAVING and step.host and not _among(step.host.lower(), rules.hosts):
        return Breach("sec.exfiltration.tool", f"text of strangers, and then an {tier} tool that reaches {step.host}")
    return _steered(tier) if tier in rules.tainted else None


def brings_strangers(rules: ToolRules, step: ToolStep) -> bool:
    """Tell whether what a tool gave back is text of strangers."""
    return done(step) and _among(step.tool, rules.strangers)


def done(step: ToolStep) -> bool:
    """Tell whether a step happened: it was neither denied nor simulated, and is not still waiting."""
    return step.authorization not in NOT_DONE and step.status != "cancelled"


def tier_of(rules: ToolRules, step: ToolStep) -> str:
    """Return the tier of the tool of a step."""
    return rules.tiers.get(step.tool, step.tier or "unknown")


def _steered(tier: str) -> Breach:
    words = f"{'an' if tier[0] in 'aeiou' else 'a'} {tier} tool that text of strangers steered"
    return Breach("sec.exfiltration.tool" if tier in LEAVING else "sec.tool_misuse", words)


def _among(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
