"""Ports that speak TLS, as our own clients and those of others find them; engine, receiver and broker are real."""

import itertools
import socket
import ssl
import threading

import pytest
import requests

from schemas.topics import OTLP_SPANS
from streams.access.tokens import made_token
from streams.api.client import ApiError, fetch
from streams.local.page import Page
from streams.local.ports import free_port
from streams.settings import Settings, SettingsError
from streams.sql.server import Endpoint
from streams.store.ask import ask as ask_store
from streams.store.client import StoreUnavailableError
from streams.tls.asking import NotTrustedError, address, ask
from streams.worker.healthcheck import well
from tests.faults.log import log
from tests.support.authority import moved, subject
from tests.support.receiver import PROTOBUF, ReceiverProcess, trace_id, trace_request
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

NAME = "watch.example"


@pytest.fixture
def secure(authority, tmp_path):
    """Settings of ports with a certificate of a name, which a test may change."""
    files = tmp_path / "port.pem", tmp_path / "port.key"
    moved(authority.signed("port", f"DNS:{NAME}"), files)
    return Settings(
        tls_cert=files[0], tls_key=files[1], tls_ca=authority.file, tls_name=NAME, data_dir=tmp_path / "data",
        clickhouse=f"chdb://{tmp_path}/none", kafka_session_seconds=3,
    )  # fmt: skip


@pytest.fixture
def page(secure):
    """The page of a supervisor without children: it is well."""
    running = Page(secure, 0, list)
    yield running
    running.stop()


def test_the_page_is_asked_by_name_and_authority(secure, page, stranger):
    """Our own way of asking finds it; without its name, its authority or TLS it does not, and says what to set."""
    url = f"{address(secure, page.port)}/health"
    assert url.startswith("https://127.0.0.1:")
    assert ask(secure, "GET", url, timeout=60).json()["healthy"]
    for wrong, why in (
        ({"tls_name": ""}, "mismatch"),
        ({"tls_ca": stranger.file}, "local issuer"),
        ({"tls_ca": None}, ""),
    ):
        with pytest.raises(NotTrustedError, match=f"{why}.*WATCHKEEPER_TLS_CA"):
            ask(secure.model_copy(update=wrong), "GET", url, timeout=60)
    with pytest.raises(SettingsError, match=r"gone\.pem"):
        ask(secure.model_copy(update={"tls_ca": secure.tls_cert.with_name("gone.pem")}), "GET", url, timeout=60)
    with pytest.raises(requests.ConnectionError):
        requests.get(url.replace("https", "http"), timeout=60)


def test_a_client_that_says_nothing_holds_up_nobody(secure, page):
    """Half a handshake waits by itself; the next client is answered."""
    with socket.create_connection(("127.0.0.1", page.port)) as silent:
        silent.send(b"\x16\x03")
        assert ask(secure, "GET", f"{address(secure, page.port)}/ready", timeout=60).ok


def test_a_container_finds_its_worker_well(secure, page, monkeypatch):
    """The health check asks as the settings say; with another authority it finds nothing well."""
    assert not well(page.port)
    for name in ("tls_cert", "tls_key", "tls_ca"):
        monkeypatch.setenv(f"WATCHKEEPER_{name.upper()}", str(getattr(secure, name)))
    assert well(page.port)
    monkeypatch.delenv("WATCHKEEPER_TLS_CA")
    assert not well(page.port)


def test_commands_say_who_is_not_trusted(secure, page, stranger):
    """The API's client and the store's say so, rather than that nothing runs."""
    made_token(secure)
    wrong = secure.model_copy(update={"tls_ca": stranger.file, "api_port": page.port, "sql_port": page.port})
    with pytest.raises(ApiError, match="is not trusted"):
        fetch(wrong, "GET", "/incidents")
    with pytest.raises(StoreUnavailableError, match="is not trusted"):
        ask_store(wrong, "SELECT 1", "TSV")


@pytest.mark.store
def test_sql_asks_for_a_certificate_and_goes_on_over_a_change(store_settings, secure, authority, stranger):
    """Who shows none is refused; a question in work is answered though the certificate changes meanwhile."""
    tls = {name: getattr(secure, name) for name in ("tls_cert", "tls_key", "tls_ca", "tls_name")}
    settings = store_settings.model_copy(update=tls | {"tls_client_ca": authority.file, "sql_port": free_port()})
    endpoint, answers = Endpoint(settings), []
    endpoint.start()
    try:
        assert ask_store(settings, "SELECT 1", "TSV") == b"1\n"
        with pytest.raises(StoreUnavailableError, match="does not trust us"):
            ask_store(settings.model_copy(update={"tls_cert": stranger.file, "tls_key": None}), "SELECT 1", "TSV")
        slow = "SELECT count() FROM numbers(2000000000) WHERE number % 7 = 3"
        asking = threading.Thread(target=lambda: answers.append(ask_store(settings, slow, "TSV")))
        asking.start()
        moved(authority.signed("renewed", f"DNS:{NAME}"), (secure.tls_cert, secure.tls_key))
        assert ask_store(settings, "SELECT 2", "TSV") == b"2\n"
        asking.join()
        assert answers == [b"285714286\n"]
    finally:
        endpoint.stop()


def test_the_receiver_loses_nothing_while_certificates_change(kafka_settings, secure, authority):
    """Clients post while the certificate changes: each answer is 200, and each trace is in Kafka."""
    files = secure.tls_cert, secure.tls_key
    given = {"TLS_CERT": files[0], "TLS_KEY": files[1], "TLS_CA": authority.file, "TLS_NAME": NAME}
    shop = secure.model_copy(update=dict(zip(("tls_cert", "tls_key"), authority.signed("shop"), strict=True)))
    receiver = SecureReceiver(kafka_settings, shop, TLS_CLIENT_CA=authority.file, **given).start()
    numbers, ended, seen = itertools.count(1), threading.Event(), []

    def post():
        while not ended.is_set():
            number = next(numbers)
            seen.append((number, receiver.post(trace_request([(number, 1, "a")]).SerializeToString()).status_code))

    clients = [threading.Thread(target=post) for _ in range(3)]
    try:
        for each in clients:
            each.start()
        for change in range(5):
            before = len(seen)
            moved(authority.signed(f"change{change}", f"DNS:{NAME}"), files)
            assert receiver.shown() == f"change{change}"
            wait_until(lambda before=before: len(seen) > before + 10)
        with pytest.raises(requests.RequestException):  # who shows no certificate
            requests.post(f"{receiver.url}/v1/traces", b"", verify=str(authority.file), timeout=60)
    finally:
        ended.set()
        for each in clients:
            each.join()
        assert receiver.stop() == 0
    kept = {record.key for records in log(kafka_settings, OTLP_SPANS).values() for record in records}
    assert {code for _, code in seen} == {200}
    assert kept == {trace_id(number).hex().encode() for number, _ in seen}


class SecureReceiver(ReceiverProcess):
    """As the other, asked over TLS by a client with a certificate of its own."""

    def __init__(self, settings, client, **environment):
        super().__init__(settings, **environment)
        self._client, self.url = client, address(client, self.port)

    def shown(self):
        """Return the name in the certificate that it shows now."""
        context = ssl.create_default_context(cafile=self._client.tls_ca)
        context.load_cert_chain(self._client.tls_cert, self._client.tls_key)
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            return subject(context.wrap_socket(plain, server_hostname=NAME))

    def ready(self):
        """Tell whether it is ready; it must not have ended."""
        assert self.process.poll() is None, self.words()
        try:
            return ask(self._client, "GET", f"{self.url}/ready", timeout=10).ok
        except requests.RequestException:
            return False

    def post(self, body, signal="traces"):
        """Return the answer to a body."""
        headers = {"Content-Type": PROTOBUF}
        return ask(self._client, "POST", f"{self.url}/v1/{signal}", data=body, headers=headers, timeout=60)
