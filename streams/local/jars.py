"""The broker's jars: resolved by jgo, each held to the SHA-256 of the committed lock before its first use.

python -m streams.local.jars lock      # after a new version of `ENDPOINT`: writes jars.lock.json anew
"""

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

ENDPOINT: Final = "org.apache.kafka:kafka_2.13:4.4.0+org.slf4j:slf4j-simple:1.7.36"
LOCK_NAME: Final = "jars.lock.json"

Say = Callable[[str], object]


class JarError(RuntimeError):
    """A jar is not the one that was locked, or can't be had."""


def default_cache() -> Path:
    """Return the folder that keeps the jars between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "watchkeeper" / "kafka"


def ensure_jars(cache: Path, say: Say = lambda _: None) -> list[Path]:
    """Return the paths of all jars, loaded and checked.

    Parameters
    ----------
    cache
        Where they are kept; several processes may share it.
    say
        Told what is happening, because the first time takes a while.

    Raises
    ------
    JarError
        Where a jar's sum is not the locked one, or the repository can't be reached.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        wanted = locked()
        known = _remembered(cache, wanted)
        if known is not None:
            return known
        say("loading the broker's jars, once (43 MB)")
        jars = _load(cache)
        _check(jars, wanted)
        _remember(cache, wanted, jars)
        return jars


def locked() -> dict[str, str]:
    """Return the sum of each jar, by the name of its file."""
    text = (resources.files("streams.local") / LOCK_NAME).read_text()
    jars: dict[str, str] = json.loads(text)["jars"]
    return jars


def _load(cache: Path) -> list[Path]:
    import jgo

    try:
        environment = jgo.build(ENDPOINT, cache_dir=cache / "jgo")
    except Exception as error:
        raise JarError(f"the jars of {ENDPOINT} can't be loaded from Maven: {error}") from error
    return sorted(Path(jar) for jar in environment.all_jars)


def _check(jars: list[Path], locked: dict[str, str]) -> None:
    found = {jar.name: jar for jar in jars}
    if set(found) != set(locked):
        odd = sorted(set(found) ^ set(locked))
        raise JarError(f"the jars are not those of {LOCK_NAME}: {', '.join(odd)}")
    for name, jar in found.items():
        if hashlib.sha256(jar.read_bytes()).hexdigest() != locked[name]:
            raise JarError(f"{jar} does not have the SHA-256 of {LOCK_NAME}; delete it to load it again")


def _stamp(locked: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(locked, sort_keys=True).encode()).hexdigest()


def _remember(cache: Path, locked: dict[str, str], jars: list[Path]) -> None:
    seen = {str(jar): [jar.stat().st_size, jar.stat().st_mtime_ns] for jar in jars}
    (cache / "checked-jars.json").write_text(json.dumps({"lock": _stamp(locked), "jars": seen}))


def _remembered(cache: Path, locked: dict[str, str]) -> list[Path] | None:
    """Return the jars where they were checked against this very lock and have not been touched since."""
    try:
        stored = json.loads((cache / "checked-jars.json").read_text())
        stats = {path: Path(path).stat() for path in stored["jars"]}
        same = all([stat.st_size, stat.st_mtime_ns] == stored["jars"][path] for path, stat in stats.items())
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none yet, or not one that this version wrote
    return [Path(path) for path in stats] if same and stored["lock"] == _stamp(locked) else None


def lock() -> None:
    """Write the lock of what `ENDPOINT` resolves to now."""
    jars = _load(default_cache())
    sums = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars}
    target = Path(__file__).with_name(LOCK_NAME)
    target.write_text(json.dumps({"endpoint": ENDPOINT, "jars": dict(sorted(sums.items()))}, indent=1) + "\n")


if __name__ == "__main__" and sys.argv[1:] == ["lock"]:
    lock()
