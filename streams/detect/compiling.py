"""Compiled detectors, made ready beside the work: a worker that catches up judges on in the plain forms until then."""

import subprocess
import sys
import threading
from typing import Final

from detectors.compiled import kernels

_begun: Final = threading.Event()


def compile_beside() -> None:
    """Have the kernels compiled by a process of their own, and take them over when they are done.

    Compiling takes seconds the first time. In this process it would hold up every judgement, though there may be much
    to catch up on; which form judges a tick changes nothing.
    """
    if not _begun.is_set():
        _begun.set()
        threading.Thread(target=_compile, daemon=True).start()


def _compile() -> None:
    quiet = subprocess.DEVNULL
    subprocess.run([sys.executable, "-m", "detectors.compiled"], stdout=quiet, stderr=quiet, check=False)
    kernels.load()
