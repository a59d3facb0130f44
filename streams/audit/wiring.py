"""The recording of a worker that serves the API: its requests, what it publishes, and heads of all that."""

from functools import partial

from fastapi import FastAPI

from streams.audit.heads import Heads
from streams.audit.published import heard
from streams.audit.recorder import Recorder
from streams.audit.requests import Recorded
from streams.kafka.publisher import Publisher
from streams.policy.difference import version_of
from streams.policy.policy import Policy
from streams.settings import Settings


def recorded(app: FastAPI, settings: Settings, publisher: Publisher, policy: Policy) -> tuple[Heads, Recorder]:
    """Have an application and a publisher recorded, and return what has to run for that, in the order of its start."""
    recorder = Recorder(settings)
    app.add_middleware(Recorded, recorder=recorder, door="api")
    recorder.record("policy", version=version_of(policy))
    publisher.listeners.append(partial(heard, settings, recorder))
    return Heads(settings, recorder.log, publisher), recorder
