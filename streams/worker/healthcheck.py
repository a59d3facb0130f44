"""A container's health check: ``python -m streams.worker.healthcheck PORT`` fails unless the worker is ready and moves.

Of the standard library alone, because a container engine starts it every few seconds.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request
from typing import Final

PAGES: Final = ("ready", "health")
SECONDS: Final = 3.0


def well(port: int) -> bool:
    """Tell whether the worker at a port of this machine is connected to all it needs, and makes progress."""
    try:
        tls = _tls()
        for page in PAGES:
            url = f"http{'s' if tls else ''}://127.0.0.1:{port}/{page}"
            with urllib.request.urlopen(url, timeout=SECONDS, context=tls):  # noqa: S310  our own
                pass
    except (urllib.error.URLError, OSError):
        return False
    return True


def _tls() -> ssl.SSLContext | None:
    """Return how the worker's port is asked: as itself, and whatever name stands in its certificate."""
    own, key = os.environ.get("WATCHKEEPER_TLS_CERT"), os.environ.get("WATCHKEEPER_TLS_KEY")
    if not own:
        return None
    context = ssl.create_default_context(cafile=os.environ.get("WATCHKEEPER_TLS_CA") or None)
    context.check_hostname = False
    context.load_cert_chain(own, key or None, password="")  # or a terminal is asked for one
    return context


if __name__ == "__main__":
    sys.exit(0 if well(int(sys.argv[1])) else 1)
