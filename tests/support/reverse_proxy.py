"""A small real reverse proxy in front of a program: it serves a folder of its own address, as nginx and Caddy do.

async with ReverseProxy("/streamer", strips=True) as proxy:      # http://127.0.0.1:<free port>/streamer
    proxy.port_behind = ...                                      # where the program listens
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType


class ReverseProxy:
    """Pass on what begins with ``folder``, its Host as it came; ``strips`` takes the folder off the path."""

    def __init__(self, folder: str, *, strips: bool) -> None:
        self._folder, self._strips = folder, strips
        self.port_behind = 0
        self.elsewhere: list[str] = []
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ReverseProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{self._folder}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._answer(reader, writer)
        finally:
            self._serving.discard(task)
            await _close(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, rest = head.split(" ", 2)
            if not path.startswith(self._folder):
                self.elsewhere.append(path)
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                path = path[len(self._folder) :] or "/" if self._strips else path
                # One request a connection, so that only its head has to be understood.
                if "upgrade: websocket" not in rest.lower():
                    rest = rest.replace("Connection: keep-alive\r\n", "Connection: close\r\n", 1)
                await self._pass_on(f"{method} {path} {rest}".encode("latin-1"), reader, writer)

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_program = await asyncio.open_connection("127.0.0.1", self.port_behind)
        to_program.write(head)
        forth = asyncio.create_task(_copy(reader, to_program))
        try:
            await _copy(behind, writer)
        finally:
            forth.cancel()
            await asyncio.gather(forth, return_exceptions=True)
            await _close(to_program)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
