"""The producer's half of the contract: `Emitter`, and how an event gets its name, its key and its headers."""

from .emitter import Emitter, event_identity, hash_text, headers, routing_key

__all__ = ["Emitter", "event_identity", "hash_text", "headers", "routing_key"]
