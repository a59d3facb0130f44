"""A relay between one worker and one broker that can be cut, as a network can: nothing passes, nobody is told."""

import asyncio
import contextlib
import threading


class Relays:
    """Relays in a thread of their own; each has a name, and all of one name are cut together.

    Parameters
    ----------
    host
        The address on which they listen.
    """

    def __init__(self, host="127.0.0.1"):
        self._host = host
        self._loop = asyncio.new_event_loop()
        self._open = {}
        self._through = {}
        self._servers = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        self._loop.run_forever()
        self._loop.close()

    def add(self, name, port, target):
        """Listen on a port and pass everything on to another one."""
        gate = self._open.setdefault(name, asyncio.Event())
        through = self._through.setdefault(name, set())
        self._loop.call_soon_threadsafe(gate.set)

        async def serve(reader, writer):
            through.add(writer)
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", target)
                await asyncio.gather(_pass(reader, there[1], gate), _pass(there[0], writer, gate))
            through.discard(writer)
            writer.close()

        begin = asyncio.start_server(serve, self._host, port)
        self._servers.append(asyncio.run_coroutine_threadsafe(begin, self._loop).result(10))

    def cut(self, name):
        """Let nothing through any more, and keep connections as they are."""
        self._loop.call_soon_threadsafe(self._open[name].clear)

    def mend(self, name):
        """Let everything through again, also what has waited."""
        self._loop.call_soon_threadsafe(self._open[name].set)

    def drop(self, name):
        """End all connections that there are; who opens another one is let through."""
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in list(self._through[name])])

    def stop(self):
        """End all of them."""
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)


async def _pass(reader, writer, gate):
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            await gate.wait()
            writer.write(data)
            await writer.drain()
    writer.close()
