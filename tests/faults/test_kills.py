"""What is left after everything was killed."""

import os

import pytest

from tests.faults.campaign import Campaign

KILLS = int(os.environ.get("WATCHKEEPER_KILLS", "42"))


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_by_kills(tmp_path):
    """After all those kills every row, rollup, window and detector array is as if nothing had happened."""
    report = Campaign(tmp_path, KILLS, 2.6 * KILLS, 500 * KILLS, seed=7).run()
    print(report)
    assert sum(report["kills"].values()) >= KILLS * 0.9
    assert report["kills"]["broker"] == 2
