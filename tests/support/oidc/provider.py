"""The provider as tests see it: started, killed, told who is there, and told to lie."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests

from streams.local.broker import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
SECONDS = 60


class Provider:
    """A provider at an address of its own."""

    def __init__(self, folder):
        self.port = free_port()
        self.issuer = f"http://localhost:{self.port}"
        self._log = folder / "provider.log"
        self._process = None

    def start(self):
        """Start it, and wait until it answers."""
        environment = os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"}  # it speaks HTTP, on this machine alone
        command = [sys.executable, "-W", "ignore", "-m", "tests.support.oidc.serving", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        wait_until(self._answers)

    def stop(self):
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def hanging(self):
        """Have it hear whoever comes, and answer nobody."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _answers(self):
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(f"{self.issuer}/jwks", timeout=SECONDS).ok
        except requests.ConnectionError:
            return False

    def knows(self, subject, **claims):
        """Have it know somebody."""
        requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=SECONDS).raise_for_status()

    def lies(self, **lies):
        """Have it lie from now on; with nothing, be honest again."""
        requests.put(f"{self.issuer}/lies", json=lies, timeout=SECONDS).raise_for_status()

    def client(self, back):
        """Register a client that comes back to an address, and return its id and its secret."""
        made = requests.post(f"{self.issuer}/oauth2/clients", json={"redirect_uris": [back]}, timeout=SECONDS).json()
        return made["client_id"], made["client_secret"]

    def authorised(self, there, subject):
        """Sign somebody in at the address that a console sent them to, and return where they are sent back to."""
        page = requests.get(there, timeout=SECONDS)
        assert page.ok, page.text
        assert re.search("<form", page.text)
        answer = requests.post(there, data={"sub": subject}, timeout=SECONDS, allow_redirects=False)
        return answer.headers["location"]

    def denied(self, there):
        """Refuse at the provider, and return where somebody is sent back to; the package leaves the state out."""
        answer = requests.post(there, data={"action": "deny"}, timeout=SECONDS, allow_redirects=False)
        [state] = parse_qs(urlsplit(there).query)["state"]
        return f"{answer.headers['location']}&state={state}"


@contextmanager
def provider(folder):
    """Give a provider that answers."""
    made = Provider(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()
