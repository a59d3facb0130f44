"""Windows that nobody but a watch worker should write: what cannot be is refused, what can be is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.windows import Sample, Sums, partition_of
from schemas.wire import InvalidRecordError, decoder, encode
from streams.detect.merge import TickMerger
from streams.kafka.topics import TopicState
from tests.hostile.windows import SECONDS, SOURCE, TICK, WINDOWS, Record, group, knowing, window
from tests.support.detectors.subjects import successor_of

elsewhere = next(name for name in ("a", "b", "c", "d", "e") if partition_of(name, WINDOWS.partitions) == 1)


@pytest.mark.parametrize(
    "absurd",
    [
        window(tick=2**50),
        window(tick=2**50, first_tick=TICK),
        window(tick=TICK + 60, first_tick=TICK),
        window(source_partitions=9_999),
        window(source_partition=4),
        window(source_partition=4, source_partitions=5),
        window(source_partitions=0),
        window(source_topic="other.v1"),
        window(source_topic_id="older"),
        window(tick_seconds=1),
        window(tick_seconds=0),
        window(first_tick=TICK + 1),
        window([group()] * 3_000),
        window([group(service_name=elsewhere)]),
        window([group(events=2**53)]),
        window([group(rates={"leak": Sums(2**53, 1)})]),
        window([group(rates={"leak": Sums(3, 2**53)})]),
        window([group(rates={"leak": Sums(3, 1, 3, 2**53)})]),
        window([group(rates={f"r{n}": Sums(1) for n in range(1_000)})]),
        window([group(quantities={"latency": {"not a bin": 1}})]),
        window([group(quantities={"latency": {"-1": 1}})]),
        window([group(quantities={"latency": {"99999999": 1}})]),
        window([group(quantities={"latency": {"²": 1}})]),
        window([group(quantities={"latency": {"1": 2**53}})]),
        window([group(mixes={"tool": {"x" * 1_000_000: 1}})]),
        window([group(mixes={"tool": {str(n): 1 for n in range(1_000)}})]),
        window([group(quantities={"latency": {"1": 0}})]),
        window([group(mixes={"tool": {"x": 0}})]),
        window([group(guards={"no such": 1})]),
        window([group(samples=[Sample(event_id="e", vector="v" * 2_000)])]),
        window([group(samples=[Sample(event_id="e", vector="v")] * 100)]),
    ],
)
def test_a_window_that_cannot_be_is_refused(absurd):
    """Each is within the contract, and contradicts what its reader knows; the reason says how."""
    assert decoder(type(absurd))(encode(absurd), 0) == absurd
    with pytest.raises(InvalidRecordError) as refused:
        knowing().check(absurd, Record(), 0)
    assert refused.value.reason == "implausible"
    assert str(refused.value)


@given(
    source=st.integers(0, 3),
    late=st.integers(0, 10_000_000),
    events=st.integers(1, 9_000_000),
    flagged=st.integers(1, 100),
    more=st.integers(1, 100),
)
def test_a_window_of_ours_is_taken(source, late, events, flagged, more):
    """Whatever partition, however old and however busy: what watch can have written passes."""
    sums = group(
        events=events, rates={"leak": Sums(flagged + more, flagged)}, quantities={"latency": {"5": events}},
        mixes={"tool": {"x" * 256: more, "": flagged}}, guards={"ok": events},
    )  # fmt: skip
    first = window([sums], source_partition=source, tick=TICK - late, first_tick=0)
    knowing().check(first, Record(), 0)
    knowing().check(window([], source_partition=source), Record(), 1)


@pytest.mark.parametrize("sums", [Sums(0, 1), Sums(3, 4), Sums(0, 0, 0, 1), Sums(3, 1, 3, 4)])
def test_flags_without_trials_are_taken(sums):
    """A verdict that travels alone may meet its event after that one's tick: its trial was counted before."""
    knowing().check(window([group(events=3, rates={"leak": sums})]), Record(), 0)


def test_a_topic_that_has_grown_is_looked_at_again():
    """Partitions that came while the reader ran are accepted, however many windows that lie are among them.

    Kafka is asked once for a batch: what was fetched was written before that.
    """
    asked, partitions = [], 4

    def look():
        asked.append(1)
        return TopicState(SOURCE.name, SOURCE.topic_id, partitions)

    subject = knowing(look=look)
    for partitions in (4, 8, 16):
        subject.begin()
        for _ in range(3):
            with pytest.raises(InvalidRecordError):
                subject.check(window(source_partition=16, source_partitions=99), Record(), 0)
            real = window(source_partition=partitions - 1, source_partitions=partitions)
            subject.check(real, Record(), 0)
    assert len(asked) == 3


def test_forged_windows_that_are_refused_leave_the_ticks_as_they_were():
    """With two windows forged to switch detection off among them, exactly the ticks of the real ones are whole."""
    subject, merger, whole = knowing(), TickMerger(), []
    for step in range(20):
        real = [window(source_partition=source, tick=TICK + step, first_tick=TICK + step) for source in range(4)]
        forged = [window(tick=2**50, first_tick=TICK + step + 1), window(source_partitions=9_999)]
        for each in [*forged, *real]:
            try:
                subject.check(each, Record(timestamp=(TICK + step + 3) * SECONDS * 1000), 0)
            except InvalidRecordError:
                continue
            merger.add(each)
            whole += [tick for tick, _ in merger.whole()]
    assert whole == list(range(TICK, TICK + 20))


def test_partitions_that_nobody_had_heard_of_do_not_turn_time_back():
    """After windows that speak of one partition others come with older ticks: no tick is whole twice or too late.

    What comes of a tick that is over counts in the next one: nothing of it is lost.
    """
    merger, whole, events = TickMerger(), [], 0
    merger.add(window([group(events=7)], source_partitions=1, tick=TICK + 5))
    whole += merger.whole()
    for step in range(9):
        for source in range(4):
            merger = successor_of(TickMerger(), merger.state())
            events += merger.add(
                window([group(events=1)], source_partition=source, tick=TICK + step, first_tick=TICK + step)
            )
            whole += merger.whole()
    assert [tick for tick, _ in whole] == [TICK + 5, TICK + 6, TICK + 7, TICK + 8]
    assert sum(each.events for _, sums in whole for each in sums) == 7 + events
    assert events == 9 * 4 - 6


def test_ticks_that_wait_long_cost_what_they_are():
    """Twenty thousand ticks that wait for one late source are merged in order, each in the time of one."""
    merger = TickMerger()
    for step in range(20_000):
        merger.add(window(source_partitions=2, tick=TICK + step, first_tick=TICK + step))
        assert not list(merger.whole())
    merger.add(window([], source_partition=1, source_partitions=2, tick=TICK + 19_999, first_tick=TICK))
    assert [tick for tick, _ in merger.whole()] == list(range(TICK, TICK + 20_000))
