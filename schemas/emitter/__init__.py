"""The producer's half of the contract: `Emitter`, and how an event gets its name, its key and its headers."""

from .emitter import Emitter
from .observation import Observation
from .pseudonyms import pseudonym
from .records import event_identity, hash_text, headers, routing_key
from .sink import Arrival

__all__ = ["Arrival", "Emitter", "Observation", "event_identity", "hash_text", "headers", "pseudonym", "routing_key"]
