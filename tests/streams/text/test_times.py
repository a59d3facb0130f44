"""Times of a machine that is elsewhere."""

import os
import subprocess
import sys

import pytest

ASK = """
import sys
from streams.commands.main import main
from streams.settings import load
from streams.store.client import connect, rows

place, sys.argv = sys.argv[1], ["watchkeeper", "--help"]
try:
    main()
except SystemExit:
    pass
with connect(load(clickhouse="chdb://" + place)) as client:
    client.command("CREATE TABLE t (at DateTime('UTC'), fine DateTime64(9, 'UTC')) ENGINE = Memory")
    client.command("INSERT INTO t SELECT '2026-03-01 00:30:00', '2026-03-01 00:30:00'")
    [(at, fine, bare)] = rows(client, "SELECT at, fine, toUnixTimestamp(toDateTime('2026-03-01 00:30:00')) FROM t")
print(at.replace(tzinfo=None), fine.replace(tzinfo=None), bare, file=sys.stderr)
"""


@pytest.mark.store
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_what_a_command_reads_and_writes_is_of_utc_wherever_the_machine_is(tmp_path, zone):
    """Times of the store that are asked for by a command, and by what it runs, are those of UTC, to the half hour."""
    ran = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path / "store")],
        env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stderr.splitlines()[-1] == "2026-03-01 00:30:00 2026-03-01 00:30:00 1772325000"
