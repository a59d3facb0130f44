"""Evaluations: what a suite of tests found of a version before or beside production, by hazard."""

from .events import Envelope
from .fields import Count, Identity, Name, Version


class EvaluationRun(Envelope, frozen=True, tag="ai.safety.evaluation.v1"):
    """What one run of a suite found of one hazard: of so many items judged, in how many it was seen.

    The envelope names service and model version that were evaluated; its time is when the run ended. `event_id` is a
    function of run, test and hazard, so that a file that is read twice counts once. Without a `category` it is a
    measure of its own that no rate of production is held against.
    """

    suite: Identity
    items: Count
    failed: Count
    test_name: Name | None = None
    category: Name | None = None
    suite_version: Version | None = None
    run_id: Name | None = None
    tool: Name | None = None
    tool_version: Version | None = None
    judge: Name | None = None
    judge_version: Version | None = None

    def __post_init__(self) -> None:
        if self.failed > self.items:
            raise ValueError(f"{self.failed} items failed of {self.items}; `items` counts those that were judged")
