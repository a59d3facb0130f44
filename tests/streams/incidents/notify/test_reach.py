"""Where receivers may be, and how their secrets are changed, against real receivers on loopback."""

import socket
import time
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from schemas.signature import verify_webhook
from streams.incidents.notify.reach import public
from tests.streams.incidents.notify.test_notifier import Server, hook, notifying, on_record, policy_of
from tests.support.incidents.records import fresh

OLD, NEW = "whsec_" + "QUJD" * 8, "whsec_" + "REVG" * 8


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_told_nothing_unless_its_host_is_named(kafka_settings, host):
    """Whatever way it is written, nothing is sent, and the record says which setting lets it be."""
    settings = kafka_settings.model_copy(update={"receivers_private": "hook.example, 127.0.0.2"})
    async with Server() as server:
        policy = policy_of(hook(server) | {"url": server.url.replace("127.0.0.1", host)})
        async with notifying(settings, policy) as notifier:
            notifier.transition(fresh())
            [made] = await on_record(kafka_settings, 1)
        assert server.got == []
    assert (made.status, made.http_status) == ("failed", None)
    assert "is a private address; add its host to WATCHKEEPER_RECEIVERS_PRIVATE" in made.detail


async def test_a_name_is_named_and_not_its_address(kafka_settings):
    """`localhost` is told where it is named; a redirect to somewhere else is not followed, named or not."""
    settings = kafka_settings.model_copy(update={"receivers_private": "LOCALHOST"})
    async with Server() as other, Server() as server:
        server.answers.append((302, {"Location": other.url}))
        policy = policy_of(hook(server) | {"url": server.url.replace("127.0.0.1", "localhost")})
        async with notifying(settings, policy) as notifier:
            notifier.transition(fresh())
            [made] = await on_record(kafka_settings, 1)
        assert (len(server.got), other.got, made.http_status) == (1, [], 302)


async def test_a_secret_is_changed_while_it_runs(kafka_settings, monkeypatch, tmp_path):
    """Its file is read for each attempt: with both keys in it whoever holds either believes, then the new one alone."""
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    file = tmp_path / "watchkeeper_hook_key"
    file.write_text(OLD)
    async with Server() as server:
        async with notifying(kafka_settings, policy_of(hook(server) | {"secret_from": "hook_key"})) as notifier:
            for number, text in enumerate((OLD, f"{NEW} {OLD}\n", NEW, "whsec_broken"), start=1):
                file.write_text(text)
                notifier.transition(fresh("detected", f"i{number}"))
                await on_record(kafka_settings, number)
        believed = [[verify_webhook(body, headers, key, time.time()) for key in (OLD, NEW, f"{OLD} {NEW}")]
                    for headers, body in server.got]  # fmt: skip
    assert believed == [[True, False, True], [True, True, True], [False, True, True], [False, True, True]]


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_as_private_as_alone(address):
    """Mapped, translated and tunnelled addresses lead where the IPv4 address in them leads."""
    mapped, nat64 = (
        f"::ffff:{address}",
        socket.inet_ntop(socket.AF_INET6, b"\x00\x64\xff\x9b" + bytes(8) + address.packed),
    )
    assert public(mapped) <= public(str(address))
    assert public(nat64) <= public(str(address))


async def test_through_a_proxy_whatever_is_not_named(kafka_settings):
    """The proxy finds a name that is unknown here; who is private is told without it where that is named, else not."""
    async with Server() as proxy, Server() as inside:
        given = {
            "receivers_proxy": SecretStr(f"http://me:secret@127.0.0.1:{proxy.port}"),
            "receivers_private": "127.0.0.1",
        }
        wanted = {
            "outside": "http://hook.invalid/hook", "inside": inside.url, "local": f"http://localhost:{inside.port}/hook",
            "metadata": "http://169.254.169.254/hook",
        }  # fmt: skip
        policy = policy_of(*({"name": name, "kind": "webhook", "url": url} for name, url in wanted.items()))
        async with notifying(kafka_settings.model_copy(update=given), policy) as notifier:
            notifier.transition(fresh())
            made = {each.receiver: each for each in await on_record(kafka_settings, len(wanted))}
    assert {name for name, each in made.items() if each.status == "delivered"} == {"outside", "inside"}
    [(headers, _)], [(direct, _)] = proxy.got, inside.got
    assert headers["Host"] == "hook.invalid"
    assert b64decode(headers["Proxy-Authorization"].removeprefix("Basic ")) == b"me:secret"
    assert "Proxy-Authorization" not in direct
    assert all("is a private address" in made[name].detail for name in ("local", "metadata"))
    assert "secret" not in "".join(each.detail for each in made.values())
