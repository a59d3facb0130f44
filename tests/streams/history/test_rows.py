"""The table of columns: every time of every contract is in it, and a guard's row says what it came with."""

from typing import get_args, get_type_hints

import numpy as np

from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval, RetrievedDocument, StageLatency
from schemas.fields import UnixNano
from schemas.tables import GUARD_VERDICTS
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.history.columns import INSTANTS, STAGES
from streams.history.rows import TABLE_OF, Origin, rows_of
from tests.streams.events.test_decode import NOW_MS, Record
from tests.streams.events.test_flags import guard

KEPT_AS_NUMBERS = {"happened_at_unix_nano"}
"""Said by a person in nanoseconds, and stored as said."""

BASE = {"source": "s", "service_name": "a", "time_unix_nano": NOW_MS * 1_000_000, "tenant_id": "t"}


def fields_of(kind):
    """Return the fields of a contract with their types, without those that stand for nothing."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint if hint == UnixNano else next(iter(get_args(hint)), hint) for name, hint in hints.items()}


def rows(*events):
    """Return the rows of events by table."""
    columns = events_decoder()([Record(encode(event)) for event in events]).kinds.values()
    origin = Origin("inference.v1", "id", 0, np.arange(len(events)))
    return [part for each in columns for part in rows_of(each, origin)]


def test_every_time_of_every_contract_becomes_a_time():
    """The table names exactly the fields that hold Unix nanoseconds, over all kinds of records."""
    found = {
        name for kind in (*TABLE_OF, RetrievedDocument) for name, hint in fields_of(kind).items() if hint == UnixNano
    }
    assert found - KEPT_AS_NUMBERS == INSTANTS.keys()


def test_the_stages_of_a_call_have_columns_of_their_own():
    """What is taken apart has a column for each stage, with its unit last."""
    assert [name for name, hint in fields_of(Inference).items() if hint is StageLatency] == list(STAGES)
    latency = StageLatency(**dict.fromkeys(StageLatency.__struct_fields__, 5.0))
    [part] = rows(Inference(event_id="1", **BASE, stage_latency_ms=latency))
    found = {name for name in part.columns.column_names if name.startswith("stage_latency_")}
    assert found == {f"stage_latency_{name}_ms" for name in StageLatency.__struct_fields__}


def test_a_guards_row_says_what_it_came_with():
    """The kind of event, its envelope and its target are on the guard's row; what else the event said is not."""
    step = AgentStep(event_id="2", **BASE, step_kind="execute_tool", tool_name="x", guards=[guard("content.ncr")])
    call = Inference(event_id="1", **BASE, request_model="m", guards=[guard("content.ncr")])
    search = Retrieval(event_id="3", **BASE, top_k=3, guards=[guard("content.ncr")])
    alone = GuardVerdict(event_id="4", **BASE, target_event_id="1", guard=guard("content.ncr"))
    kinds = {}
    for part in rows(call, step, search, alone):
        if part.table is GUARD_VERDICTS:
            row = part.columns.to_pylist()[0]
            kinds[row["event_id"]] = row["event_kind"]
            assert (row["tenant_id"], row["service_name"]) == ("t", "a")
            assert not {"request_model", "tool_name", "top_k"} & row.keys()
            assert row.get("target_event_id") == ("1" if row["event_id"] == "4" else None)
    assert kinds == {"1": "inference", "2": "agent_step", "3": "retrieval", "4": "guard_verdict"}
