"""The review page: one item at a time, blind until judged, by keys of one form, and taken back by judging again."""

import asyncio
import re

import numpy as np
import pytest
from pydantic import SecretStr

from schemas.reviews import ReviewItem, ReviewLabel
from schemas.topics import REVIEWS
from schemas.wire import encode
from streams.events.decode import Decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.incidents.worker import Incidents
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.review.queue import LABELS
from streams.worker.parts import Parts
from tests.faults.log import decoded
from tests.streams.events.test_decode import Record
from tests.streams.review.test_queue import NOW, item
from tests.support.console import TOKEN, held, signed_in, store

VERDICT = "guard-that-nobody-may-see-yet"


@pytest.fixture
async def work(client, store_settings, kafka_settings):
    """A worker over a broker and a store with three items, each with a text and a verdict of a guard."""
    writer = HistoryWriter(client)
    for offset in range(3):
        [columns] = Decoder(ReviewItem)(
            [Record(encode(item(f"e{offset}", offset)), NOW // 10**6 + 1_000_000)]
        ).kinds.values()
        origin = Origin("items", "items", 0, np.array([offset]))
        writer.write(origin, list(rows_of(columns, origin)))
    origin_names = ["kafka_topic_id", "kafka_partition", "kafka_offset", "kafka_index"]
    names = ["event_id", "source", "service_name", "time", *origin_names]
    place = ["s", "a", NOW // 10**9, "t", 0]
    rows = [[f"e{number}", *place, number, 0] for number in range(3)]
    texts = [[*row, f"<b>question {row[0]}", f"answer {row[0]}"] for row in rows]
    client.insert("inferences", texts, column_names=[*names, "input_text", "output_text"])
    client.insert("guard_verdicts", [[*row, VERDICT] for row in rows], column_names=[*names, "guard_name"])
    async with store(store_settings) as found:
        settings = kafka_settings.model_copy(
            update={"clickhouse_database": found.clickhouse_database, "clickhouse": found.clickhouse,
                    "sql_port": found.sql_port, "api_token": SecretStr(TOKEN)}
        )  # fmt: skip
        made = Incidents(Parts(settings, {}, Publisher(client_arguments(settings)), lambda: True))
        await made.publisher.start()
        yield made
        await made.publisher.stop()


async def labels(work):
    """Return what Kafka holds: of which event, which label, by whom."""
    found = await asyncio.to_thread(decoded, work.settings, REVIEWS, ReviewLabel)
    return [(each.target_event_id, each.label, each.annotator_pseudo_id, each.categories) for each in found]


def of(page):
    """Return the event that a page is about."""
    return re.search(r'name="event" value="(\w+)"', page.text).group(1)


async def test_items_are_judged_one_after_the_other_and_blind(work):
    """The guard is told only after the judgement; what was judged or passed over does not come back at once."""
    kim = await signed_in(work)
    first = await kim.get("/console/review")
    assert (of(first), VERDICT in first.text, "<b>question" in first.text) == ("e0", False, False)
    assert "&lt;b&gt;question e0" in first.text
    keys = re.findall(r'value="(\w+)" data-key="(\w+)"', first.text)
    assert [key for _, key in keys] == ["1", "2", "3", "4", "u", "arrowright"]
    assert {label for label, _ in keys} == {*LABELS, "skip"}
    led = await kim.send(first, "/console/review", label="unsafe", note="an address", category="sec.data_leakage.pii")
    second = await kim.get(led.headers["location"])
    assert (of(second), "You said Unsafe." in second.text, VERDICT in second.text) == ("e1", True, True)
    led = await kim.send(second, "/console/review", label="skip")
    third = await kim.get(led.headers["location"])
    assert of(third) == "e2"
    led = await kim.send(third, "/console/review", label="cannot_judge")
    assert "Nothing waits for you" in (await kim.get(led.headers["location"])).text
    undone = await kim.get("/console/review?item=e0")
    assert ("Judge it again" in undone.text, VERDICT in undone.text) == (True, False)
    await kim.send(undone, "/console/review", label="safe")
    assert await labels(work) == [
        ("e0", "unsafe", "kim", ["sec.data_leakage.pii"]),
        ("e2", "cannot_judge", "kim", None),
        ("e0", "safe", "kim", None),
    ]
    assert of(await (await signed_in(work, "ann")).get("/console/review")) == "e0"


async def test_nobody_is_handed_what_somebody_else_looks_at(work):
    """Who loads the page again keeps the item; what was passed over is free again, by the page and by the API."""
    kim, ann = await signed_in(work), await signed_in(work, "ann")
    first = await kim.get("/console/review")
    assert [of(each) for each in (first, await kim.get("/console/review"), await ann.get("/console/review"))] == [
        "e0", "e0", "e1",
    ]  # fmt: skip
    asked = {"Authorization": f"Bearer {TOKEN}"}
    by_tool = (await ann.get("/review/next?reviewer=bo&most=9", headers=asked)).json()["items"]
    assert [each["target_event_id"] for each in by_tool] == ["e2"]
    await kim.send(first, "/console/review", label="skip")
    assert of(await (await signed_in(work, "dan")).get("/console/review")) == "e0"


async def test_people_who_disagree_are_listed_until_one_label_has_most(client, work):
    """Two labels that differ are to settle; a third person settles it; who cannot judge says nothing."""
    place = ["s", "a", NOW // 10**9, "t", 0]
    names = [
        "event_id",
        "source",
        "service_name",
        "time",
        "kafka_topic_id",
        "kafka_partition",
        "kafka_offset",
        "kafka_index",
        "target_event_id",
        "label",
        "annotator_pseudo_id",
        "annotator_kind",
        "evaluation_name",
    ]
    said = [("e0", "safe", "kim"), ("e0", "unsafe", "<b>ann"), ("e1", "safe", "kim"), ("e1", "safe", "ann"),
            ("e2", "unsafe", "kim"), ("e2", "cannot_judge", "ann")]  # fmt: skip

    def store_labels(rows, first):
        client.insert("review_labels", [[f"l{first + n}", *place, first + n, 0, *row, "human", "harm_review"]
                                        for n, row in enumerate(rows)], column_names=names)  # fmt: skip

    store_labels(said, 0)
    kim = await signed_in(work)
    page = (await kim.get("/console/review/disagreements")).text
    assert re.findall(r'item=(\w+)"', page) == ["e0"]
    assert ("1 event to settle" in page, "&lt;b&gt;ann" in page) == (True, True)
    store_labels([("e0", "unsafe", "bo")], 6)
    assert "People agree" in (await kim.get("/console/review/disagreements")).text


async def test_what_is_no_judgement_is_refused(work):
    """A label that there is not, an event that nobody knows, a store that is away: that is said, nothing is written."""
    kim = await signed_in(work)
    shown = await kim.get("/console/review")
    assert (await kim.send(shown, "/console/review", label="fine")).status_code == 422
    assert (await kim.send(shown, "/console/review", label="safe", event="nobody")).status_code == 404
    away = await signed_in(held(work.settings.model_copy(update={"sql_port": 1})))
    gone = await away.get("/console/review")
    assert "The store does not answer." in gone.text
    assert await labels(work) == []
