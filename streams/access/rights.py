"""Who may write and read which topic: every party with its topics, and the same as access rules of Kafka.

Who may write `inference.v1` speaks for itself and nobody else: incidents, actions, findings, windows and checkpoints
are written by their workers alone. A topic or a party that is not here has no rule, and so no rights.
"""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from schemas.topics import (
    ACTIONS,
    APPROVALS,
    AUDIT_HEADS,
    CHANGES,
    CHECKPOINTS,
    CONTROLS,
    DEAD_LETTERS,
    DELIVERIES,
    DOORS,
    ERASURES,
    EVALUATIONS,
    EVIDENCE,
    FINDINGS,
    INCIDENTS,
    INFERENCE,
    RAW,
    RESTORED,
    REVIEW_QUEUE,
    REVIEWS,
    TOPICS,
    TRIAGE,
    WINDOWS,
    Topic,
)
from streams.settings import RESENT, WORKER_PORTS, Settings


class Party(Struct, frozen=True):
    """A kind of principal: what it is, and the topics that it may write and read, and say how long they are kept."""

    means: str
    writes: tuple[Topic, ...] = ()
    reads: tuple[Topic, ...] = ()
    keeps: tuple[Topic, ...] = ()


_SAID: Final = (FINDINGS, DEAD_LETTERS)
"""Each worker tells of its own losses, and sets aside what kills it."""
_BY_PEOPLE: Final = (ACTIONS, CHANGES, CONTROLS, ERASURES, APPROVALS)
_ALL_BUT_RAW: Final = tuple(topic for topic in TOPICS if topic not in (*RAW, APPROVALS, CHECKPOINTS))
_AGEING: Final = tuple(topic for topic in TOPICS if topic.retention_ms > 0)

PARTIES: Final[dict[str, Party]] = {
    "watch": Party(
        "the watch workers", (WINDOWS, REVIEW_QUEUE, CHECKPOINTS, INFERENCE, *_SAID), (INFERENCE, WINDOWS, CHECKPOINTS)
    ),
    "detect": Party("the detect workers", (CHECKPOINTS, *_SAID), (WINDOWS, INFERENCE, CHECKPOINTS)),
    "history": Party("the history workers, which carry retention out", _SAID, _ALL_BUT_RAW, _AGEING),
    "incidents": Party(
        "the incidents workers with API and console",
        # what was refused among events is sent again from the console
        (INCIDENTS, EVIDENCE, DELIVERIES, *_BY_PEOPLE, REVIEWS, TRIAGE, AUDIT_HEADS, INFERENCE, *RAW, *_SAID),
        (FINDINGS, EVALUATIONS, INCIDENTS, EVIDENCE, DELIVERIES, *_BY_PEOPLE, AUDIT_HEADS, DEAD_LETTERS),
    ),
    "normalise": Party("the normalise workers", (INFERENCE, *_SAID), (*RAW, INFERENCE)),
    "receiver": Party("the receiver of telemetry", tuple(topic for topic in DOORS.values() if topic is not None)),
    "collector": Party("a Collector or a gateway", RAW),
    "service": Party("a service that sends events", (INFERENCE,)),
    "deployer": Party("what deploys, and obeys controls", (CHANGES, EVALUATIONS), (CONTROLS,)),
    "responder": Party("a person at a terminal who tells of changes and asks for controls", (CHANGES, CONTROLS)),
    "reviewer": Party("a person at a terminal who labels events", (REVIEWS,), (REVIEW_QUEUE,)),
    "operator": Party("who makes topics, backups and repairs: everything", (*TOPICS, RESTORED), (*TOPICS, RESTORED)),
}
OTHERS_TELEMETRY: Final = {"normalise": "Read", "incidents": "Write", "collector": "Write", "operator": "All"}
"""What parties may do with the topics of `WATCHKEEPER_TELEMETRY_TOPICS`; incidents sends again what was refused."""
WORKERS: Final = (*WORKER_PORTS, "receiver")
"""Parties of which every installation has one."""


class Rule(Struct, frozen=True):
    """What a principal may do with a resource; all rules allow, from every host."""

    principal: str
    resource: str
    name: str
    operations: tuple[str, ...]
    pattern: str = "literal"

    def command(self, broker: str) -> str:
        """Return it as a command of Kafka's.

        >>> print(Rule("User:shop", "topic", "inference.v1", ("Write", "Describe")).command("b:9092"))
        kafka-acls --bootstrap-server b:9092 --add --allow-principal User:shop --operation Write --operation Describe \
--topic inference.v1
        """
        what = ["--cluster"] if self.resource == "cluster" else [f"--{self.resource}", self.name]
        pattern = [] if self.pattern == "literal" else ["--resource-pattern-type", self.pattern]
        operations = [word for each in self.operations for word in ("--operation", each)]
        start = ["kafka-acls", "--bootstrap-server", broker, "--add", "--allow-principal", self.principal]
        return shlex.join([*start, *operations, *what, *pattern])


def rules(settings: Settings, named: Mapping[str, list[str]]) -> list[Rule]:
    """Return the rules of an installation.

    Parameters
    ----------
    settings
        Name the prefix of its topics.
    named
        The principals of each party, as Kafka knows them: `User:NAME`; a topic of others' telemetry that the settings
        name is a party too, who writes that topic and nothing else.

    Raises
    ------
    ValueError
        Where a party is unknown, a principal is none, or is named for two parties.
    """
    owners: dict[str, str] = {}
    for party, principals in named.items():
        if party not in PARTIES and party not in settings.dialects:
            raise ValueError(f"no party is called {party!r}; take one of {', '.join((*PARTIES, *settings.dialects))}")
        for principal in principals:
            if not principal.startswith("User:") or principal in ("User:", "User:*"):
                raise ValueError(f"{principal!r} is no principal; write User:NAME, as Kafka knows it")
            if owners.setdefault(principal, party) != party:
                raise ValueError(f"{principal} is {owners[principal]} and {party}; who is two may do what both may")
    return [rule for principal, party in owners.items() for rule in _of(settings, party, principal)]


def _of(settings: Settings, party: str, principal: str) -> list[Rule]:
    if party == "operator":
        everything = ("All",)
        found = [Rule(principal, "topic", settings.topic(each.name), everything) for each in (*TOPICS, RESTORED)]
        group = Rule(principal, "group", settings.group(""), everything, "prefixed")
        cluster = Rule(principal, "cluster", "kafka-cluster", ("Describe", "Create"))
        return [*found, *_telemetry(settings, party, principal), group, cluster]
    if party not in PARTIES:
        return [Rule(principal, "topic", settings.topic(party), ("Write", "Describe"))]
    known = PARTIES[party]
    reads = (*known.reads, RESTORED) if party in WORKERS else known.reads
    found = []
    for topic in (*TOPICS, RESTORED):
        may = {"Write": topic in known.writes, "Read": topic in reads, "AlterConfigs": topic in known.keeps}
        if operations := tuple(name for name, allowed in may.items() if allowed):
            found.append(
                Rule(principal, "topic", settings.topic(topic.name), (*operations, "Describe", "DescribeConfigs"))
            )
    found += _telemetry(settings, party, principal)
    if party == "incidents":
        found += _seen(settings, principal, {rule.name for rule in found})
        found.append(Rule(principal, "group", settings.group(RESENT), ("Read", "Describe"), "prefixed"))
    if party in WORKER_PORTS:
        found.append(Rule(principal, "group", settings.group(party), ("Read", "Describe")))
    elif known.reads:
        name = principal.removeprefix("User:")
        found.append(Rule(principal, "group", f"{name}-", ("Read",), "prefixed"))
    return found


def _telemetry(settings: Settings, party: str, principal: str) -> Iterator[Rule]:
    """Yield what a party may do with the topics of others' telemetry that the settings name."""
    known = {topic.name for topic in TOPICS}
    for name in settings.dialects:
        if party in OTHERS_TELEMETRY and name not in known and not (party == "collector" and name in settings.bound):
            operations = (OTHERS_TELEMETRY[party], "Describe", "DescribeConfigs")
            yield Rule(principal, "topic", settings.topic(name), operations)


def _seen(settings: Settings, principal: str, known: set[str]) -> Iterator[Rule]:
    """Yield what shows how far every worker is, and nothing else: the heartbeat asks for it."""
    names = (settings.topic(topic.name) for worker in WORKER_PORTS for topic in PARTIES[worker].reads)
    for name in dict.fromkeys(names):
        if name not in known:
            yield Rule(principal, "topic", name, ("Describe",))
    for worker in WORKER_PORTS:
        if worker != "incidents":
            yield Rule(principal, "group", settings.group(worker), ("Describe",))


def of_workers(settings: Settings) -> dict[str, list[str]]:
    """Return the principals of the workers where nobody names others.

    >>> of_workers(Settings())["watch"]
    ['User:watchkeeper-watch']
    """
    return {party: [f"User:{settings.group(party)}"] for party in WORKERS}


def page() -> str:
    """Return the table as a page of the documentation."""
    lines = [
        "# Who may write to Kafka",
        "",
        "`watchkeeper topics acl` prints these as commands of Kafka's, or as JSON; with `--apply` it adds them.",
        "",
        *(f"- **{name}**: {party.means}." for name, party in PARTIES.items()),
        "",
        f"| topic | {' | '.join(PARTIES)} |",
        f"| --- |{' --- |' * len(PARTIES)}",
    ]
    for topic in (*TOPICS, RESTORED):
        cells = [_cell(topic, party) for party in PARTIES.values()]
        lines.append(f"| `{topic.name}` | {' | '.join(cells)} |")
    lines += [
        "",
        "`w` writes, `r` reads, `k` says how long it is kept. Workers also read `restored.v1`; that of incidents may",
        "ask how far each of the others has read, for its heartbeat. Topics of",
        "`WATCHKEEPER_TELEMETRY_TOPICS` are read by normalise and written by collectors, and by incidents, which sends",
    ]
    lines += [
        "refused records again.",
        "",
        "To bind a service to a principal, give it a topic of its own instead of `inference.v1`:",
        "`WATCHKEEPER_TELEMETRY_TOPICS=shop_events=canonical:shop` takes events of `shop` from there and refuses all",
        "others (`foreign_service`), and `watchkeeper topics acl --allow shop_events=User:shop` lets that principal",
        "write there and nowhere else.",
    ]
    return "\n".join((*lines, ""))


def _cell(topic: Topic, party: Party) -> str:
    marks = {"w": party.writes, "r": party.reads, "k": party.keeps}
    return "".join(mark for mark, topics in marks.items() if topic in topics)


if __name__ == "__main__":
    (Path(__file__).parents[2] / "docs" / "kafka-rights.md").write_text(page())
