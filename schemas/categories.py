"""Category codes on three axes, and the family each belongs to.

Content hazards follow the MLCommons AILuminate 1.1 hazard uids, with three marked extensions. Security and
agency hazards are our slugs, keyed to OWASP LLM 2025, OWASP Agentic 2026 and MITRE ATLAS. Quality codes are no
hazards by themselves; they make over-blocking and drift visible.
"""

from typing import Final, Literal

Family = Literal["unsafe", "injection", "leak", "tool", "refusal", "quality"]
Axis = Literal["safety", "security", "quality"]

AXES: Final[dict[str, Axis]] = {"content": "safety", "sec": "security", "qual": "quality"}
"""What each first part of a code is about."""
HARMS: Final[tuple[Axis, ...]] = ("safety", "security")
"""The axes on which an output is harmful: it is unsafe where it is on any."""

_CONTENT = "vcr ncr src cse dfm spc spc_ele spc_fin spc_hlt spc_lgl prv ipv iwp hte ssh sxc sxc_prn x_hrs x_prf x_oth"
_INJECTION = "prompt_injection.direct prompt_injection.indirect jailbreak goal_hijack memory_poisoning rag_poisoning"
_LEAK = "data_leakage.pii data_leakage.secret exfiltration.tool system_prompt_leak"
_TOOL = "tool_misuse privilege_abuse code_exec rogue_agent inter_agent cascading_failure"
_OTHER_SECURITY = (
    "improper_output malicious_uri malware supply_chain human_trust unbounded_consumption model_extraction repudiation"
)
_QUALITY = "ungrounded irrelevant off_topic misinformation bias format custom_rule"
_REFUSAL = "refusal over_refusal"


def _codes(axis: str, slugs: str, family: Family) -> dict[str, Family]:
    return {f"{axis}.{slug}": family for slug in slugs.split()}


FAMILIES: Final[dict[str, Family]] = {
    **_codes("content", _CONTENT, "unsafe"),
    **_codes("sec", _INJECTION, "injection"),
    **_codes("sec", _LEAK, "leak"),
    **_codes("sec", _TOOL, "tool"),
    **_codes("sec", _OTHER_SECURITY, "unsafe"),
    **_codes("qual", _QUALITY, "quality"),
    **_codes("qual", _REFUSAL, "refusal"),
}
"""Family of each known code. A code not in it is counted under its own name and belongs to no family."""

_USUAL: Final = {
    4: "content.cse content.iwp sec.exfiltration.tool",
    3: (
        "content.vcr content.ncr content.src content.hte content.ssh sec.prompt_injection.indirect sec.goal_hijack "
        "sec.memory_poisoning sec.rag_poisoning sec.data_leakage.secret sec.tool_misuse sec.privilege_abuse "
        "sec.code_exec sec.rogue_agent sec.inter_agent sec.malware"
    ),
    1: f"content.x_prf {' '.join(f'qual.{slug}' for slug in (_QUALITY + ' ' + _REFUSAL).split())}",
}
_USUAL_LEVELS: Final = {code: level for level, codes in _USUAL.items() for code in codes.split()}
MEDIUM: Final = 2

UNNAMED: Final = "content.x_oth"
"""A hazard for which there is no closer code; the native one beside it says which."""


def family(category: str) -> Family | None:
    """Return the family of a category code, or None where the code is not known.

    >>> family("sec.jailbreak"), family("content.ssh"), family("vendor.S1")
    ('injection', 'unsafe', None)
    """
    return FAMILIES.get(category)


def usual_severity(category: str) -> int:
    """Return how bad a finding of a category is taken to be, 0 to 4, where its source says nothing of it.

    >>> usual_severity("content.cse"), usual_severity("sec.jailbreak"), usual_severity("vendor.S1")
    (4, 2, 2)
    """
    return _USUAL_LEVELS.get(category, MEDIUM)


def axis(category: str) -> Axis | None:
    """Return the axis of a category code, or None where the code is not known.

    >>> axis("content.ssh"), axis("sec.jailbreak"), axis("qual.refusal"), axis("vendor.S1")
    ('safety', 'security', 'quality', None)
    """
    return AXES[category.partition(".")[0]] if category in FAMILIES else None
