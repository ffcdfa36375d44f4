"""A network between a client and a server that can stop carrying anything, while both ends believe in it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

NO_DELAYS = itertools.repeat(0.0)


class LossyNetwork:
    """Carries bytes to a port; ``cut`` drops everything on the connections that are open then, and closes none.

    ``delays_s`` is how long each next piece takes: what is lost on the way comes late, since TCP sends it again.
    """

    def __init__(self, target_port: int, delays_s: Iterator[float] = NO_DELAYS) -> None:
        self._target_port, self._delays_s = target_port, delays_s
        self._carriers: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._dead: set[asyncio.StreamWriter] = set()
        self.port = 0

    def cut(self) -> None:
        """Drop what comes on every connection that is open now; later ones work."""
        self._dead |= set(self._writers)

    def drop(self) -> None:
        """Close every connection that is open now, as a restarted router does."""
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one client to the server."""
        to_read, to_write = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers += [writer, to_write]
        for source, sink in ((reader, to_write), (to_read, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._carriers.add(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if delay_s := next(self._delays_s):
                await asyncio.sleep(delay_s)
            if sink not in self._dead:
                sink.write(data)
        if sink not in self._dead:
            sink.close()

    async def close(self) -> None:
        """Drop every connection."""
        for task in self._carriers:
            task.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def lossy_network(target_port: int, delays_s: Iterator[float] = NO_DELAYS) -> AsyncIterator[LossyNetwork]:
    """Carry connections to a port of this machine until the end of the block."""
    network = LossyNetwork(target_port, delays_s)
    server = await asyncio.start_server(network.carry, "127.0.0.1", 0)
    network.port = server.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        server.close()
        await network.close()
