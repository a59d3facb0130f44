"""Items that are being looked at: as many people as an item has room for, for as long as a lease lasts."""

from streams.review.leases import SECONDS, Leases


def test_a_lease_ends_by_itself_and_is_renewed_by_looking_again():
    """Whoever walked away holds nothing for ever; whoever still looks keeps it; an item for two has room for two."""
    now = [0.0]
    leases = Leases(lambda: now[0])
    one, two = ({"target_event_id": name, "reviewers": number, "readers": 0} for name, number in (("a", 1), ("b", 2)))
    assert leases.take("kim", [one, two]) is one
    assert [leases.take(name, [one, two]) for name in ("ann", "bo", "dan")] == [two, two, None]
    now[0] = SECONDS - 1
    assert leases.take("kim", [one, two]) is one
    now[0] = SECONDS
    assert leases.take("dan", [one, two]) is two
    assert len(leases) == 2
    now[0] = 2 * SECONDS
    assert leases.take("dan", [one]) is one
    assert len(leases) == 1
