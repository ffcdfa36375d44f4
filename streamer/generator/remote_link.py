"""The connection to a worker on another computer, as the supervisor sees it: commands out, replies in, lost or not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from streamer.errors import BackendError, in_words
from streamer.generator.ipc import LOADING_JOB, Begin, DrawCommand, Failed, Produced, Start, WorkerCommand, WorkerReply
from streamer.generator.restart_policy import ExitCause, WorkerExit
from streamer.generator.worker_link import NotStarted
from streamer.generator.worker_wire import (
    MAX_BYTES,
    MOST_LAYOUTS,
    VERSION,
    HomeMessage,
    WireError,
    WorkerMessage,
    decode_for_home,
    encode,
)
from streamer.integrations import network
from streamer.types import ImageRequest

SUBPROTOCOL = Subprotocol(f"streamer-worker-{VERSION}")
OPEN_S, CLOSE_S = 5.0, 1.0
PING_EVERY_S, PING_WAIT_S = 2.0, 4.0
"""A computer that went away without a word is missed within six seconds; a busy network is given four."""
WAITING_MESSAGES = 256
REFUSED = {
    401: "it refuses the token; write the token that `streamer worker` printed into the slot's token_file",
    426: "it is of another version; update the program on both computers",
}


@dataclass(frozen=True, slots=True)
class RemoteWorker:
    """Where a worker is, and what it wants to see: ``tls`` replaces the usual certificates."""

    url: str
    token: str
    home: str
    tls: ssl.SSLContext | None = None


async def connect_worker(worker: RemoteWorker) -> RemoteLink:
    """Connect to a worker; raise NotStarted with the reason."""
    options = {} if worker.tls is None else {"ssl": worker.tls}
    connecting = network.websocket(
        worker.url, additional_headers={"Authorization": f"Bearer {worker.token}"}, subprotocols=[SUBPROTOCOL],
        compression=None, max_size=MAX_BYTES, open_timeout=OPEN_S, close_timeout=CLOSE_S, ping_interval=PING_EVERY_S,
        ping_timeout=PING_WAIT_S, **options,
    )  # fmt: skip
    try:
        return RemoteLink(await connecting, worker)
    except InvalidStatus as error:
        code = error.response.status_code
        why = REFUSED.get(code, f"it answers with status {code}")
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate is not trusted ({error.verify_message}); name it as ca_file of the slot"
    except TimeoutError:
        why = "it does not answer"
    except ConnectionRefusedError:
        why = "nothing listens there; start `streamer worker` on that computer"
    except socket.gaierror:
        why = "nobody knows a computer of this name"
    except (OSError, InvalidHandshake, EOFError) as error:
        why = in_words(error)
    raise NotStarted(f"the worker at {worker.url} cannot be used: {why}")


class RemoteLink:
    """Own one connection; belongs to the event loop."""

    pid = None

    def __init__(self, connection: ClientConnection, worker: RemoteWorker) -> None:
        self._connection, self._worker = connection, worker
        self._commands: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MESSAGES)
        self._replies: asyncio.Queue[WorkerReply | None] = asyncio.Queue(WAITING_MESSAGES)
        self._request: ImageRequest | None = None
        self._hangs = False
        self._problem = ""
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._read())]

    def send(self, command: WorkerCommand) -> None:
        """Queue a command without waiting; one that cannot be sent fails its picture."""
        if isinstance(command, DrawCommand):
            self._request = command.request
        try:
            self._commands.put_nowait(encode(self._to_worker(command)))
        except WireError as error:
            job = command.job if isinstance(command, DrawCommand) else LOADING_JOB
            self._queue_reply(Failed(job, BackendError.__name__, str(error)))
        except asyncio.QueueFull:
            self.leave()

    async def receive(self) -> WorkerReply | None:
        """Wait for the next reply; None when the connection is lost."""
        return await self._replies.get()

    def leave(self) -> None:
        """Drop the connection."""
        self._connection.transport.abort()
        self._queue_reply(None)

    def kill(self) -> None:
        """Drop the connection to a worker that says nothing any more."""
        self._hangs = True
        self.leave()

    async def end(self) -> WorkerExit:
        """Close the connection, and say what became of it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()
        name = f"the worker at {self._worker.url}"
        if self._hangs:
            return WorkerExit(ExitCause.HANG, f"{name} said nothing for too long")
        return WorkerExit(ExitCause.LOST, f"the connection to {name} was lost ({self._problem or 'closed'})")

    def _to_worker(self, command: WorkerCommand) -> WorkerMessage:
        return start_of(command, self._worker.home) if isinstance(command, Begin) else command

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self._connection.send(await self._commands.get())

    async def _read(self) -> None:
        try:
            while True:
                message = await self._connection.recv(decode=False)
                self._queue_reply(self._of_this_computer(decode_for_home(message)))
        except ConnectionClosed as error:
            self._problem = in_words(error)
        except WireError as error:
            self._problem = f"it sent what cannot be read: {error}"
        self._queue_reply(None)

    def _queue_reply(self, reply: WorkerReply | None) -> None:
        if self._replies.full():
            self._replies.get_nowait()  # the oldest is an outdated preview or standing
        self._replies.put_nowait(reply)

    def _of_this_computer(self, reply: HomeMessage) -> WorkerReply:
        """Give what was drawn the id and the layer of its request, which never left this computer."""
        if not isinstance(reply, Produced) or self._request is None:
            return reply
        return Produced(reply.job, replace(reply.item, request_id=self._request.id, layer=self._request.layer))


def start_of(begin: Begin, home: str) -> Start:
    """Return what a worker elsewhere has to know: everything but the backend, which its own config names."""
    return Start(home, begin.sizes, begin.jpeg_quality, begin.judges, read_layouts(begin.own_layouts), begin.loras)


def read_layouts(folder: Path) -> Mapping[str, str]:
    """Read the user's own meme layouts; one that cannot be read is missing there as it is here."""
    layouts = {}
    for path in sorted(folder.glob("*.yaml"))[:MOST_LAYOUTS]:
        with suppress(OSError, UnicodeError):
            layouts[path.stem] = path.read_text(encoding="utf-8")
    return layouts
