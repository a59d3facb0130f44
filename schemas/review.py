"""``review-queue.v1``: events that a person is asked to look at."""

from .events import Envelope
from .fields import Count, Identity, Index, Name, Probability, Share
from .records import SamplingMethod


class ReviewItem(Envelope, frozen=True, tag="ai.safety.review_item.v1"):
    """One event in the queue. Its time is that of the event; `sampling_probability` is what chose it.

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
