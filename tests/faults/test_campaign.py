"""What is left after workers came and went, in a short form of the campaign."""

import pytest

from tests.faults.campaign import Campaign


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_while_workers_come_and_go(tmp_path):
    """After all disturbances every row, rollup, window, finding, detector array and incident is as if undisturbed."""
    report = Campaign(tmp_path, disturbances=13, seconds=18, events=2_700, seed=7).run()
    print(report)
    assert sum(report["disturbances"].values()) >= 10
    assert report["disturbances"]["partitions doubled"] == 1
    assert report["incidents"] > 0
