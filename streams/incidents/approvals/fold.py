"""Which acts were asked for, and which of them may be carried out: the fold of the steps in the order of their topic.

Times are those at which the broker wrote a step, so that the same log says the same for ever.
"""

import unicodedata
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.approvals import Approval
from schemas.fields import NANO
from streams.access.elsewhere import PREFIXES
from streams.incidents.fold.moves import IllegalActionError

State = Literal["pending", "expired", "approved", "broken_glass", "refused", "carried_out"]

LASTS_NANO: Final = 24 * 3_600 * NANO
"""How long another person has to agree."""
ALONE_WORDS: Final = 5
"""The least that a reason for doing it alone says."""
MOST_WAITING: Final = 100
_AGREED: Final = ("approved", "broken_glass")


class Asked(Struct, frozen=True):
    """An act that was asked for, what was decided, and whether it is done."""

    request: Approval
    decided: Approval | None = None
    done: bool = False

    @property
    def agreed(self) -> bool:
        """Whether it may be carried out."""
        return self.decided is not None and self.decided.step in _AGREED

    def state(self, now: int) -> State:
        """Return what has become of it at a time in Unix nanoseconds."""
        if self.done:
            return "carried_out"
        if self.decided is not None:
            return self.decided.step  # type: ignore[return-value]
        return "expired" if now > (self.request.expires_at or 0) else "pending"


def person(name: str) -> str:
    """Return what tells persons apart: not the case of their name, how its letters are written, or how they came in.

    Whoever signs in at the provider, or comes by a proxy, and has a token under that name too is one person.

    >>> person(" Kim  Lee") == person("kim lee") == person("oidc/Kim Lee") == person("proxy/kim lee")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    prefix = next(filter(plain.startswith, PREFIXES), "")
    return plain.removeprefix(prefix)


class Requests:
    """All acts that were asked for."""

    def __init__(self) -> None:
        self._asked: dict[str, Asked] = {}

    def all(self) -> list[Asked]:
        """Return them, the newest first."""
        return list(reversed(self._asked.values()))

    def get(self, request_id: str) -> Asked:
        """Return one.

        Raises
        ------
        IllegalActionError
            Where nothing was asked for under this name.
        """
        found = self._asked.get(request_id)
        if found is None:
            raise IllegalActionError(f"nothing was asked for as {request_id}; `watchkeeper approval list` shows all")
        return found

    def decided(self, request_id: str) -> str:
        """Return the id of the step that decided about an act; empty where none did yet."""
        found = self._asked.get(request_id)
        return found.decided.event_id if found is not None and found.decided is not None else ""

    def due(self) -> list[Asked]:
        """Return what was agreed and is not carried out."""
        return [each for each in self._asked.values() if each.agreed and not each.done]

    def take(self, step: Approval, written: int) -> bool:
        """Take a step that was written at a time in Unix nanoseconds, and tell whether it counts."""
        try:
            self.check(step, written)
        except IllegalActionError:
            return False
        if step.step == "requested":
            self._asked[step.request_id] = Asked(step)
        elif step.step == "carried_out":
            self._asked[step.request_id] = replace(self._asked[step.request_id], done=True)
        else:
            self._asked[step.request_id] = replace(self._asked[step.request_id], decided=step)
        return True

    def check(self, step: Approval, now: int) -> None:
        """Raise `IllegalActionError` where a step does not count, with what is wrong, in words."""
        if step.step == "requested":
            self._check_request(step, now)
            return
        asked = self.get(step.request_id)
        if (step.content_hash, step.act) != (asked.request.content_hash, asked.request.act):
            raise IllegalActionError("this is not what was asked for: its hash is another")
        if step.step == "carried_out":
            if not asked.agreed or asked.done or step.actor_kind != "system":
                raise IllegalActionError("only the monitor carries out, once, what was agreed")
            return
        _check_human(step)
        if asked.decided is not None:
            was, by = asked.decided.step.replace("_", " "), asked.decided.actor_id
            raise IllegalActionError(f"it was decided already: {was} by {by}")
        if now > (asked.request.expires_at or 0):
            raise IllegalActionError("it has expired; ask for it again")
        _check_who(step, asked.request)

    def _check_request(self, step: Approval, now: int) -> None:
        _check_human(step)
        if step.request_id in self._asked:
            raise IllegalActionError(f"{step.request_id} was asked for already")
        if not now < (step.expires_at or 0) <= now + LASTS_NANO + NANO:
            raise IllegalActionError("another person has a day to agree, and no longer")
        if sum(each.state(now) == "pending" for each in self._asked.values()) >= MOST_WAITING:
            raise IllegalActionError(f"{MOST_WAITING} requests wait for another person; decide about them first")


def _check_human(step: Approval) -> None:
    if step.actor_kind != "human":
        raise IllegalActionError("a person asks for it and another agrees; machines do neither")


def _check_who(step: Approval, request: Approval) -> None:
    same = person(step.actor_id) == person(request.actor_id)
    if step.step == "approved" and same:
        raise IllegalActionError(f"{request.actor_id} asked for it, and another person has to agree")
    if step.step == "broken_glass":
        if not same:
            raise IllegalActionError(f"{request.actor_id} asked for it: you are the second person, and may approve it")
        if len((step.reason or "").split()) < ALONE_WORDS:
            raise IllegalActionError(f"say in {ALONE_WORDS} words or more why it can't wait for another person")
