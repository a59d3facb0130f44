"""Where an answer came from and what became of it, walked from either end, in a store as history fills it."""

import json

import pytest
from typer.testing import CliRunner

from schemas.changes import Change
from schemas.events import Inference, Retrieval, RetrievedDocument
from schemas.findings import Finding
from schemas.guards import GuardFinding, GuardResult
from schemas.incidents import IncidentTransition
from schemas.reviews import ReviewLabel
from streams.commands.main import app
from streams.lineage.chain import chain_of
from streams.lineage.prov import prov
from streams.lineage.shown import answers_of, lines
from streams.local.broker import free_port
from tests.streams.commands.test_canary import store

pytestmark = pytest.mark.store
NOW = 1_770_000_000_000_000_000
SECOND = 1_000_000_000


def envelope(name, second, trace=None):
    """Return the fields of every event."""
    more = {"trace_id": trace} if trace else {}
    return {"event_id": name, "source": "t", "service_name": "docs", "time_unix_nano": NOW + second * SECOND} | more


def searched(name, second, trace, *documents):
    """Return a retrieval of documents."""
    found = [RetrievedDocument(id=each, version="3", content_hash=f"h-{each}", trust="internal") for each in documents]
    return Retrieval(**envelope(name, second, trace), data_source_id="wiki", index_version="i7", documents=found)


def answered(name, second, trace, **more):
    """Return an answer of a prompt's version, which a guard looked at."""
    found = [GuardFinding(category="qual.ungrounded")]
    guard = GuardResult(guard_name="ground", layer="output", status="ok", verdict="flag", policy_id="p", findings=found)
    return Inference(**envelope(name, second, trace), response_model="m", prompt_version="p4", outcome="completed",
                     guards=[guard], **more)  # fmt: skip


@pytest.fixture
def settings(client, store_settings, monkeypatch):
    """Settings of a store in which two of three traces used the document d1, and one led to an incident."""
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", str(free_port()))
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", store_settings.clickhouse_database)
    store(client, [searched("r1", 0, "t1", "d1", "d2"), searched("r2", 9, "t2", "d1"), searched("r3", 9, "t3", "d3")])
    store(client, [answered("a1", 1, "t1", response_id="chat-1"), answered("a2", 10, "t2"), answered("a3", 10, "t3"),
                   answered("a0", 8, "t2")])  # fmt: skip
    store(client, [ReviewLabel(**envelope("l1", 60), target_event_id="a1", evaluation_name="unsafe", label="unsafe",
                               annotator_kind="human", sampling_method="random",
                               sampling_probability=1.0)])  # fmt: skip
    store(client, [Finding(finding_id="f1", kind="severe_event", severity="page", service_name="docs",
                           metric="quality", family="quality", detected_time_unix_nano=NOW + 2 * SECOND, detector="d",
                           detector_version="1", event_ids=["a1"])])  # fmt: skip
    store(client, [IncidentTransition(**envelope("x1", 3), incident_id="i1", dedup_key="i1", transition="detected",
                                      severity="sev2", transition_time_unix_nano=NOW + 3 * SECOND, actor_kind="system",
                                      finding_id="f1")])  # fmt: skip
    store(client, [Change(**envelope("c1", -60), change_id="c1", subject_type="prompt", subject_name="docs",
                          action="promoted", to_version="p4"),
                   Change(**envelope("c2", -60), change_id="c2", subject_type="prompt", subject_name="docs",
                          action="promoted", to_version="p3")])  # fmt: skip
    return load_of(store_settings)


def load_of(store_settings):
    """Return the settings with a port of SQL on which nobody listens."""
    return store_settings.model_copy(update={"sql_port": free_port()})


def test_an_answer_leads_to_its_sources_and_to_what_became_of_it(settings):
    """From the provider's id: documents, prompt, model, verdict, review, finding, incident, change of the prompt."""
    chain = chain_of(settings, "chat-1")
    assert [(each.kind, each.id) for each in chain.links] == [
        ("retrieval", "r1"), ("answer", "a1"), ("verdict", "a1/0"), ("review", "l1"), ("finding", "f1"),
        ("incident", "i1"), ("change", "c1"),
    ]  # fmt: skip
    [answer] = chain.of_kind("answer")
    assert [(each.id, each.version) for each in chain.sources(answer)] == [("d1", "3"), ("d2", "3")]
    assert (answer.words["model"], answer.words["prompt version"]) == ("m", "p4")
    assert chain.of_kind("verdict")[0].words["found"] == "qual.ungrounded"


def test_a_document_leads_to_the_answers_that_used_it(settings):
    """Both traces and no third; an answer that was given before the search did not use what it found."""
    for asked in ("d1", "h-d1"):
        chain = chain_of(settings, asked)
        assert answers_of(chain) == {"d1": ["a1", "a2"]}
        assert "document d1: used by 2 answers (a1, a2)" in list(lines(chain))


def test_every_link_leads_to_the_same_chain(settings):
    """The incident, the finding, the answer, the search and the trace are links of one chain."""
    whole = chain_of(settings, "chat-1").links
    for asked in ("i1", "f1", "a1", "r1", "t1"):
        assert chain_of(settings, asked).links == whole


def test_prov_says_what_was_derived_from_what(settings):
    """The answer was derived from both documents, by a call that used prompt and model; no relation hangs loose."""
    made = prov(chain_of(settings, "a1"))
    derived = {(each["prov:generatedEntity"], each["prov:usedEntity"]) for each in made["wasDerivedFrom"].values()}
    assert derived == {("wk:output/a1", "wk:document/d1@3"), ("wk:output/a1", "wk:document/d2@3")}
    used = {(each["prov:activity"], each["prov:entity"]) for each in made["used"].values()}
    assert {("wk:answer/a1", "wk:prompt/p4"), ("wk:answer/a1", "wk:model/m"), ("wk:review/l1", "wk:output/a1")} <= used
    named = {*made["entity"], *made["activity"], *made["agent"]}
    ends = {end for part in ("used", "wasGeneratedBy", "wasDerivedFrom", "wasAssociatedWith")
            for each in made[part].values() for end in each.values()}  # fmt: skip
    assert ends <= named


def test_the_command_prints_it_and_says_where_an_id_leads_nowhere(settings):
    """In lines, as PROV, and with an exit status of 1 for an id that nobody knows."""
    arguments = ["--clickhouse", settings.clickhouse]
    told = CliRunner().invoke(app, ["trace", "d1", *arguments])
    assert told.exit_code == 0, told.exception
    assert "document d1: used by 2 answers" in told.output
    exported = CliRunner().invoke(app, ["trace", "a1", "--prov", *arguments])
    assert json.loads(exported.output)["prefix"]["prov"] == "http://www.w3.org/ns/prov#"
    assert CliRunner().invoke(app, ["trace", "nobody", *arguments]).exit_code == 1
