"""What a port shows and asks in a handshake, with real certificates and no network."""

import ssl

import pytest

from streams.health.problems import PROBLEMS
from streams.settings import DOORS, Settings, SettingsError, load
from streams.tls.doors import PROBLEM, door
from streams.tls.expiry import SOON_DAYS, wrong_with_certificate
from tests.support.authority import DAY, moved, subject


@pytest.fixture
def files(authority, tmp_path):
    """A good certificate and its key, which a test may change."""
    made = tmp_path / "port.pem", tmp_path / "port.key"
    moved(authority.signed("port"), made)
    return made


def settings(files, **more):
    """Return settings of ports that show a certificate."""
    return Settings(tls_cert=files[0], tls_key=files[1], **more)


def client(authority, certificate=None, **versions):
    """Return what a client speaks TLS with."""
    context = ssl.create_default_context(cafile=str(authority.file))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def shaken(server, asking, name="127.0.0.1"):
    """Return both sides of a handshake; a side that refuses raises."""
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [asking.wrap_bio(here, there, server_hostname=name), server.wrap_bio(there, here, server_side=True)]
    for _ in range(3):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return sides


def test_without_a_certificate_no_port_speaks_tls():
    """It is off by default, at every port."""
    assert {door(Settings(), name) for name in DOORS} == {None}


def test_a_good_certificate_is_taken(authority, files):
    """A client that knows the authority talks to the name that it asked for."""
    assert subject(shaken(door(settings(files), "api"), client(authority))[0]) == "port"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"ends": -DAY / 2}, "has expired"),
        ({"begins": DAY}, "not yet valid"),
        ({"names": "DNS:elsewhere.example"}, "IP address mismatch"),
    ],
)
def test_a_client_refuses_what_is_not_good(authority, how, why):
    """Expired, of tomorrow, and of another name: each is refused with its reason."""
    server = door(settings(authority.signed("bad", **how)), "api")
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        shaken(server, client(authority))


def test_a_client_refuses_an_unknown_authority(stranger, files):
    """Whoever signed for the port must be known."""
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        shaken(door(settings(files), "api"), client(stranger))


def test_nothing_older_than_1_2_is_spoken(authority, files):
    """A client that knows 1.1 at most is refused; one of 1.2 is not."""
    server = door(settings(files), "sql")
    versions = {"minimum_version": ssl.TLSVersion.TLSv1_2, "maximum_version": ssl.TLSVersion.TLSv1_2}
    assert shaken(server, client(authority, **versions))[0].version() == "TLSv1.2"
    assert server.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("most", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_must_show_a_certificate_is_refused_without_a_good_one(authority, stranger, files, most):
    """None, one of a stranger, and an expired one are refused at a mutual port; at the others nobody is asked."""
    given = settings(files, tls_client_ca=authority.file)
    good, old, other = authority.signed("kim"), authority.signed("old", ends=-DAY / 2), stranger.signed("eve")
    for name in ("otlp", "sql"):
        server = door(given, name)
        assert subject(shaken(server, client(authority, good, maximum_version=most))[1]) == "kim"
        for bad in (None, other, old):
            with pytest.raises(ssl.SSLError, match="CERTIFICATE"):
                shaken(server, client(authority, bad, maximum_version=most))
    for name in ("api", "health"):
        shaken(door(given, name), client(authority, maximum_version=most))


def test_a_changed_certificate_is_shown_at_the_next_handshake(authority, stranger, files):
    """Also of another authority, and to a client that sends no name; what was open goes on as it was."""
    server = door(settings(files), "api")
    asking, answering = shaken(server, client(authority))
    moved(stranger.signed("renewed"), files)
    assert subject(shaken(server, client(stranger))[0]) == "renewed"
    asking.write(b"still here")
    assert answering.read() == b"still here"


def test_a_changed_authority_of_clients_counts_at_once(authority, stranger, files, tmp_path):
    """Who was let in before is refused when the authority is another, and the new ones are let in."""
    known = tmp_path / "clients.pem"
    known.write_bytes(authority.file.read_bytes())
    server = door(settings(files, tls_client_ca=known), "otlp")
    ours, others = authority.signed("ours"), stranger.signed("others")
    assert subject(shaken(server, client(authority, ours))[1]) == "ours"
    moved([stranger.file], [known])
    assert subject(shaken(server, client(authority, others))[1]) == "others"
    with pytest.raises(ssl.SSLError, match="CERTIFICATE"):
        shaken(server, client(authority, ours))


@pytest.mark.parametrize("broken", ["key", "empty", "gone"])
def test_half_of_a_change_is_not_shown(authority, files, broken):
    """With another's key, an empty file or none the one before is shown, and a problem says so until all is whole."""
    server, renewed = door(settings(files), "api"), authority.signed("renewed")
    if broken == "key":
        moved(renewed[:1], files[:1])
    elif broken == "empty":
        files[0].write_bytes(b"")
    else:
        files[0].unlink()
    assert subject(shaken(server, client(authority))[0]) == "port"
    assert str(files[0]) in PROBLEMS.current()[PROBLEM]
    moved(renewed, files)
    assert subject(shaken(server, client(authority))[0]) == "renewed"
    assert PROBLEM not in PROBLEMS.current()


def test_files_that_cannot_be_used_keep_a_port_from_opening(authority, files, tmp_path):
    """A missing file, another's key, a key with a passphrase and an authority that is none are named."""
    (tmp_path / "none.pem").write_text("nothing")
    bad = [
        settings((files[0], authority.signed("another")[1])),
        settings((tmp_path / "gone.pem", files[1])),
        settings(files, tls_client_ca=tmp_path / "none.pem"),
    ]
    for given, named in zip(bad, ("port.pem", "gone.pem", "none.pem"), strict=True):
        with pytest.raises(SettingsError, match=named):
            door(given, "otlp")


def test_settings_that_make_no_sense_are_refused(monkeypatch):
    """A key without a certificate, and ports that there are not."""
    monkeypatch.setenv("WATCHKEEPER_TLS_KEY", "a.key")
    monkeypatch.setenv("WATCHKEEPER_TLS_CLIENT_PORTS", "otlp,grpc")
    with pytest.raises(SettingsError, match=r"TLS_KEY: .*TLS_CERT(.|\n)*no port is called grpc"):
        load()


def test_the_end_of_a_certificate_is_seen_before_it_comes(authority):
    """Weeks before, it says in how many days; later that it is over, that it is not good yet, or what else is wrong."""
    far = authority.signed("far", ends=(SOON_DAYS + 1) * DAY)
    assert wrong_with_certificate(Settings()) == ""
    assert wrong_with_certificate(settings(far)) == ""
    assert wrong_with_certificate(settings(authority.signed("near", ends=5.2 * DAY))).endswith(
        "near.pem is over in 5 days"
    )
    assert wrong_with_certificate(settings(authority.signed("old", ends=-DAY / 2))).endswith("old.pem is over")
    assert wrong_with_certificate(settings(authority.signed("next", begins=DAY))).endswith("next.pem is not good yet")
    assert "can't be used" in wrong_with_certificate(settings((far[0], authority.signed("x")[1])))
