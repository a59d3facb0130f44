"""Ports of this machine: which are taken, and by whom, before anything is started on them."""

import contextlib
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from streams.settings import PORTS_OF_ONE, SettingsError

_LISTENING: Final = "0A"
_OURS: Final = ("streams", "watchkeeper", "kafka.Kafka")
_SOME: Final = range(16_384, 32_768)
"""Below those that Linux and macOS give to connections: one of these could take the port of a part that is being
started again, and it would stay down."""

_TRIES: Final = 500


class Holder(NamedTuple):
    """Who listens at a port."""

    pid: int
    command: str

    def __str__(self) -> str:
        """Say who, and whether it may be one of ours."""
        ours = "; another watchkeeper?" if any(word in self.command for word in _OURS) else ""
        return f"process {self.pid}: {self.command[:100]}{ours}"


def check_ports(ports: Mapping[str, tuple[str, int]], remedy: str) -> None:
    """Refuse ports that are taken, all of them at once.

    Parameters
    ----------
    ports
        Address and port, by what they are for.
    remedy
        What moves them, for the message.

    Raises
    ------
    SettingsError
        With each port that is taken and who holds it, as far as this user may know.
    """
    taken = [
        f"port {port} for {name} is taken by {holder(port) or 'a process that can not be seen'}"
        for name, (host, port) in ports.items()
        if not free(host, port)
    ]
    if taken:
        raise SettingsError(f"{'; '.join(taken)}. Stop what runs there, or {remedy}")


def free(host: str, port: int) -> bool:
    """Tell whether a port can be bound."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0], address[1]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except OSError:
        return False
    return True


def free_port(port: int = 0) -> int:
    """Return a port on loopback that is free, and that nobody else is given for a minute.

    A connection to itself that this side has closed leaves the port in TIME_WAIT: the system hands it out to nobody,
    while a server that asks for it by its number gets it.

    Parameters
    ----------
    port
        The one that is wanted; 0 takes any.

    Raises
    ------
    OSError
        Where the one that is wanted is taken, or was given away less than a minute ago.
    """
    if not port:
        return _some(1)
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only now, or two could be given one port
        server.listen(1)
        with socket.create_connection(server.getsockname()) as other:
            server.accept()[0].close()
            other.recv(1)
        return int(server.getsockname()[1])


def free_base_port() -> int:
    """Return a base port from which on all ports of an installation are free, as `free_port` says."""
    return _some(PORTS_OF_ONE)


def _some(number: int) -> int:
    """Return the first of so many free ports in a row."""
    for _ in range(_TRIES):
        first = _SOME.start + secrets.randbelow(len(_SOME) - number)
        with contextlib.suppress(OSError):
            for port in range(first, first + number):
                free_port(port)
            return first
    raise OSError(f"no {number} free ports in a row from {_SOME.start} to {_SOME.stop} on 127.0.0.1")


def holder(port: int) -> Holder | None:
    """Return who listens at a port; None where nobody does, or where the system does not tell."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if sockets else ():
        with contextlib.suppress(OSError):  # it has ended, or is not ours to look at
            if any(str(each.readlink()) in sockets for each in (process / "fd").iterdir()):
                return Holder(int(process.name), command(process))
    return None


def command(process: Path) -> str:
    """Return the command line of a folder of `/proc`."""
    return " ".join(part.decode(errors="replace") for part in (process / "cmdline").read_bytes().split(b"\0") if part)


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(fields[9])
    return found
