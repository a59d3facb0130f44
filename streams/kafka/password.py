"""The password that each connection to Kafka begins with: as its file is then, whichever client opens it.

Every client of ours takes a password once, as a text, and hands that very text on to each connection that it opens. So
the text itself is one that looks into its file. SCRAM takes its bytes from `encode`, in kafka-python and in aiokafka,
also when a broker asks a connection that is open to say again who it is (KIP-368).

PLAIN joins user and password in C, past every method that a text may have, and neither client has a place for another
text there. So that one step of each is replaced, by one that does the same with the password as it is then; any other
text passes through as before. kafka-python has a register of mechanisms for that, aiokafka a name in a module.
"""

from functools import cache
from typing import Any, Self

from streams.health.secrets import Secret, secret
from streams.settings import Settings

NAME = "kafka_password"


class Password(str):
    """A password for a Kafka client, who makes bytes of it for each connection."""

    __slots__ = ("_secret",)
    _secret: Secret

    def __new__(cls, held: Secret) -> Self:
        """Return it; as a plain text it is what it was when this was called."""
        made = super().__new__(cls, held.now())
        made._secret = held
        return made

    def now(self) -> str:
        """Return it as its file is now."""
        return self._secret.now()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Return its bytes as its file is now."""
        return self.now().encode(encoding, errors)

    def __repr__(self) -> str:
        """Return nothing of it."""
        return "'**********'"


def password(settings: Settings) -> str:
    """Return what Kafka clients are given as their password; of the environment it is a text like any other."""
    held = secret(settings, NAME)
    if held.file is None:
        return held.now()
    if settings.kafka_sasl_mechanism == "PLAIN":
        _heed_in_plain()
    return Password(held)


@cache
def _heed_in_plain() -> None:
    """Have both clients ask a password that has a file for what it is now."""
    from aiokafka import conn  # commands that need no such password do without it
    from kafka.net.sasl import register_sasl_mechanism
    from kafka.net.sasl.plain import SaslMechanismPlain

    class Aiokafka(conn.SaslPlainAuthenticator):
        def __init__(self, *, sasl_plain_password: str, **more: Any) -> None:
            super().__init__(sasl_plain_password=_now(sasl_plain_password), **more)

    class KafkaPython(SaslMechanismPlain):
        def __init__(self, *, sasl_plain_password: str, **more: Any) -> None:
            super().__init__(sasl_plain_password=_now(sasl_plain_password), **more)

    conn.SaslPlainAuthenticator = Aiokafka
    register_sasl_mechanism("PLAIN", KafkaPython, overwrite=True)


def _now(given: str) -> str:
    return given.now() if isinstance(given, Password) else given
