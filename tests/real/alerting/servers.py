"""Prometheus, Alertmanager and a listener as real servers on loopback."""

import subprocess
from datetime import UTC, datetime

import requests
import yaml

from streams.local.broker import die_with_parent, free_port
from tests.real.alerting.config import RESENDS_AFTER, prometheus_config, shortened_rules
from tests.support.hook import Hook
from tests.support.programs import PROMETHEUS, program
from tests.support.waiting import PATIENCE_SECONDS, wait_until


class Server:
    """One process with a web page that tells when it is ready."""

    def __init__(self, name, folder):
        self.port, self.folder = free_port(), folder
        self._command = [
            program(name, PROMETHEUS),
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--config.file={folder}/c.yaml",
        ]
        self._process = None
        folder.mkdir()

    def configure(self, name, content):
        """Write a file beside its data."""
        (self.folder / name).write_text(yaml.safe_dump(content))

    def start(self, *flags):
        """Start, and wait until it is ready."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *flags],
                stdout=log, stderr=log, cwd=self.folder, preexec_fn=die_with_parent,  # noqa: PLW1509  before any thread
            )  # fmt: skip
        wait_until(self._ready)

    def _ready(self):
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/-/ready", timeout=1).ok
        except requests.RequestException:
            return False

    def ask(self, path, **parameters):
        """Return what its API answers."""
        answer = requests.get(f"http://127.0.0.1:{self.port}{path}", parameters, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def stop(self):
        """End it, unless it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)


class Prometheus(Server):
    """The rules, looked at every second."""

    def __init__(self, folder, workers, alertmanagers):
        super().__init__("prometheus", folder)
        self.configure("c.yaml", prometheus_config(workers, alertmanagers))
        self.configure("rules.yaml", shortened_rules())

    def start(self):
        """Start with an empty history; an alert sent before Alertmanager was found is sent again soon."""
        super().start(f"--storage.tsdb.path={self.folder}/data", f"--rules.alert.resend-delay={RESENDS_AFTER}s")

    def value(self, expression, at):
        """Return the one value of an expression at a time."""
        [found] = self.ask("/api/v1/query", query=expression, time=at)["data"]["result"]
        return float(found["value"][1])


class Alertmanager(Server):
    """One Alertmanager by itself, in no cluster."""

    def __init__(self, folder, config):
        super().__init__("prometheus-alertmanager", folder)
        self.configure("c.yaml", config)

    def start(self):
        """Start with what it knew before."""
        super().start(f"--storage.path={self.folder}/data", "--cluster.listen-address=")

    def alerts(self):
        """Return the alerts that fire, as its API tells them."""
        return self.ask("/api/v2/alerts")

    def post(self, start, end=None, **labels):
        """Tell it of an alert as Prometheus does."""
        alert = {"labels": {"source": "watchkeeper", "severity": "page", **labels}, "startsAt": written(start)}
        alert |= {"endsAt": written(end)} if end else {}
        answer = requests.post(f"http://127.0.0.1:{self.port}/api/v2/alerts", json=[alert], timeout=60)
        assert answer.ok, answer.text

    def failed(self):
        """Return how many attempts to tell a webhook have failed."""
        return self._counted("alertmanager_notification_requests_failed_total")

    def tried(self):
        """Return how many attempts to tell a webhook there were."""
        return self._counted("alertmanager_notification_requests_total")

    def answered(self):
        """Whether a webhook has answered well: what it then knows of it, it does not tell again."""
        tried = self.tried()
        return tried > self.failed()

    def _counted(self, name):
        text = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=60).text
        [line] = [each for each in text.splitlines() if each.startswith(f'{name}{{integration="webhook"}}')]
        return float(line.split()[1])


class Listener(Hook):
    """A webhook that keeps what Alertmanager says of each episode."""

    @property
    def told(self):
        """What was said last of each alert, by fingerprint, start and status."""
        alerts = [alert for body in self.bodies() for alert in body["alerts"]]
        return {(each["fingerprint"], each["startsAt"], each["status"]): each for each in alerts}


def written(seconds):
    """Return a time as both programs write it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
