"""`watchkeeper broker` ends when it is told to, and lets its folder go."""

import os
import signal
import subprocess
import sys

import pytest

from streams.local.broker import Broker, BrokerError, answers
from streams.local.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal_and_its_folder_is_free(tmp_path, number):
    """It ends with status 0 on a signal, takes Java along and releases the lock; a folder may be called anything."""
    port, folder = free_port(), tmp_path / "für 100% = \\u0041"
    command = [sys.executable, "-m", "streams", "broker", "--data-dir", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"LC_ALL": "C"})
    try:
        wait_until(lambda: answers(f"127.0.0.1:{port}"))
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert not answers(f"127.0.0.1:{port}")
        assert (folder / "kafka" / "log" / "meta.properties").exists()
        assert list(tmp_path.iterdir()) == [folder]
        again = Broker(folder / "kafka", port)
        again.prepare()
        again.stop()
    finally:
        process.kill()
        process.wait()


def test_a_folder_that_would_be_two_to_kafka_is_refused(tmp_path):
    """A comma ends a name in Kafka's settings, and nothing escapes it."""
    with pytest.raises(BrokerError, match=r"has a comma.*another --data-dir"):
        Broker(tmp_path / "a,b").prepare()
