"""The parts of the SQL endpoint that need neither engine nor socket."""

import asyncio
import base64
import struct

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.settings import SettingsError, load
from streams.sql.errors import SqlError
from streams.sql.framing import BLOCK_BYTES, blocks, checksum, pack, unpack
from streams.sql.limits import UserLimits
from streams.sql.request import credentials, parse_request
from streams.sql.users import Doorkeeper, followed, load_users, user_line


def unframe(data):
    """Return the content of ClickHouse's blocks, after a look at their checksums and sizes."""
    content, place = b"", 0
    while place < len(data):
        method, packed, plain = struct.unpack_from("<BII", data, place + 16)
        body = data[place + 16 : place + 16 + packed]
        assert (method, data[place : place + 16]) == (0x82, checksum(body))
        content += pa.decompress(body[9:], plain, "lz4_raw", asbytes=True)
        place += 16 + packed
    return content


@given(st.binary(max_size=5_000) | st.builds(bytes, st.integers(BLOCK_BYTES - 1, BLOCK_BYTES + 1)))
@settings(max_examples=40)
def test_blocks_hold_the_bytes_they_were_made_of(data):
    """Whatever the length, checksums and sizes fit and nothing is lost."""
    assert unframe(blocks(data)) == data


@pytest.mark.parametrize(
    ("size", "low", "high"),
    [
        (9, 0x62DBDC607C89633A, 0x854D59C6F348DD9B),
        (12, 0x182760380E12873F, 0x89A96C2B71930CC2),
        (16, 0x17CEADE677C2F945, 0x579ED60675C8FEDC),
        (18, 0xDA163DB586A288A8, 0xD54AA8FF588D5DB3),
        (22, 0xAABCC002CBC40215, 0x36B7648BD913A217),
        (26, 0x07FE06470B85A3DE, 0x05C68A246D66DEAA),
        (40, 0x20193667F8A2DCAB, 0x28697471AC11EDF3),
        (143, 0x2D63DBF4C2290D5B, 0x5C12CC8417CEB584),
        (144, 0xA6BDECEEC903D0FC, 0xC56B79626912C1BC),
        (200, 0x275774699E23B6FD, 0x5682EF01EBE7289C),
        (256, 0x327BB07EC0345A9B, 0xFB45EF5CB037BD93),
    ],
)
def test_the_checksum_is_clickhouses(size, low, high):
    """Values of the reference implementation, one for each path through the function."""
    assert struct.unpack("<QQ", checksum(bytes(range(256))[:size])) == (low, high)


@given(st.binary(max_size=3_000), st.sampled_from(["gzip", "zstd", "lz4", "br"]), st.integers(1, 4_000))
@settings(max_examples=40)
def test_a_body_unpacks_to_no_more_than_the_limit(data, name, limit):
    """What comes out is what went in, up to the limit."""
    assert unpack(pack(data, name), name, limit) == data[:limit]


@pytest.mark.parametrize("name", ["gzip", "zstd", "lz4", "br", "rot13"])
def test_bytes_that_are_not_of_a_coding_are_refused(name):
    """Broken and unknown codings are the client's error, with a code."""
    with pytest.raises(SqlError) as refused:
        unpack(b"\xff\xfenot packed at all", name, 1_000)
    assert (refused.value.code, refused.value.status) == (27, 400)


def test_a_request_is_taken_apart():
    """Keys of the connection are no settings, parameters lose their prefix, the body follows the query."""
    url = {"query": "SELECT 1", "user": "a", "database": "d", "param_x": "1", "max_threads": "2", "compress": "1"}
    asked = parse_request(url, {}, "+ 1;\n", {"param_y": "2"})
    assert (asked.query, asked.database, asked.framed) == ("SELECT 1\n+ 1", "d", True)
    assert (asked.parameters, asked.settings) == ({"x": "1", "y": "2"}, {"max_threads": "2"})


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ({}, {}, ("default", "")),
        ({"user": "a", "password": "b"}, {}, ("a", "b")),
        ({"user": "x"}, {"X-ClickHouse-User": "a", "X-ClickHouse-Key": "b"}, ("a", "b")),
        ({"user": "x"}, {"Authorization": "Basic " + base64.b64encode("ä:b:c".encode()).decode()}, ("ä", "b:c")),
        ({}, {"Authorization": "Basic %%%"}, ("", "")),
        ({}, {"Authorization": "Basic /////w=="}, ("", "")),
        ({"user": "a"}, {"Authorization": "Bearer x"}, ("a", "")),
    ],
)
def test_credentials_come_from_headers_before_the_url(url, headers, expected):
    """ClickHouse's headers win over HTTP Basic, Basic over the URL; what cannot be read is nobody."""
    assert credentials(url, headers) == expected


def admit(door, *who):
    """Ask the doorkeeper, in an event loop of its own."""
    asyncio.run(door.admit(*who))


@pytest.mark.enable_socket  # an event loop has one of its own
def test_only_the_right_password_opens(tmp_path):
    """Right passwords pass, also the second time; wrong, empty and changed ones do not, nor do strangers."""
    path = tmp_path / "users.yaml"
    path.write_text("users:\n" + user_line("no", "a") + "\n" + user_line("ana", "päss: 'word'") + "\n")
    door = Doorkeeper(followed(path), UserLimits(load(lockout_tries=100)))
    for _ in range(2):
        admit(door, "ana", "päss: 'word'")
        admit(door, "no", "a")
        for name, password in [("ana", "wrong"), ("ana", ""), ("default", ""), ("", ""), ("no", "päss: 'word'")]:
            with pytest.raises(SqlError) as refused:
                admit(door, name, password)
            assert (refused.value.code, refused.value.status) == (516, 403)


@pytest.mark.enable_socket  # an event loop has one of its own
def test_who_guesses_waits_longer_and_longer_and_keeps_nobody_else_out(tmp_path):
    """After five wrong passwords their sender waits, twice as long each time; others come in meanwhile.

    While it waits the right password is not taken either, though it is known by now: else it could be guessed.
    """
    path, now = tmp_path / "users.yaml", 0.0
    path.write_text("users:\n" + user_line("ana", "right") + "\n" + user_line("bo", "right") + "\n")
    door = Doorkeeper(followed(path), UserLimits(load(), lambda: now))

    def code(password, address="10.0.0.1"):
        with pytest.raises(SqlError) as refused:
            admit(door, "ana", password, address)
        return refused.value.code

    assert [code(f"wrong {each}") for each in range(6)] == [516] * 5 + [201]
    admit(door, "ana", "right", "10.0.0.2")
    assert code("right") == 201
    admit(door, "bo", "right", "10.0.0.1")
    now = 1.0
    assert [code("wrong"), code("wrong again")] == [516, 201]
    now = 2.0
    assert code("right") == 201
    now = 3.0
    admit(door, "ana", "right", "10.0.0.1")


@pytest.mark.enable_socket  # an event loop has one of its own
def test_without_a_file_default_needs_no_password():
    """As in ClickHouse, a user without a password is let in whatever is given; others are not."""
    door = Doorkeeper(None, UserLimits(load()))
    admit(door, "default", "anything")
    with pytest.raises(SqlError, match="Authentication failed"):
        admit(door, "ana", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "valid dictionary"),
        ("users: {}", "at least 1"),
        ("users: {a: {password: x}}", "password_scrypt"),
        ("users: {a: {password_scrypt: x}}", "sql-user NAME"),
        ("users: {a: {password_scrypt: AAAA$AAAA}}", "cut short"),
        ("users: [", "not YAML"),
        ("user: {}", "users"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, said):
    """The error names the variable, the file, and what to do."""
    path = tmp_path / "users.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="WATCHKEEPER_SQL_USERS") as refused:
        load_users(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_missing_file_and_unusable_names_are_refused(tmp_path):
    """No file, a name that HTTP Basic cannot carry, an empty password: each a clear error."""
    with pytest.raises(SettingsError, match="cannot be read"):
        load_users(tmp_path / "none.yaml")
    for name, password in [("", "a"), ("a:b", "a"), ("a\n", "a"), ("a", "")]:
        with pytest.raises(SettingsError):
            user_line(name, password)
