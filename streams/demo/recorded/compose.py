"""Make the recorded week: recorded behaviour to canonical events without texts, labels to guard verdicts.

    python -m streams.demo.recorded.compose CHAT AGENTS TRUTH FOLDER

The inputs are JSON lines (.gz) of model and agent behaviour with labels. Labels become the verdicts of imperfect
guards, with seeded misses and false flags; nothing else of them reaches an event.
"""

import gzip
import json
import random
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from schemas.emitter import event_identity, hash_text
from schemas.events import AgentStep, Event, Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.signals import text_vector
from schemas.wire import encode

KEY: Final = b"watchkeeper recorded week"
ENFORCING: Final = frozenset({"assistant-internal", "helpdesk-eu"})
"""Services whose harmful-output guard blocks; in the others it watches."""

GUARDS: Final[dict[str, tuple[str, float, float]]] = {
    "prompt-shield": ("input", 0.85, 0.005),
    "tool-result-shield": ("tool_result", 0.85, 0.005),
    "harm-classifier": ("output", 0.80, 0.003),
    "pii-scanner": ("output", 0.90, 0.005),
    "refusal-classifier": ("output", 0.90, 0.010),
    "tool-policy": ("tool_call", 0.80, 0.0005),
}
"""str, share of true cases it flags, share of others it flags wrongly."""

MISSING, FAILED, TIMED_OUT = 0.002, 0.002, 0.002
HARMS: Final = ("content.ncr", "content.dfm", "content.spc", "content.prv")
LABEL: Final = "truth"


class Guard:
    """One guard, with its seeded mistakes."""

    def __init__(self, name: str, seed: int) -> None:
        self.name: Final = name
        self.layer, self.recall, self.false_flags = GUARDS[name]
        self._random = random.Random(f"{name}/{seed}")  # noqa: S311  mistakes, not secrets

    def judge(self, truly: bool, category: str, mode: str = "monitor", **extra: Any) -> list[GuardResult]:  # noqa: FBT001
        """Return the verdict, or none where it went missing."""
        draw = self._random.random()
        latency = round(self._random.lognormvariate(3, 0.5))
        flag = self._random.random() < (self.recall if truly else self.false_flags)
        score = round(self._random.betavariate(8, 2), 2)
        if draw < MISSING:
            return []
        if draw < MISSING + FAILED + TIMED_OUT:
            status: Any = "error" if draw < MISSING + FAILED else "timeout"
            return [GuardResult(guard_name=self.name, layer=self.layer, status=status, fail_mode="open", mode=mode)]
        finding = GuardFinding(category=category, severity=3, score=score, score_kind="probability", **extra)
        return [
            GuardResult(
                guard_name=self.name,
                layer=self.layer,
                status="ok",
                mode=mode,
                verdict=("block" if mode == "enforce" else "flag") if flag else "allow",
                action=("blocked" if mode == "enforce" else "annotated") if flag else "none",
                findings=[finding] if flag else None,
                latency_ms=latency,
            )
        ]


class Composer:
    """Turns recorded rows into events, in their order."""

    def __init__(self, seed: int = 20260302) -> None:
        self._guards: Final = {name: Guard(name, seed) for name in GUARDS}

    def event(self, row: dict[str, Any]) -> Event:
        """Return the event of one recorded row."""
        return self._step(row) if row["kind"] == "tool" else self._inference(row)

    def _inference(self, row: dict[str, Any]) -> Inference:
        model, usage, label = row["model"] or {}, row["usage"] or {}, row[LABEL]
        failed = row["status"] != "ok"
        guards = [] if failed else self._guards_of_call(row, label)
        blocked = any(guard.action == "blocked" for guard in guards)
        text_in, text_out = row["prompt"], row["response"]
        return Inference(
            **_envelope(row, Inference),
            model_version=_version(model),
            operation_name="chat",
            provider_name=model.get("provider"),
            request_model=model.get("name"),
            turn_index=row["step"],
            finish_reason_norm="error" if failed else ("tool_call" if row["tool_calls"] else "stop"),
            outcome="error" if failed else ("blocked" if blocked else "completed"),
            error_type=str((row["error"] or {}).get("code")) if failed else None,
            usage_input_tokens=usage.get("input_tokens"),
            usage_output_tokens=usage.get("output_tokens"),
            duration_ms=row["latency_ms"],
            time_to_first_chunk_ms=row["ttft_ms"],
            input_chars=len(text_in) if text_in else None,
            output_chars=len(text_out) if text_out else None,
            input_vector=text_vector(text_in, KEY) if text_in and row["role"] != "tool" else None,
            capture_mode="none",
            reached_user=not failed and not blocked,
            guards=guards or None,
        )

    def _guards_of_call(self, row: dict[str, Any], label: dict[str, Any]) -> list[GuardResult]:
        found: list[GuardResult] = []
        if row["prompt"]:
            attack = label["prompt_attack"] == "jailbreak"
            found += self._guards["prompt-shield"].judge(attack, "sec.jailbreak")
        if row["response"]:
            mode: str = "enforce" if row["service"] in ENFORCING else "monitor"
            harm = HARMS[int(row["event_id"][:6], 16) % len(HARMS)]
            found += self._guards["harm-classifier"].judge(bool(label["response_harmful"]), harm, mode)
            kinds = [item["type"] for item in label["pii"]]
            found += self._guards["pii-scanner"].judge(
                bool(kinds),
                "sec.data_leakage.pii",
                entity_type=kinds[0] if kinds else "PERSON",
                count=max(len(kinds), 1),
            )
            found += self._guards["refusal-classifier"].judge(label["refused"] == "full", "qual.refusal")
        if row["tool_calls"]:
            hijacked = bool(label.get("malicious_tool_calls"))
            found += self._guards["tool-policy"].judge(hijacked, "sec.goal_hijack")
        return found

    def _step(self, row: dict[str, Any]) -> AgentStep:
        tool, label = row["tool"], row[LABEL]
        result = str(tool["result"] or "")
        guards = self._guards["tool-result-shield"].judge(
            bool(label.get("injection_in_result")), "sec.prompt_injection.indirect"
        )
        return AgentStep(
            **_envelope(row, AgentStep),
            step_kind="execute_tool",
            step_index=row["step"],
            tool_name=tool["name"],
            tool_call_id=tool["call_id"],
            args_bytes=len(json.dumps(tool["args"])),
            result_bytes=len(result.encode()),
            authorization="allowed",
            status="ok" if row["status"] == "ok" else "error",
            error_type="tool_error" if row["status"] != "ok" else None,
            duration_ms=row["latency_ms"],
            taint_sources=sorted({source["kind"] for source in row["sources"]}) or None,
            guards=guards or None,
        )


def _envelope(row: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    moment = datetime.fromisoformat(row["ts"])
    return {
        "event_id": row["event_id"] or event_identity(kind, row["trace_id"], row["span_id"]),
        "source": f"recorded/{row['service']}",
        "time_unix_nano": int(moment.timestamp() * 1000) * 1_000_000,
        "service_name": row["service"],
        "tenant_id": row["tenant"],
        "environment": "recorded",
        "trace_id": row["trace_id"][:16],
        "session_id": row["session_id"],
        "user_pseudo_id": hash_text(row["user_id"], KEY)[12:24],
    }


def _version(model: dict[str, Any]) -> str | None:
    return f"{model['provider']}/{model['name']}@{model['version']}" if model else None


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the recorded rows of a file."""
    with gzip.open(path, "rt") as lines:
        for line in lines:
            yield json.loads(line)


HARMFUL: Final = {
    "DEV-C1": ("unsafe_attempted", "unsafe_served", "injection_flag"),
    "DEV-C2": ("refusal",),
    "DEV-C3": ("leak",),
    "DEV-C5": ("error",),
    "DEV-C6": ("latency", "time_to_first_token"),
    "DEV-C2b": ("volume",),
    "DEV-C4": ("model", "latency", "output_tokens"),
    "DEV-A1": ("injection_flag", "denied_tool"),
    "DEV-A2": ("denied_tool",),
}
"""Which metrics each change moves; DEV-C4 was announced and DEV-C2b is no safety event, so neither may page."""


def answers(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a demo or a test may compare findings with; no worker reads it."""
    return [
        {
            "id": item["id"],
            "service": item["service"],
            "kind": item["kind"],
            "text": item["text"],
            "start": item["start_ts"],
            "end": item["end_ts"],
            "metrics": list(HARMFUL.get(item["id"], ())),
        }
        for items in truth["streams"].values()
        for item in items
    ]


def main(chat: Path, agents: Path, truth: Path, folder: Path) -> None:
    """Write ``week.jsonl.gz`` and ``answers.json``, byte for byte the same each time."""
    rows = sorted([*read(chat), *read(agents)], key=lambda row: (row["ts"], row["event_id"]))
    composer = Composer()
    with (folder / "week.jsonl.gz").open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        for row in rows:
            out.write(encode(composer.event(row)) + b"\n")
    found = answers(json.loads(truth.read_text()))
    (folder / "answers.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
