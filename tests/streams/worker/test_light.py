"""What a worker's process does not keep, each time in a process of its own."""

import subprocess
import sys

import pytest

ANSWER_BYTES = 26 * 2**20

PROGRAM = f"""
import ctypes, sys, threading
from streams.worker.light import without_hoard

NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
Info = type("Info", (ctypes.Structure,), {{"_fields_": [(name, ctypes.c_size_t) for name in NAMES.split()]}})
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if sys.argv[1] == "without":
    without_hoard()
kept = []

def answer():
    for _ in range(3):
        text = bytes({ANSWER_BYTES}).decode()
        text.encode()
        kept.append(bytes(1_000))

for _ in range(3):
    threads = [threading.Thread(target=answer) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
print(libc.mallinfo2().fordblks)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a switch of glibc")
def test_large_answers_go_back_when_they_are_freed():
    """After large answers in several threads glibc keeps not even one of them; without the switch it keeps some."""
    kept = {
        way: int(
            subprocess.run([sys.executable, "-c", PROGRAM, way], capture_output=True, text=True, check=True).stdout
        )
        for way in ("with", "without")
    }
    assert kept["without"] < ANSWER_BYTES <= kept["with"], kept
