"""`watchkeeper broker` ends when it is told to, and lets its folder go."""

import signal
import subprocess
import sys

import pytest

from streams.local.broker import Broker, answers
from streams.local.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal_and_its_folder_is_free(tmp_path, number):
    """It ends with status 0 on a signal, takes Java along and releases the lock."""
    port = free_port()
    command = [sys.executable, "-m", "streams", "broker", "--data-dir", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: answers(f"127.0.0.1:{port}"))
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert not answers(f"127.0.0.1:{port}")
        again = Broker(tmp_path / "kafka", port)
        again.prepare()
        again.stop()
    finally:
        process.kill()
        process.wait()
