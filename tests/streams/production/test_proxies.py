"""What proxies leave open is named, and what they do not is not."""

import pytest

from streams.production.proxies import proxy_gaps
from streams.settings import Settings

CLOSED = {
    "proxy_addresses": "10.0.3.7, 2001:db8::1", "proxy_user_header": "Remote-User", "tls_cert": "tls.crt",
    "proxy_groups_header": "Remote-Groups", "proxy_roles": "sre=responder",
}  # fmt: skip
OPENED = {
    "everybody": ({"proxy_addresses": "0.0.0.0/0"}, ["proxy wide"]),
    "everybody of IPv6": ({"proxy_addresses": "10.0.3.7,::/0"}, ["proxy wide"]),
    "half of everybody": ({"proxy_addresses": "128.0.0.0/1"}, ["proxy wide"]),
    "a network of proxies": ({"proxy_addresses": "10.0.3.0/24"}, []),
    "this machine": ({"proxy_addresses": "127.0.0.1"}, ["proxy here"]),
    "this machine without TLS": ({"proxy_addresses": "127.0.0.1", "tls_cert": None}, ["proxy here"]),
    "no TLS": ({"tls_cert": None}, ["proxy tls"]),
    "no TLS, and nobody comes in by it": (
        {"tls_cert": None, "proxy_user_header": "", "proxy_groups_header": ""},
        [],
    ),
    "settings that are not whole": ({"proxy_roles": ""}, ["proxy"]),
    "no limit": ({"requests_a_minute": 0, "sql_questions_a_minute": 0}, ["no limit", "no limit"]),
    "telemetry has none": ({"otlp_requests_a_minute": 0}, []),
}


@pytest.mark.parametrize(("opened", "checks"), OPENED.values(), ids=OPENED)
def test_each_opening_is_named(opened, checks):
    """Each cell by its name, with what to do; nothing without it."""
    assert list(proxy_gaps(Settings(**CLOSED))) == []
    assert list(proxy_gaps(Settings())) == []
    found = list(proxy_gaps(Settings(**CLOSED | opened)))
    assert [each.check for each in found] == checks
    assert all(each.advice for each in found)
