"""Several hosts on one machine: network namespaces on a bridge, each with its own loopback, ports and way out."""

import os
import subprocess

ADDRESS = "10.213.{net}.{host}"


class Hosts:
    """Hosts that reach this one, and each other, over a wire only; gone with the block.

    Parameters
    ----------
    count
        How many; none leaves everything on this host, where all reach each other over loopback.
    """

    def __init__(self, count):
        self._net, self._bridge = os.getpid() % 250, f"wk{os.getpid() % 100_000}"
        self.names = [f"{self._bridge}-{number}" for number in range(count)]
        self.address = ADDRESS.format(net=self._net, host=1) if count else "127.0.0.1"
        """Of this host, as the others see it."""

    def prefix(self, number):
        """Return what a command begins with that is to run on one of the hosts, whose turn it is."""
        return ["ip", "netns", "exec", self.names[number % len(self.names)]] if self.names else []

    def __enter__(self):
        if self.names:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"{self.address}/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
        for number, name in enumerate(self.names):
            wire = f"{self._bridge}v{number}"
            _ip("netns", "add", name)
            _ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", wire, "master", self._bridge, "up")
            _ip("-n", name, "addr", "add", f"{ADDRESS.format(net=self._net, host=number + 2)}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for name in self.names:
            _ip("netns", "del", name)
        if self.names:
            _ip("link", "del", self._bridge)


def _ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr} (hosts of one's own need root)"
