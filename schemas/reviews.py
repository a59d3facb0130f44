"""Reviews: what waits for a judgement, and the judgements of people, judge models and users."""

from typing import Literal

from .events import Envelope
from .fields import Count, Identity, Index, Level, Name, Probability, Real, Reference, Share, UnixNano, Version

Label = Literal["safe", "unsafe", "borderline", "benign_blocked", "cannot_judge"]
Annotator = Literal["human", "llm", "code", "end_user"]
SamplingMethod = Literal["random", "stratified", "flagged", "canary", "appeal"]


class ReviewLabel(Envelope, frozen=True, tag="ai.safety.review_label.v1"):
    """The judgement of a person, a judge model or a user on one event, however late.

    `sampling_probability` is required: without it no rate that rests on the label is unbiased.
    """

    target_event_id: Identity
    evaluation_name: Identity
    label: Label
    annotator_kind: Annotator
    sampling_method: SamplingMethod
    sampling_probability: Probability
    target_response_id: Name | None = None
    score: Real | None = None
    categories: list[Name] | None = None
    severity: Level | None = None
    explanation_ref: Reference | None = None
    annotator_pseudo_id: Name | None = None
    rubric_version: Version | None = None
    queue: Name | None = None
    queued_at: UnixNano | None = None
    labelled_at: UnixNano | None = None
    overrides_verdict_id: Name | None = None
    supersedes_label_id: Name | None = None


class ReviewItem(Envelope, frozen=True, tag="ai.safety.review_item.v1"):
    """One event in the queue. Its time is that of the event; `sampling_probability` is what chose it.

    `sampling_method` is `stratified` where one of each run of 1 / `sampling_probability` events of a service and
    stratum is chosen, so that the items of a stratum stand for all its events; `random` where each is drawn by itself.

    `event_id` is a function of the event and the queue, so that a repeat is recognised. The envelope's tenant,
    service, version and session are those of the event.
    """

    target_event_id: Identity
    target_kind: Name
    queue: Identity
    sampling_method: SamplingMethod
    sampling_probability: Probability
    stratum: Index
    reviewers: Count
    flagged: bool
    score: Share | None = None
    risk: Share | None = None
    categories: list[Name] | None = None
