"""Old entries of the audit log: whole files that are closed, and an entry that says where the log begins since.

The chain goes on from the hash of the last entry that was removed, which the new entry names: a verifier holds the two
against each other, and the heads that prove the new entry prove that it was written then.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from streams.audit.log import AuditLog, entry, last_entry, of
from streams.policy.retention import Retention
from streams.retention.store import Going
from streams.settings import Settings


def plan(settings: Settings, retention: Retention, now: float) -> list[Going]:
    """Return what is too old now: files whose last entry is."""
    before = retention.before("audit", now)
    old = _old(of(settings), before)
    oldest = int(_written(old[0][1])) if old else None
    return [Going("files", "audit", "audit", before, len(old), oldest)]


def carry_out(settings: Settings, retention: Retention, now: float) -> list[Going]:
    """Write down from where on the log is kept, remove the files before that, and return what went.

    Raises
    ------
    OSError
        Where the disk does not take it.
    """
    audit = of(settings)
    [going] = plan(settings, retention, now)
    old = _old(audit, going.before)
    if not old:
        return []
    _, end = old[-1]
    made = entry("removed", log=audit.name(), through=int(end["sequence"]), removed_hash=str(end["hash"]))
    audit.append([made])
    for file, _ in old:
        file.unlink()
    return [going]


def _old(audit: AuditLog, before: int) -> list[tuple[Path, dict[str, Any]]]:
    """Return closed files that are old, with the last entry of each; after one that was changed none is removed."""
    found: list[tuple[Path, dict[str, Any]]] = []
    for file, _ in audit.parts()[:-1]:
        last = last_entry(file)
        if last is None or _written(last) >= before:
            break
        found.append((file, last))
    return found


def _written(last: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(str(last["time"])).timestamp()
