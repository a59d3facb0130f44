"""What is wrong with a process is kept by name while it lasts."""

from prometheus_client import REGISTRY

from streams.health.problems import Problems


def gauge(name):
    """Return the gauge of a problem."""
    return REGISTRY.get_sample_value("watchkeeper_problem", {"name": name})


def test_a_problem_has_its_latest_reason_until_it_is_over():
    """Noted twice it is one problem with the later reason; over, it is gone and its gauge is 0."""
    problems = Problems()
    problems.over("never noted")
    problems.note("store", "it does not answer")
    problems.note("store", "it is lost")
    problems.note("disk", "it is full")
    assert problems.current() == {"store": "it is lost", "disk": "it is full"}
    assert gauge("store") == 1
    problems.over("store")
    assert problems.current() == {"disk": "it is full"}
    assert gauge("store") == 0
