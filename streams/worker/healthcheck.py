"""A container's health check: ``python -m streams.worker.healthcheck PORT`` fails unless the worker is ready and moves.

Of the standard library alone, because a container engine starts it every few seconds.
"""

import sys
import urllib.error
import urllib.request
from typing import Final

PAGES: Final = ("ready", "health")
SECONDS: Final = 3.0


def well(port: int) -> bool:
    """Tell whether the worker at a port of this machine is connected to all it needs, and makes progress."""
    try:
        for page in PAGES:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=SECONDS):
                pass
    except (urllib.error.URLError, OSError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if well(int(sys.argv[1])) else 1)
