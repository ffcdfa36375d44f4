"""Lends this computer's GPU to a program on another one: `streamer worker` listens, and draws what it is sent.

One program at a time. The model stays loaded when the connection is lost, so that the next one draws at once.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
import ssl
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from streamer.errors import BackendError
from streamer.generator.ipc import LOADING_JOB, Failed, Start
from streamer.generator.remote_link import CLOSE_S, OPEN_S, PING_EVERY_S, PING_WAIT_S, SUBPROTOCOL
from streamer.generator.slot import Slot
from streamer.generator.worker_session import WorkerSession
from streamer.generator.worker_wire import MAX_BYTES, WireError, decode_for_worker, encode

log = logging.getLogger(__name__)

START_S = 5.0
ALIVE_S = 2.0
POLICY_VIOLATION = 1008

Build = Callable[[Start, Path], Slot]
"""Builds what draws by the first message of a program, with the folder of its layouts; raises BackendError."""


@dataclass(eq=False)
class Guest:
    """The program that this computer draws for."""

    home: str
    connection: ServerConnection
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def answers(self) -> bool:
        """Tell whether it is still there."""
        try:
            async with asyncio.timeout(ALIVE_S):
                await (await self.connection.ping())
        except (ConnectionClosed, TimeoutError):
            return False
        return True


class WorkerServer:
    """Listen for one program, and keep a supervised generator process for it."""

    def __init__(self, token: str, build: Build, folder: Path) -> None:
        self._token, self._build, self._folder = token.encode(), build, folder
        self._guest: Guest | None = None
        self._start: Start | None = None
        self._supervisor: Slot | None = None
        self._running: asyncio.Task[None] | None = None
        self._refused = 0

    async def run(self, listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve until cancelled."""
        try:
            async with serve(
                self._serve, sock=listening, ssl=tls, process_request=self._check, subprotocols=[SUBPROTOCOL],
                origins=[None], compression=None, max_size=MAX_BYTES, open_timeout=OPEN_S, close_timeout=CLOSE_S,
                ping_interval=PING_EVERY_S, ping_timeout=PING_WAIT_S, server_header=None,
            ) as server:  # fmt: skip
                await server.serve_forever()
        finally:
            await self._stop()

    async def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse whoever has no token or speaks another version, before anything else is read."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token):
            self._refused += 1
            if self._refused & (self._refused - 1) == 0:  # the first, second, fourth ...: a flood writes no log
                log.warning("refused a connection without the right token (%d until now)", self._refused)
            return connection.respond(HTTPStatus.UNAUTHORIZED, "the token is wrong\n")
        if SUBPROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
            return connection.respond(HTTPStatus.UPGRADE_REQUIRED, f"this worker speaks {SUBPROTOCOL}\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        """Draw for one program until its connection ends."""
        try:
            async with asyncio.timeout(START_S):
                start = decode_for_worker(await connection.recv(decode=False))
            if not isinstance(start, Start):
                raise WireError("the first message is no start")
            with suppress(ConnectionClosed):
                await self._draw_for(start, connection)
        except (ConnectionClosed, TimeoutError) as error:
            log.info("a program connected and left at once: %s", error)
        except WireError as error:
            log.warning("a program sent what cannot be read: %s", error)
            await connection.close(POLICY_VIOLATION, str(error)[:100])

    async def _draw_for(self, start: Start, connection: ServerConnection) -> None:
        guest = Guest(start.home, connection)
        if not await self._make_room(guest):
            await connection.send(encode(Failed(LOADING_JOB, BackendError.__name__, "it draws for another program")))
            return
        try:
            supervisor = await self._supervised(start)
            log.info("drawing for a program at %s", _address(connection))
            await WorkerSession(connection, supervisor).run()
        except BackendError as error:
            await connection.send(encode(Failed(LOADING_JOB, type(error).__name__, error.problem, error.fix)))
        finally:
            self._guest = None
            guest.gone.set()
            log.info("the program at %s has left; the model stays loaded", _address(connection))

    async def _make_room(self, guest: Guest) -> bool:
        """Take the place of the same program's lost connection, or of another program that is gone."""
        while (other := self._guest) is not None:
            if other.home != guest.home and await other.answers():
                return False
            other.connection.transport.abort()
            await other.gone.wait()
        self._guest = guest
        return True

    async def _supervised(self, start: Start) -> Slot:
        """Return what draws; the model is loaded again only when something else is asked for."""
        wanted = replace(start, home="")
        if self._supervisor is None or self._start != wanted:
            await self._stop()
            self._supervisor = self._build(wanted, self._write_layouts(wanted))
            self._running = asyncio.create_task(self._supervisor.run(), name="supervisor")
            self._start = wanted
        return self._supervisor

    def _write_layouts(self, start: Start) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        for name, text in start.layouts.items():
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return folder

    async def _stop(self) -> None:
        """End the generator process."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._running = self._supervisor = None


def _address(connection: ServerConnection) -> str:
    return str((connection.remote_address or ("an unknown address",))[0])
