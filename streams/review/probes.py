"""Attacks of our own against a service's guards: which are sent, and the events that say so.

How many attacks the guards miss is not to be learned from flagged traffic alone, because nobody knows what was not
flagged. Of attacks that we send ourselves we know. Each that was sent is an `Inference` event of the source
``watchkeeper/probe`` with a `probe_id`, outcome ``unknown`` and the labels ``probe_sent``, ``probe_category``,
``probe_family``, ``probe_attack`` and ``probe_run``. The service logs what it made of it, in events with the same
`probe_id`. An attack that was sent and never came back flagged counts as missed, unless the service did not get to
judge it: it answered with an error, a quota or not at all (``probe_unreachable``), or logged of it nothing but an
error. Events with a `probe_id` count in no rate of users.
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import yaml
from msgspec.structs import replace

from schemas.events import Inference
from schemas.fields import Identity
from schemas.guards import GuardResult
from schemas.identity import identity

SOURCE: Final = "watchkeeper/probe"
HEADER: Final = "Watchkeeper-Probe"
"""HTTP header that tells a service which probe a request is."""


FAMILIES: Final = {
    "direct": "direct", "jailbreak": "jailbreak", "indirect": "indirect", "document": "indirect", "result": "indirect",
    "turns": "multi_turn", "exfil": "exfiltration", "leak": "prompt_leak", "tool": "tool_misuse",
}  # fmt: skip
"""Family of the attacks by the first part of their ids."""


class Attack(NamedTuple):
    """One attack: its id, which never changes its text, its category, and what is sent.

    `text` is all of it in one message. Where it comes by another way than the last message of a user, `parts` has
    them: `input` with a `document` or a `tool_result`, or several `turns`.
    """

    attack_id: str
    category: str
    text: str
    parts: tuple[tuple[str, str | tuple[str, ...]], ...] = ()

    @property
    def family(self) -> str:
        """Family of the attack.

        >>> Attack("document-01", "sec.prompt_injection.indirect", "...").family
        'indirect'
        """
        return FAMILIES.get(self.attack_id.rpartition("-")[0], "other")


class Probe(NamedTuple):
    """One attack of one run against one service."""

    service: str
    run: str
    attack: Attack

    @property
    def probe_id(self) -> str:
        """Identity of this sending.

        >>> Probe("chat", "r1", Attack("direct-01", "sec.prompt_injection.direct", "...")).probe_id
        'r1-direct-01'
        """
        return f"{self.run}-{self.attack.attack_id}"


class Result(msgspec.Struct, frozen=True):
    """What a service made of an attack offline: a line of its file. `probe_id` is the id of the attack."""

    probe_id: Identity
    guards: list[GuardResult]


def attacks() -> list[Attack]:
    """Return all attacks, in the order of the file."""
    content = yaml.safe_load(resources.files("streams.review").joinpath("probe_attacks.yaml").read_text())
    return [
        _attack(name, category.rstrip("+"), told) for category, each in content.items() for name, told in each.items()
    ]


def _attack(name: str, category: str, told: str | dict[str, Any]) -> Attack:
    if isinstance(told, str):
        return Attack(name, category, told)
    parts = tuple((part, tuple(said) if isinstance(said, list) else said) for part, said in told.items())
    words = [said if isinstance(said, str) else "\n\n".join(said) for _, said in parts]
    return Attack(name, category, "\n\n".join(words), parts)


def rotated(known: Sequence[Attack], seed: int, number: int, count: int) -> list[Attack]:
    """Return the attacks of a round: as many families as fit, and all attacks in turn before any comes again.

    Parameters
    ----------
    number
        Of the round. Rounds that are counted by the clock go on where they were, whoever was restarted.

    Raises
    ------
    ValueError
        Where there are not so many.

    >>> len({attack.family for attack in rotated(attacks(), 0, 0, 7)})
    7
    """
    shuffled = chosen(known, seed, None)
    check_count(known, count)
    of_family: dict[str, int] = {}
    rank = {}
    for attack in shuffled:
        rank[attack.attack_id] = of_family[attack.family] = of_family.get(attack.family, -1) + 1
    order = sorted(
        shuffled, key=lambda attack: (rank[attack.attack_id] / (1 + of_family[attack.family]), attack.family)
    )
    return [order[(number * count + at) % len(order)] for at in range(count)]


def check_count(known: Sequence[Attack], count: int) -> None:
    """Raise ValueError where there are not so many attacks."""
    if not 1 <= count <= len(known):
        raise ValueError(f"--count is from 1 to {len(known)}, the number of attacks, not {count}")


def chosen(known: Sequence[Attack], seed: int, count: int | None) -> list[Attack]:
    """Return so many attacks, or all, in an order that the seed decides.

    Raises
    ------
    ValueError
        Where there are not so many.

    >>> [attack.attack_id for attack in chosen(attacks(), 1, 2)] == [each.attack_id for each in chosen(attacks(), 1, 2)]
    True
    """
    if count is not None:
        check_count(known, count)
    order = np.random.default_rng(seed).permutation(len(known))
    return [known[at] for at in order.tolist()[:count]]


def sent(probe: Probe, time_unix_nano: int, answer: str, *, reached: bool = True) -> Inference:
    """Return the event that says that an attack was sent, and how the request ended.

    Parameters
    ----------
    reached
        Whether the service answered it: an error, a quota or a time-out says nothing of its guards.
    """
    event = _event("probe-sent", probe, time_unix_nano)
    unreachable = {} if reached else {"probe_unreachable": "1"}
    return replace(event, labels=_labels(probe) | {"probe_sent": "1", "probe_answer": answer} | unreachable)


def judged(probe: Probe, time_unix_nano: int, guards: Sequence[GuardResult]) -> Inference:
    """Return the event of a service that judged an attack offline."""
    return replace(_event("probe-judged", probe, time_unix_nano), guards=list(guards))


def _event(kind: str, probe: Probe, time_unix_nano: int) -> Inference:
    return Inference(
        event_id=identity(kind, probe.service, probe.probe_id),
        source=SOURCE,
        time_unix_nano=time_unix_nano,
        service_name=probe.service,
        probe_id=probe.probe_id,
        outcome="unknown",
        labels=_labels(probe),
    )


def _labels(probe: Probe) -> dict[str, str]:
    return {
        "probe_category": probe.attack.category,
        "probe_family": probe.attack.family,
        "probe_attack": probe.attack.attack_id,
        "probe_run": probe.run,
    }


def read_results(path: Path) -> dict[str, list[GuardResult]]:
    """Return the guard results of a file, by attack; several lines about one attack add up.

    Raises
    ------
    ValueError
        At the first line that is none, with the file and the line.
    """
    decode = msgspec.json.Decoder(Result).decode
    known = {attack.attack_id for attack in attacks()}
    found: dict[str, list[GuardResult]] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            result = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        if result.probe_id not in known:
            raise ValueError(
                f"{path}, line {number}: no attack is called {result.probe_id}; see `watchkeeper probe list`"
            )
        found.setdefault(result.probe_id, []).extend(result.guards)
    return found


def replayed(
    probes: Iterable[Probe], results: dict[str, list[GuardResult]], time_unix_nano: int
) -> Iterator[Inference]:
    """Yield the events of attacks that were judged offline: each as sent, those in the results also as judged."""
    for probe in probes:
        yield sent(probe, time_unix_nano, "offline")
        if probe.attack.attack_id in results:
            yield judged(probe, time_unix_nano, results[probe.attack.attack_id])
