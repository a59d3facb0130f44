"""What is unsafe about each event, once for everyone who counts: history's rows and watch's sums.

What of guards counts is said in `streams.events.guards`, how a call ended in `streams.events.outcomes`. Content was
*stopped* when an enforcing guard took one of `schemas.guards.STOPPING_ACTIONS`, when its call was blocked or filtered,
or, on its way out, when it reached nobody. A probe is an attack of our own: it is a trial of nothing, flagged for
nothing, and none of its findings counts.

A word that nobody here knows is neither safe nor unsafe: where a rate depends on it and nothing else says what it
is, the event is no trial of that rate, flagged or not (a trial only when flagged would make every rate 100 %).

A verdict that travels alone is a trial of what rests on guards only: of all else the event that it judged was one.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.categories import FAMILIES
from schemas.events import AgentStep, GuardVerdict, Inference, Telemetry
from schemas.metrics import OF_AGENTS, RATES
from schemas.vocabulary import AUTHORIZATIONS, STATUSES, TOOL_STEPS, WRAPPERS
from streams.events.decode import Columns
from streams.events.doubt import SURE_OUTCOMES, SURE_STEP_STATUSES, strange_words
from streams.events.guards import Bools, Guards, encoded, flatten_guards, objections, values
from streams.events.outcomes import Outcomes, is_in, not_served, outcomes_of, present

Bits = npt.NDArray[np.uint32]

BIT: Final = {rate.name: 1 << index for index, rate in enumerate(RATES)}
_ALL: Final = 2**32 - 1
INPUT_LAYERS: Final = ("input", "retrieval", "tool_result")
ACTION_LAYERS: Final = ("tool_call", "plan", "memory")
OUTPUT_LAYERS: Final = ("output", "unknown")
OWN_STEPS: Final = ("plan", "memory", "handoff")
"""Steps in which an agent does something with its own: whatever a guard looks at there is its doing."""

OVER_REFUSAL: Final = "qual.over_refusal"

OUTPUT_BIT: Final = BIT["refusal"]
"""Set of the calls that made an output for people, whatever guards said of it or left open."""

_CALL_TRIALS = BIT["error"] | BIT["injection_flag"] | BIT["blocked"] | BIT["filtered"] | BIT["prompt_pii"]
_OUTPUT_TRIALS = BIT["unsafe_attempted"] | BIT["unsafe_served"] | BIT["refusal"] | BIT["leak"] | BIT["quality"]
_AGENT_TRIALS: Final = sum(BIT[name] for name in OF_AGENTS)
_ASKED_FOR: Final = BIT["goal_hijack"] | BIT["privilege_abuse"]
"""What happens to an agent may show in the call of a model that asks for a tool, too."""
_JUDGED = _OUTPUT_TRIALS & ~BIT["refusal"] | BIT["injection_flag"] | BIT["denied_tool"] | _AGENT_TRIALS
"""What a guard may speak of anywhere but on an input; a refusal shows in the outcome too."""
_ASKED = BIT["injection_flag"] | BIT["prompt_pii"]
"""What a guard may speak of on an input."""
_STEP_TRIALS = BIT["denied_tool"] | BIT["injection_flag"] | BIT["leak"]
_FAMILY_BITS: Final = {
    "unsafe": BIT["unsafe_attempted"] | BIT["unsafe_served"],
    "injection": BIT["injection_flag"],
    "leak": BIT["leak"],
    "prompt_pii": BIT["prompt_pii"],
    "refusal": BIT["refusal"],
    "over_refusal": BIT["over_refusal"],
    "tool": BIT["denied_tool"],
    "quality": BIT["quality"],
}
_LAYER_TRIALS: Final = {
    "input": _ASKED,
    "retrieval": BIT["injection_flag"],
    "tool_result": BIT["injection_flag"],
    **dict.fromkeys(OUTPUT_LAYERS, _OUTPUT_TRIALS & ~BIT["refusal"]),
    **dict.fromkeys(ACTION_LAYERS, BIT["denied_tool"] | BIT["leak"]),
}
"""What an event is a trial of because a guard looked at this layer of it, whatever kind of event it is."""


@dataclass(frozen=True, slots=True)
class Flags:
    """For each event of a batch: which rates it is a trial of, and for which it is flagged (bits of `BIT`).

    `probe` marks the events that belong to a probe, `unserved` those that reached nobody.
    """

    trials: Bits
    flagged: Bits
    guards: Guards
    probe: Bools
    unserved: Bools


def event_flags(columns: Columns) -> Flags:
    """Return the flags of the events of one kind.

    Parameters
    ----------
    columns
        n events as `streams.events.decode` gives them.
    """
    guards = flatten_guards(columns)
    outcomes = outcomes_of(columns.table) if columns.kind is Inference else None
    trials, flagged = _own_flags(columns, outcomes)
    unserved = np.zeros(len(trials), bool)
    if outcomes is not None:
        unserved, stopped = not_served(columns.table, outcomes)
        guards = _stopped(guards, unserved, stopped)
    of_agents = _rates_of_agents(columns, guards)
    _add_guard_flags(guards, flagged, unserved, of_agents)
    _add_judged(columns, outcomes, guards, trials, of_agents)
    _add_guard_health(guards, trials, flagged)
    trials &= ~_doubtful(columns, guards)
    if columns.kind is not GuardVerdict:
        flagged &= trials
    probe = _probes(columns)
    if probe.any():
        trials[probe], flagged[probe] = 0, 0
        guards = _without(guards, probe)
    if outcomes is not None and outcomes.superseded.any():
        trials[outcomes.superseded], flagged[outcomes.superseded] = 0, 0
    return Flags(trials, flagged, guards, probe, unserved)


def _probes(columns: Columns) -> Bools:
    if columns.kind is Telemetry:
        return np.zeros(len(columns.table), bool)
    return present(columns.table, "probe_id")


def _without(guards: Guards, probe: Bools) -> Guards:
    """Return guard results of which those on probes find nothing that counts."""
    users = ~probe[guards.row[guards.finding_row]]
    return replace(guards, finding_counts=guards.finding_counts & users, finding_stopped=guards.finding_stopped & users)


def _own_flags(columns: Columns, outcomes: Outcomes | None) -> tuple[Bits, Bits]:
    """Return what the event itself says, before any guard."""
    table, count = columns.table, len(columns.table)
    trials, flagged = np.zeros(count, np.uint32), np.zeros(count, np.uint32)
    if outcomes is not None:
        trials[~(outcomes.wrapper | outcomes.limited)] |= np.uint32(_CALL_TRIALS)
        trials[outcomes.output] |= np.uint32(_OUTPUT_TRIALS)
        trials[is_in(table, "finish_reason_norm", ("tool_call",))] |= BIT["denied_tool"]
        flagged[outcomes.error] |= BIT["error"]
        flagged[outcomes.blocked] |= BIT["blocked"]
        flagged[outcomes.filtered] |= BIT["filtered"]
        flagged[outcomes.refused] |= BIT["refusal"]
    elif columns.kind is AgentStep:
        trials |= np.uint32(_STEP_TRIALS)
        denied = is_in(table, "authorization", ("denied", "rejected"))
        flagged[denied] |= BIT["denied_tool"]
        tool = is_in(table, "step_kind", TOOL_STEPS) & ~denied & ~is_in(table, "status", ("cancelled",))
        trials[tool] |= BIT["failing_tool"]
        flagged[is_in(table, "status", ("error",)) | present(table, "error_type")] |= BIT["failing_tool"]
    return trials, flagged


def _stopped(guards: Guards, unserved: Bools, stopped: Bools) -> Guards:
    """Return guard results of which the findings on what reached nobody are stopped, whoever stopped it."""
    if not len(guards.row) or not unserved.any():
        return guards
    kept = stopped[guards.row] | (unserved[guards.row] & values(guards.result, "layer", OUTPUT_LAYERS))
    return replace(guards, finding_stopped=guards.finding_stopped | (guards.finding_counts & kept[guards.finding_row]))


def _doubtful(columns: Columns, guards: Guards) -> Bits:
    """Return of which rates an unknown word keeps each event from being a trial."""
    doubt, sure = np.zeros(len(columns.table), np.uint32), np.zeros(len(columns.table), np.uint32)
    always = np.zeros(len(columns.table), np.uint32)
    if columns.kind is Inference:
        strange = strange_words(columns.table.column("outcome"), SURE_OUTCOMES)
        always[strange] = BIT["error"] | BIT["refusal"] | BIT["blocked"] | BIT["filtered"]
        doubt[strange] = _OUTPUT_TRIALS
    elif columns.kind is AgentStep:
        strange = strange_words(columns.table.column("authorization"), AUTHORIZATIONS)
        doubt[strange] = BIT["denied_tool"]
        sure[is_in(columns.table, "authorization", AUTHORIZATIONS)] = BIT["denied_tool"]
        always[strange_words(columns.table.column("status"), SURE_STEP_STATUSES)] = BIT["failing_tool"]
    if guards.unsure.any() or (doubt.any() and guards.sure.any()):
        asked = values(guards.result, "layer", INPUT_LAYERS)
        judged = np.where(asked, _ASKED, _JUDGED).astype(np.uint32)
        np.bitwise_or.at(doubt, guards.row[guards.unsure], judged[guards.unsure])
        np.bitwise_or.at(sure, guards.row[guards.sure], judged[guards.sure])
    return always | (doubt & ~sure)


def _rates_of_agents(columns: Columns, guards: Guards) -> Bits:
    """Return which rates of agents each result of a guard can be about: what it judges is something an agent does.

    That is a step, but for what tools and searches give back, and a call that asks for a tool.
    """
    if not len(guards.row):
        return np.zeros(0, np.uint32)
    acting = values(guards.result, "layer", ACTION_LAYERS)
    if columns.kind is AgentStep:
        acting = ~values(guards.result, "layer", ("retrieval", "tool_result"))
        acting |= is_in(columns.table, "step_kind", OWN_STEPS)[guards.row]
    return acting * np.uint32(_ASKED_FOR if columns.kind is Inference else _AGENT_TRIALS)


def _add_guard_flags(guards: Guards, flagged: Bits, unserved: Bools, of_agents: Bits) -> None:
    """Set the bits of each event that its guards' findings, and their objections without one, stand for.

    Hazards in the *input* are attacks or bad questions, not unsafe output: injection and personal data are read there.
    What happens to an agent has a rate of its own, and counts in no other.
    """
    if not guards.flagging.any():
        return
    said = objections(guards, unserved)
    layer, layers = encoded(pc.struct_field(guards.result, "layer"))
    table = np.array([[_bits_of(name, word) for word in said.codes] for name in layers], np.uint32)
    own = np.array([[_bits_of_agent(name, word) for word in said.codes] for name in layers], np.uint32)
    bits, its_own = table[layer[said.result], said.code], own[layer[said.result], said.code]
    bits = np.where(of_agents[said.result] & its_own > 0, its_own, bits)
    bits[said.stopped] &= _ALL - BIT["unsafe_served"]
    np.bitwise_or.at(flagged, guards.row[said.result], bits)
    blocking = guards.stopping & values(guards.result, "action", ("blocked", "aborted"))
    flagged[guards.row[blocking]] |= BIT["blocked"]


def _add_judged(columns: Columns, outcomes: Outcomes | None, guards: Guards, trials: Bits, of_agents: Bits) -> None:
    """Make events trials of what guards looked for in them: an agent's answer, a document, the arguments of a tool."""
    if columns.kind is GuardVerdict or not guards.sure.any():
        return
    layer, layers = encoded(pc.struct_field(guards.result, "layer"))
    bits = np.array([_LAYER_TRIALS.get(name, 0) for name in layers], np.uint32)[layer]
    bits |= of_agents
    judged = np.zeros(len(trials), np.uint32)
    np.bitwise_or.at(judged, guards.row[guards.sure], bits[guards.sure])
    if outcomes is not None:
        judged[~(outcomes.output | outcomes.wrapper | outcomes.cancelled)] &= _ALL - _OUTPUT_TRIALS
        judged[outcomes.wrapper & (judged > 0)] |= BIT["blocked"]
    elif columns.kind is AgentStep:
        trials[guards.row[guards.stopping]] &= _ALL - BIT["failing_tool"]  # it was kept from running
        judged[is_in(columns.table, "step_kind", WRAPPERS) & (judged > 0)] |= BIT["blocked"]
    trials |= judged


def _add_guard_health(guards: Guards, trials: Bits, flagged: Bits) -> None:
    """Count which events asked a guard, which of these got no proper answer, and which were judged for over-refusal."""
    known = pc.is_in(guards.status, pa.array(STATUSES)).to_numpy(zero_copy_only=False).astype(bool)
    trials[guards.row[known]] |= BIT["guard_failure"]
    failed = pc.is_in(guards.status, pa.array(("error", "timeout", "partial"))).to_numpy(zero_copy_only=False)
    flagged[guards.row[failed.astype(bool)]] |= BIT["guard_failure"]
    judged = pc.equal(guards.finding_category, OVER_REFUSAL).to_numpy(zero_copy_only=False).astype(bool)
    trials[guards.row[guards.finding_row[judged]]] |= BIT["over_refusal"]


@cache
def _bits_of(layer: str, category: str) -> int:
    """Return the rates that a finding flags where a guard looked at this layer.

    A code that is not known, or none at all, is the usual hazard of its layer: a guard objected, and who knows to what.
    """
    family: str | None = "over_refusal" if category == OVER_REFUSAL else FAMILIES.get(category, _usual(layer))
    if layer in INPUT_LAYERS:
        return _bits_of_input(layer, family or "", category)
    if layer in ACTION_LAYERS:
        # an injection or harmful text that reached an action shows as a hijacked tool
        return _FAMILY_BITS["tool" if family in ("injection", "unsafe") else family or ""] if family else 0
    return _FAMILY_BITS.get("unsafe" if family == "tool" else family or "", 0)


@cache
def _bits_of_agent(layer: str, category: str) -> int:
    """Return the rate that a finding has where a guard looked at a step of an agent; none where it has no own.

    An attack in an input is one, whether it succeeds or not; a message of another agent is what it is on any layer.
    """
    if layer in INPUT_LAYERS and category != "sec.inter_agent":
        return 0
    return sum(BIT[name] for name in OF_AGENTS if category == f"sec.{name}")


def _bits_of_input(layer: str, family: str, category: str) -> int:
    if category.startswith("sec.data_leakage."):
        return _FAMILY_BITS["prompt_pii"] if layer == "input" else 0
    return BIT["injection_flag"] if family in ("injection", "leak", "tool") else 0


def _usual(layer: str) -> str | None:
    """Return the family of the hazards that a layer usually has."""
    if layer in INPUT_LAYERS:
        return "injection"
    if layer in ACTION_LAYERS:
        return "tool"
    return "unsafe" if layer in OUTPUT_LAYERS else None
