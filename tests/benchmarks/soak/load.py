"""What happens to an installation meanwhile: services, a source gone wrong, people, new certificates, faults."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import requests
from kafka import KafkaProducer

from schemas.emitter import Emitter
from schemas.events import AgentStep, Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.topics import INFERENCE
from streams.access.principals import create, tokens_file
from tests.support.authority import Authority
from tests.support.installation import Up

SERVICES: Final = 12
FLOOD: Final = 5_000
"""Records of a source that sends what nobody can read."""
PAGES: Final = ("", "incidents", "findings", "telemetry", "services/service-1?days=1", "changes", "kpis?days=1")
VICTIMS: Final = ("watch", "detect", "history", "incidents", "normalise", "receiver")
HARM: Final = GuardFinding(category="sec.data_leakage.pii", severity=2, score=0.9, score_kind="probability")


def event(rng: np.random.Generator, number: int) -> Inference | AgentStep:
    """Return an event of now: three in ten are steps of agents, one in 200 has personal data in it."""
    service, harmful = f"service-{rng.integers(SERVICES)}", rng.random() < 0.005
    guard = GuardResult(
        guard_name="pii", layer="output", status="ok", verdict="flag" if harmful else "allow",
        action="blocked" if harmful else "none", findings=[HARM] if harmful else None,
    )  # fmt: skip
    common = {
        "event_id": f"soak-{number}", "source": "soak", "service_name": service, "time_unix_nano": time.time_ns(),
        "session_id": f"s{number // 3}", "trace_id": f"t{number // 3}", "model_version": "m@1", "guards": [guard],
    }  # fmt: skip
    if rng.random() < 0.3:
        return AgentStep(**common, step_kind="execute_tool", tool_name=f"tool-{rng.integers(8)}", agent_name="planner")
    return Inference(**common, request_model="m", duration_ms=float(rng.lognormal(6.5, 0.4)), outcome="completed")


@dataclass
class Load:
    """What is done to an installation, each at its own interval; what was done is counted.

    Where it is `calm`, nobody is killed: what a process takes is then seen over all of the time.
    """

    up: Up
    authority: Authority
    rate: float
    people_seconds: float = 20.0
    calm: bool = False
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    sent: int = 0
    done: dict[str, int] = field(default_factory=dict)

    def run(self, seconds: float, look: Callable[[], None]) -> None:
        """Go on for so long; `look` is called every half minute."""
        due = {"flood": 600.0, "certificate": 480.0}
        due |= {} if self.calm else {"worker killed": 420.0, "broker killed": 1_500.0}
        ways = {"flood": self._flood, "certificate": self.certify,
                "worker killed": self._kill, "broker killed": lambda: self._kill("broker")}  # fmt: skip
        began, done_at = time.monotonic(), dict.fromkeys(due, 0.0)
        with self._people_about(), Emitter.to_kafka(self.up.settings.kafka, source="soak") as emitter:
            for at in self._ticks(began, seconds):
                for _ in range(self.rng.poisson(self.rate)):
                    emitter.emit(event(self.rng, self.sent))
                    self.sent += 1
                for name in [name for name, every in due.items() if at - done_at[name] >= every]:
                    done_at[name] = at
                    ways[name]()
                    self._count(name)
                if int(at) % 30 == 0:
                    look()

    def _count(self, name: str) -> None:
        self.done[name] = self.done.get(name, 0) + 1

    @contextlib.contextmanager
    def _people_about(self) -> Iterator[None]:
        """Have people look at the console meanwhile; events do not wait for their pages."""
        over = threading.Event()

        def walk() -> None:
            while not over.wait(self.people_seconds):
                self._people()
                self._count("people")

        people = threading.Thread(target=walk, name="people", daemon=True)
        people.start()
        try:
            yield
        finally:
            over.set()
            people.join()

    def _ticks(self, began: float, seconds: float) -> Iterator[float]:
        while (at := time.monotonic() - began) < seconds:
            yield at
            time.sleep(max(0.0, int(at) + 1 - (time.monotonic() - began)))

    def certify(self) -> None:
        """Put another certificate in the place of the one that is shown; both are of one file, so it is whole."""
        made, key = self.authority.signed("us")
        fresh = self.up.folder / "us.new"
        fresh.write_bytes(made.read_bytes() + key.read_bytes())
        fresh.chmod(0o600)
        fresh.replace(self.up.folder / "us.pem")

    def _people(self) -> None:
        """Look at a page of the console as somebody who is signed in, and ask for what is open."""
        token = create(tokens_file(self.up.settings), f"kim-{self.sent}", ("viewer",), 60)
        base = f"https://127.0.0.1:{self.up.settings.api_port}"
        with contextlib.suppress(requests.RequestException), requests.Session() as session:
            session.verify = str(self.authority.file)
            session.get(f"{base}/incidents", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            session.get(f"{base}/console/{PAGES[self.done.get('people', 0) % len(PAGES)]}", timeout=30)

    def _flood(self) -> None:
        producer = KafkaProducer(bootstrap_servers=self.up.settings.kafka)
        for number in range(FLOOD):
            producer.send(INFERENCE.name, value=b'{"service_name": "wild", "n": %d' % number)
        producer.close()

    def _kill(self, name: str = "") -> None:
        name = name or VICTIMS[self.done.get("worker killed", 0) % len(VICTIMS)]
        pid = self.up.part(name).get("pid")
        if pid:
            os.kill(pid, signal.SIGKILL)
