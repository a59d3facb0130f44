"""From where a request comes, cell by cell, and that no client can say otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.access.proxy.hops import Hops
from streams.access.proxy.people import check
from streams.settings import Settings, SettingsError

PROXY, OTHER, CLIENT = "10.0.3.7", "10.0.4.3", "192.0.2.7"
HOPS = Hops(Settings(proxy_addresses=f"{PROXY}, 10.0.4.0/28, 2001:db8:1::/64"))

CELLS = {
    # peer, X-Forwarded-For: where it comes from
    "nobody between": (CLIENT, [], CLIENT),
    "a client that writes one itself": (CLIENT, ["198.51.100.1"], CLIENT),
    "loopback that is not named": ("127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
    "one proxy": (PROXY, [CLIENT], CLIENT),
    "one proxy, and what the client wrote before": (PROXY, ["198.51.100.1, 10.0.3.7, " + CLIENT], CLIENT),
    "in two fields": (PROXY, ["198.51.100.1", CLIENT], CLIENT),
    "two proxies": (PROXY, [f"{CLIENT}, {OTHER}"], CLIENT),
    "two proxies, and what the client wrote before": (PROXY, [f"198.51.100.1, {CLIENT}, {OTHER}"], CLIENT),
    "a proxy that says nothing": (PROXY, [], PROXY),
    "proxies alone": (PROXY, [f"{OTHER}, {OTHER}"], OTHER),
    "no address": (PROXY, ["unknown"], PROXY),
    "no address behind a proxy": (PROXY, [f"{CLIENT}, <script>, {OTHER}"], OTHER),
    "an empty one": (PROXY, [""], PROXY),
    "with a port": (PROXY, [f"{CLIENT}:5000"], CLIENT),
    "IPv6 with a port": (PROXY, ["[2001:db8:2::1]:5000"], "2001:db8:2::1"),
    "IPv6": ("2001:db8:1::9", ["2001:db8:2::1"], "2001:db8:2::1"),
    "IPv4 within IPv6": (f"::ffff:{PROXY}", [f"::ffff:{CLIENT}"], CLIENT),
}


@pytest.mark.parametrize(("peer", "forwarded", "expected"), CELLS.values(), ids=CELLS)
def test_from_where_it_comes(peer, forwarded, expected):
    """Each cell: the last hop that is no proxy of ours, and never what stands before it."""
    assert HOPS.client(peer, forwarded) == expected


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=255)), max_size=5))
def test_nothing_that_a_client_writes_changes_from_where_it_comes(written):
    """Whatever stands in the header before our proxy has written its client there."""
    assert HOPS.client(PROXY, [*written, CLIENT]) == CLIENT
    assert HOPS.client(CLIENT, written) == CLIENT


WHOLE = {
    "proxy_addresses": PROXY,
    "proxy_user_header": "X-Forwarded-User",
    "proxy_groups_header": "X-Forwarded-Groups",
    "proxy_roles": "sre=responder",
}
WRONG = {
    "no address": ({"proxy_addresses": "proxy.example"}, "WATCHKEEPER_PROXY_ADDRESSES: "),
    "bits beside the network": ({"proxy_addresses": "10.0.3.7/24"}, "WATCHKEEPER_PROXY_ADDRESSES: "),
    "no proxy": ({"proxy_addresses": ""}, "name the proxies"),
    "no role": ({"proxy_roles": ""}, "WATCHKEEPER_PROXY_ROLES: name a role"),
    "a role of machines": ({"proxy_roles": "sre=service"}, "WATCHKEEPER_PROXY_ROLES: 'sre=service'"),
    "a team that is none": ({"proxy_teams": "sre=A B"}, "WATCHKEEPER_PROXY_TEAMS"),
    "no groups": ({"proxy_groups_header": ""}, "PROXY_GROUPS_HEADER: '' is no header"),
    "groups of nobody": ({"proxy_user_header": "", "proxy_groups_header": "X-Groups"}, "PROXY_GROUPS_HEADER: wants"),
    "one header for both": ({"proxy_groups_header": "x-forwarded-user"}, "must be another"),
    "a header that browsers send": ({"proxy_user_header": "Cookie"}, "no header that a proxy alone sends"),
    "an underscore": ({"proxy_user_header": "X_User"}, "no header that a proxy alone sends"),
    "a script": ({"proxy_sign_out": "javascript:alert(1)"}, "WATCHKEEPER_PROXY_SIGN_OUT"),
    "another host": ({"proxy_sign_out": "//evil.example"}, "WATCHKEEPER_PROXY_SIGN_OUT"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=WRONG)
def test_settings_that_are_not_whole_are_refused(wrong, why):
    """Each says its variable and what to do; those that are whole are taken, and none at all are too."""
    check(Settings(**WHOLE))
    check(Settings())
    with pytest.raises(SettingsError, match=why):
        check(Settings(**WHOLE | wrong))
