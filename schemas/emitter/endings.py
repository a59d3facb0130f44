"""Ends and beginnings of a process: what waits is sent at exit and on SIGTERM, and a forked child starts anew."""

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final
from weakref import WeakSet

from .outbox import Outbox

log = logging.getLogger(__name__)

EXIT_SECONDS: Final = 10.0
"""Enough for a first connection on a busy machine, and well within the thirty that what ends a process waits for."""
_outboxes: Final[WeakSet[Outbox]] = WeakSet()


class _Budget:
    """Seconds that ending has taken so far, of all outboxes together."""

    spent = 0.0


def look_after(outbox: Outbox) -> None:
    """Flush an outbox when the interpreter ends, and start it anew in forked children."""
    _outboxes.add(outbox)


def flush_on_sigterm() -> bool:
    """Flush before SIGTERM ends the process; return whether that could be set up.

    Only where the signal would end the process at once: a handler of the application, set before or after, stays
    the application's, and whatever it does ends in a normal exit or in `close`. Only in the main thread, where
    Python lets handlers be set.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, _on_sigterm):
        return False
    signal.signal(signal.SIGTERM, _on_sigterm)
    return True


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    """Let another thread flush: this one may have been interrupted while it held a lock that flushing needs."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends the process at once
    threading.Thread(target=_flush_and_die, name="watchkeeper-sigterm", daemon=True).start()


def _flush_and_die() -> None:
    try:
        _flush_all()
        _close_all()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _flush_all() -> None:
    """Send what waits. Other threads may go on emitting, so nothing is closed yet."""
    _each(lambda outbox, seconds: outbox.flush(seconds))


def _close_all() -> None:
    _each(lambda outbox, seconds: outbox.close(seconds))


def _each(end: Callable[[Outbox, float], object]) -> None:
    """End all outboxes within one time, however many there are."""
    began = time.monotonic()
    for outbox in list(_outboxes):
        left = EXIT_SECONDS - _Budget.spent - (time.monotonic() - began)
        end(outbox, max(0.2, left))
    _Budget.spent += time.monotonic() - began


def _forked() -> None:
    _Budget.spent = 0.0
    for outbox in list(_outboxes):
        outbox.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
atexit.register(_close_all)
try:
    # before the interpreter waits for its threads and forbids new ones; `atexit` alone is too late to connect
    threading._register_atexit(_flush_all)  # type: ignore[attr-defined]  # noqa: SLF001
except (AttributeError, RuntimeError):
    log.debug("only atexit is left to flush events")
