"""Waiting for what other threads and processes do."""

import time

PATIENCE_SECONDS = 240
"""Far beyond what a slow machine needs: who waits so long waits for what never happens."""


def wait_until(condition, seconds=PATIENCE_SECONDS):
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not happen in {seconds} s"
        time.sleep(0.1)
