"""A memory is followed from the step that wrote an item to those that read it and the answers after, and back."""

import pytest

from schemas.events import AgentStep
from schemas.guards import GuardFinding, GuardResult
from streams.lineage.chain import chain_of
from streams.lineage.prov import prov
from streams.lineage.shown import answers_of_memory, lines
from streams.store.client import rows
from tests.streams.commands.test_canary import store
from tests.streams.lineage.test_chain import answered, envelope, load_of

pytestmark = pytest.mark.store

POISONED = GuardResult(guard_name="memory-shield", layer="memory", status="ok", verdict="flag",
                       findings=[GuardFinding(category="sec.memory_poisoning", severity=3)])  # fmt: skip


def step(name, second, trace, action, *items, agent="planner", **more):
    """Return a step that does something with items of a memory."""
    return AgentStep(**envelope(name, second, trace) | {"session_id": f"s-{trace}"} | more, step_kind="memory",
                     agent_name=agent, memory_action=action, memory_ids=list(items))  # fmt: skip


@pytest.fixture
def settings(client, store_settings):
    """Settings of a store in which one poisoned item goes through two traces, and others are nobody's business."""
    store(client, [
        step("w1", 0, "t1", "write", "m1", guards=[POISONED]),
        step("w2", 1, "t1", "write", "m2", taint_sources=["web"]),
        step("r1", 10, "t2", "read", "m1", "m9", agent="clerk"), step("w3", 12, "t2", "write", "m3"),
        step("r3", 20, "t3", "read", "m3"), step("r4", 21, "t4", "read", "m1", service_name="other"),
        step("r5", 30, "t5", "read", "m2"), step("w5", 31, "t5", "write", "m1"), step("r6", 40, "t6", "read", "m1"),
        step("r7", 41, "t7", "read", "m1", memory_store="elsewhere"), step("r8", 2, "t1", "read", "m1"),
    ])  # fmt: skip
    store(
        client, [answered("a2", 11, "t2"), answered("a3", 21, "t3"), answered("a0", 9, "t2"), answered("a5", 33, "t5")]
    )
    return load_of(store_settings)


def test_an_item_leads_to_who_wrote_it_to_who_read_it_and_to_the_answers(settings):
    """From the id: its writes with what is against them, the readers of its own store alone, and the answers after."""
    chain = chain_of(settings, "m1")
    assert {link.trace for link in chain.links} >= {"t1", "t2", "t5", "t6"}
    assert answers_of_memory(chain)["docs/m1"] == ["a2"]
    said = list(lines(chain))
    assert "memory docs/m1: written by w1 in trace t1 (poisoned memory), read by 3 steps" in said
    assert "memory docs/m1: written by w5 in trace t5, read by 1 steps" in said
    assert "memory docs/m1: used by 1 answers (a2)" in said
    assert any("step r1" in line and "memory read" in line for line in said)


def test_a_trace_leads_back_to_what_it_remembered_and_on_to_what_remembered_it(settings):
    """An answer leads over two memories back to the step that was poisoned; that one's trace leads on to the answer."""
    back = chain_of(settings, "a3")
    assert {link.trace for link in back.links} == {"t1", "t2", "t3"}
    assert back.written()["docs/m1"][0].words["against it"] == "poisoned memory"
    on = chain_of(settings, "w1")
    assert {"a2", "a3"} <= {link.id for link in on.of_kind("answer")}
    assert "memory docs/m2: written by w2 in trace t1 (tainted by web), read by 1 steps" in list(lines(on))
    assert "memory docs/m3: used by 1 answers (a3)" in list(lines(on))


def test_items_are_entities_of_prov(settings):
    """Who wrote an item generated it, who read it used it, and an answer after that was derived from it."""
    made = prov(chain_of(settings, "m3"))
    assert {"wk:memory/docs/m3", "wk:memory/docs/m1"} <= made["entity"].keys()
    assert {"prov:entity": "wk:memory/docs/m3", "prov:activity": "wk:step/w3"} in made["wasGeneratedBy"].values()
    assert {"prov:activity": "wk:step/r3", "prov:entity": "wk:memory/docs/m3"} in made["used"].values()
    assert {"prov:generatedEntity": "wk:output/a3", "prov:usedEntity": "wk:memory/docs/m3"} in made[
        "wasDerivedFrom"
    ].values()


def test_a_read_is_held_against_the_latest_write_before_it(settings, client):
    """Each read of the same store knows who wrote, what is against the write, and whether that was in another trace."""
    found = rows(client, "SELECT event_id, memory_id, written_by, written_against, elsewhere FROM memory_reads"
                         " ORDER BY event_id")  # fmt: skip
    assert found == [
        ("r1", "m1", "w1", "poisoned", True), ("r3", "m3", "w3", "", True), ("r5", "m2", "w2", "tainted", True),
        ("r6", "m1", "w5", "", True), ("r8", "m1", "w1", "poisoned", False),
    ]  # fmt: skip


def test_what_a_poisoned_write_influenced_is_counted(settings, client):
    """Of each write that something is against: reads, those elsewhere, whose they were, and the answers after them."""
    found = rows(client, "SELECT memory_id, written_by, written_against, reads, reads_elsewhere, traces, sessions,"
                         " agents, answers, event_ids FROM memory_influence ORDER BY memory_id")  # fmt: skip
    assert found == [
        ("m1", "w1", "poisoned", 2, 1, 2, 2, 2, 1, ["r1", "r8"]), ("m2", "w2", "tainted", 1, 1, 1, 1, 1, 1, ["r5"]),
    ]  # fmt: skip
