"""The app of a worker: what Faust is told of it."""

import subprocess
import sys

import pytest

from streams.settings import load
from streams.worker.faust_app import worker_app


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "http://127.0.0.1:8131"), ("::1", "http://[::1]:8131")])
def test_a_worker_may_be_bound_to_an_address_of_ipv6(tmp_path, host, expected):
    """Its own address is one that can be asked, whatever kind of address the settings name."""
    assert str(worker_app("watch", load(host=host, data_dir=tmp_path), 8131).conf.canonical_url) == expected


def test_a_worker_takes_as_many_files_as_it_may():
    """Started by a shell that lets it have a few, it opens more than these."""
    program = (
        "import resource; from streams.run import take_files; _, most = resource.getrlimit(resource.RLIMIT_NOFILE); "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, most)); take_files(); "
        "print(len([open('/dev/null') for _ in range(300)]))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "300\n"
