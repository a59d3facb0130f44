"""Holds the lock against the known holes of packages: ``python -m docs.holes [--vulnerability-service osv]``.

pip-audit leaves out what its service does not know, and then ends as if all were well. Here that is a status of its
own: 0 where every package was looked up and nothing is known of any, 1 where something is, 2 where one was not.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from docs.lock import DEV, RUN, locked

HELP: Final = (
    "run `make holes` on a machine that reaches the index of Python packages, or `make holes SERVICE=osv` on one "
    "that reaches the database of OSV"
)


def said(wanted: Iterable[str], answer: Mapping[str, Any]) -> tuple[int, str]:
    """Return the status and the words for what pip-audit has answered.

    Parameters
    ----------
    wanted
        The packages that it was asked about.
    answer
        Its JSON.

    >>> hole = {"id": "CVE-1", "fix_versions": ["2"]}
    >>> said(["a"], {"dependencies": [{"name": "a", "version": "1", "vulns": [hole]}]})
    (1, 'a 1: CVE-1, mended in 2')
    >>> said(["a"], {"dependencies": [{"name": "a", "version": "1", "vulns": []}]})
    (0, '1 packages: no hole is known')
    >>> said(["a", "b"], {"dependencies": [{"name": "a", "version": "1", "vulns": []}]})[1][:31]
    '1 of 2 packages were not looked'
    """
    asked = set(wanted)
    found = {each["name"]: each for each in answer.get("dependencies", ()) if "vulns" in each}
    lines = [
        f"{name} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for name, each in sorted(found.items())
        for hole in each["vulns"]
    ]
    missing = asked - set(found)
    if missing:
        lines.append(
            f"{len(missing)} of {len(asked)} packages were not looked up, so nothing is proven of them: {HELP}"
        )
    if not lines:
        return 0, f"{len(asked)} packages: no hole is known"
    return 1 if len(lines) > bool(missing) else 2, "\n".join(lines)


def look(arguments: Sequence[str]) -> tuple[int, str]:
    """Ask pip-audit about the whole lock, and return the status and the words."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    files = ["-r", str(RUN), "-r", str(DEV)]
    done = subprocess.run([*command, "-f", "json", *files, *arguments], capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:  # the service did not answer
        answer = {}
        print(done.stderr.strip().rpartition("\n")[2], file=sys.stderr)  # noqa: T201
    return said(locked(), answer)


if __name__ == "__main__":
    status, text = look(sys.argv[1:])
    print(text)  # noqa: T201
    sys.exit(status)
