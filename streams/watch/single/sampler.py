"""Chooses the events that people look at, from the flagged and the unflagged alike.

Events are put into strata by the guard's score (by their risk, where no guard gave one). Of each run of events of a
service and stratum one is chosen by a hash (`streams.watch.single.runs`): the same log gives the same choice, whatever
was killed in between. The propensity goes along with each item; without it no rate that rests on the labels would be
unbiased. What is very risky is asked about anyway, marked as such and kept out of the estimates.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from detectors.columns import prefixed, under
from detectors.review.strata import ReviewSampler
from schemas.identity import identity
from schemas.reviews import ReviewItem
from streams.events.flags import BIT
from streams.events.hashing import hash_texts, mixed
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy
from streams.watch.batches import MEASURES, Batch, EventColumns, Int64s
from streams.watch.blocks import Block
from streams.watch.single.runs import Runs

SOURCE: Final = "watchkeeper/review"
FIRST_SECONDS: Final = 3_600
"""The first strata follow from an hour; until then one event in `1 / WARM` is chosen."""

WARM: Final = 0.02
DAY_SECONDS: Final = 86_400

_SCORE: Final = MEASURES.index("guard_score")
_STEP: Final = BIT["denied_tool"] | BIT["injection_flag"] | BIT["leak"]
_HARM: Final = BIT["unsafe_attempted"] | BIT["unsafe_served"] | _STEP
_SECOND_READER: Final = 7
"""Salt of the hash that chooses who is read twice."""


class ReviewWatch:
    """The sampler of one partition of the events.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    share
        This partition's share of the labels a day, 0 to 1.
    policy
        How many labels a day people can give, and the tiers of the services.
    """

    def __init__(self, tick_seconds: int, share: float, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._policy: Final = policy
        self._sampler: Final = ReviewSampler(policy.review.labels_per_day * share)
        self._runs: Final = Runs()
        self._since = -1  # tick of the last renewal
        self._renewals = 0

    def judge(self, block: Block) -> list[ReviewItem]:
        """Take the events of closed ticks, and return the items among them."""
        found: list[ReviewItem] = []
        rows = np.flatnonzero(_reviewable(block.batch.events))
        at = 0
        while at < len(block):
            self._renew(int(block.ticks[at]))
            end = int(np.searchsorted(block.ticks, self._since + self._ticks_until_renewal()))
            first, last = np.searchsorted(rows, [block.starts[at], block.starts[end]])
            found += self._chosen(block.batch, rows[first:last])
            at = end
        return found

    def _ticks_until_renewal(self) -> int:
        return -(-(DAY_SECONDS if self._renewals else FIRST_SECONDS) // self._tick_seconds)

    def _renew(self, tick: int) -> None:
        if self._since < 0:
            self._since = tick
        if tick - self._since >= self._ticks_until_renewal():
            self._sampler.renew((tick - self._since) * self._tick_seconds / DAY_SECONDS)
            self._runs.renew()
            self._since, self._renewals = tick, self._renewals + 1

    def _chosen(self, batch: Batch, rows: Int64s) -> Iterator[ReviewItem]:
        if not len(rows):
            return
        events = batch.events.take(rows)
        tiers = np.array([self._tier(group[1]) for group in batch.groups])
        risk = events.risk * tiers[events.group]
        score = events.measures[:, _SCORE].astype(np.float64)
        score = np.clip(np.where(np.isnan(score), risk, score), 0.0, 1.0)
        strata = self._sampler.strata(score)
        share = self._sampler.propensity(strata) if self._renewals else np.full(len(score), WARM)
        self._sampler.learn(score)
        services = hash_texts(pa.array([group[1] for group in batch.groups], pa.string()))
        drawn, propensity = self._runs.chosen(mixed(services[events.group], strata.astype(np.uint64)), share)
        for at in np.flatnonzero(drawn | (risk >= self._policy.review.always_at)).tolist():
            yield self._item(batch, events, at, _Choice(risk[at], score[at], strata[at], propensity[at], drawn[at]))

    def _tier(self, service: str) -> float:
        return self._policy.risk.tiers.get(self._policy.service(service).tier, 1.0)

    def _item(self, batch: Batch, events: EventColumns, at: int, choice: "_Choice") -> ReviewItem:
        shown, review = batch.shown, self._policy.review
        row = int(events.row[at])
        target = shown.event_id[row].as_py()
        tenant, service, version, _ = batch.groups[int(events.group[at])]
        second = mixed(hash_texts(shown.event_id.slice(row, 1)), _SECOND_READER)[0] / 2.0**64
        return ReviewItem(
            event_id=identity("review", review.queue, target),
            source=SOURCE,
            time_unix_nano=int(events.time[at]),
            service_name=service,
            tenant_id=tenant or None,
            model_version=version or None,
            target_event_id=target,
            target_kind="inference" if events.call[at] else "agent_step",
            queue=review.queue,
            sampling_method="stratified" if choice.drawn else "flagged",
            sampling_probability=float(choice.propensity) if choice.drawn else 1.0,
            stratum=int(choice.stratum),
            reviewers=2 if second < review.second_reviewer_share else 1,
            flagged=bool(events.flagged[at] & _HARM),
            score=float(choice.score),
            risk=float(choice.risk),
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"own": np.array([self._since, self._renewals], np.int64)} | {
            **prefixed("sampler_", self._sampler.state()), **prefixed("runs_", self._runs.state()),
        }  # fmt: skip

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._since, self._renewals = state["own"].tolist()
        self._sampler.restore(under("sampler_", state))
        if runs := under("runs_", state):  # a checkpoint of before there were any: they begin
            self._runs.restore(runs)


class _Choice:
    """Why an event was chosen."""

    __slots__ = ("drawn", "propensity", "risk", "score", "stratum")

    def __init__(self, risk: float, score: float, stratum: int, propensity: float, drawn: bool) -> None:  # noqa: FBT001
        self.risk, self.score, self.stratum, self.propensity, self.drawn = risk, score, stratum, propensity, drawn


def _reviewable(events: EventColumns) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Tell which events are calls of a model or steps of an agent, and no probes of our own."""
    step = (events.trials & _STEP) == _STEP
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]] = (events.counted > 0) & ((events.call > 0) | step)
    return kept
