"""What the start of an installation costs, and what its parts hold while nothing happens: prints it as JSON.

    python -P tests/benchmarks/pace_start.py cold_start --work FOLDER

Run by `bench_pace` with the code of one commit or another on the path, as `pace_subjects` is.
"""

import argparse
import json
import os
import random
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

IDLE_SECONDS = 10


def cold_start(work):
    """`watchkeeper up` in an empty folder until every worker is ready; by the clock too, and what each holds idle."""
    ports = free_ports()
    environment = os.environ | {
        "WATCHKEEPER_BASE_PORT": str(ports), "WATCHKEEPER_DATA_DIR": str(work / f"up{time.monotonic_ns()}"),
    }  # fmt: skip
    environment["WATCHKEEPER_CLICKHOUSE"] = f"chdb://{environment['WATCHKEEPER_DATA_DIR']}/clickhouse"
    began = time.monotonic()
    up = subprocess.Popen([sys.executable, "-m", "streams", "up"], env=environment, stdout=subprocess.DEVNULL)
    names = ("history", "watch", "detect", "incidents")
    try:
        pids = {name: pid_when_ready(up, ports + 1 + at) for at, name in enumerate(names)}
        clock = time.monotonic() - began
        time.sleep(IDLE_SECONDS)
        idle = {f"{name} MB": resident_mb(pid) for name, pid in pids.items()}
    finally:
        up.terminate()
        up.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": used.ru_utime + used.ru_stime, "mb": sum(idle.values()), "amount": 1, "clock s": clock} | idle


def free_ports():
    """Return where an installation finds all its ports free, most likely."""
    for _ in range(100):
        base = random.randrange(20_000, 60_000)
        with socket.socket() as first, socket.socket() as last:
            try:
                first.bind(("127.0.0.1", base))
                last.bind(("127.0.0.1", base + 9))
            except OSError:
                continue
            return base
    raise OSError("no free ports")


def pid_when_ready(up, port):
    """Wait until a worker says that it is ready, and return its process id."""
    while up.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                said = json.load(answer)
        except OSError:
            said = {"ready": False}
        if said["ready"]:
            return said["pid"]
        time.sleep(0.1)
    raise RuntimeError("the installation has ended")


def resident_mb(pid):
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("subject", choices=["cold_start"])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--log")
    chosen = parser.parse_args()
    (chosen.work / "result.json").write_text(json.dumps(cold_start(chosen.work)))
