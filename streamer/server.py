"""Binds the address and runs everything that app.py built, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException

import uvicorn

from streamer import standard_streams
from streamer.api.acceptor import Acceptor, connections_that_fit
from streamer.api.auth import ISSUED_ROLES, TokenRole
from streamer.api.connection_guard import ConnectionGuard, GuardedHttp
from streamer.api.v1.tenants import month_start
from streamer.app import App
from streamer.errors import ListenError, StoreError
from streamer.generator.pool import Pool
from streamer.integrations.obs.image_files import PictureFiles
from streamer.interfaces import Health
from streamer.lru import LruDict
from streamer.pipeline.requeue import FRESH_S, requeue
from streamer.pipeline.show import restore

SHUTDOWN_S = 2
TOKENS_EVERY_S = 1.0
HEALTH_EVERY_S = 0.1
REPEATED_EVERY_S = 60.0
LINES_REMEMBERED = 64
ANYBODY_CAUSES = ("uvicorn.error", "streamer.overlay.server", "streamer.api.acceptor")
"""The loggers of lines that whoever reaches the port can bring about without a token."""
ALREADY_RUNNING = "streamer is already running there"


def listen(host: str, port: int, config_file: str = "config.yaml") -> socket.socket:
    """Bind the address; raise ListenError that names the program which has it, and the file that can change it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio disables Nagle's algorithm only then: with it, the second of two messages
    # in a row (a picture and its toast) arrives 40 ms late.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if host == "::":
        # Windows would otherwise leave IPv4 out, by which a LAN is mostly reached.
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        problem = _occupant(host, port) or error.strerror or str(error)
        raise ListenError(host, port, problem, config_file) from error
    return listening


def _occupant(host: str, port: int) -> str | None:
    """Say which program answers at the address, if any does."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # nosec B104
    # Not by urllib or httpx, which may ask a proxy.
    with suppress(OSError, HTTPException), closing(HTTPConnection(reachable, port, timeout=1)) as connection:
        try:
            connection.request("GET", "/healthz")
            body = connection.getresponse().read(200)
        except HTTPException:
            body = b""
        return ALREADY_RUNNING if b'"streamer"' in body else "another program answers there"
    return None


async def serve(
    app: App,
    listening: socket.socket,
    on_health: Callable[[Health], None],
    on_listening: Callable[[], None] = lambda: None,
) -> None:
    """Run until stopped. The server starts first, so that the overlay connects while the model loads.

    ``on_health`` is called with each change of the generator's health, ``on_listening`` once pages can connect.
    """
    await app.store.open()
    interrupted = await app.store.recover(FRESH_S)
    if app.config.obs is None:
        # Without the obs section nothing else deletes the files of image sources that an earlier run left behind.
        await asyncio.to_thread(PictureFiles(app.store.home / "obs" / "pictures", ()).replace_all, {})
    try:
        await _refresh(app)
        app.tenants.restore(await app.store.tenants.usage(month_start(time.time())))
        await restore(app.channel.show)
        await requeue(app.channel, interrupted)
        web = _server(app, on_listening)
        _count_repeated_lines()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(app.generator.run(), name="generator"),
                tasks.create_task(app.pipeline.run(), name="pipeline"),
                tasks.create_task(app.twitch.run(), name="twitch-login"),
                tasks.create_task(app.terms.run(), name="blocked-terms"),
                tasks.create_task(_watch_health(app.generator, on_health), name="progress"),
                tasks.create_task(_watch_tokens(app), name="tokens"),
                tasks.create_task(app.store.database.watch_disk(), name="disk"),
                tasks.create_task(web.guard.run(), name="connections"),
            ]
            await web.serve(sockets=[listening])
            for task in running:
                task.cancel()
    finally:
        await app.twitch.close()
        await app.store.close()


class RepeatedLines(logging.Filter):
    """Lets a line pass once a minute, however often strangers bring it about, and says how many it held back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = clock
        self._written_at = LruDict[str, float](LINES_REMEMBERED)
        self._held_back: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is written."""
        line = f"{record.msg} {record.exc_info[1]!r}" if record.exc_info else str(record.msg)
        written_at = self._written_at.get(line)
        if written_at is not None and self._now() - written_at < REPEATED_EVERY_S:
            self._held_back[line] += 1
            return False
        self._written_at.put(line, self._now())
        if held_back := self._held_back.pop(line, 0):
            record.msg = f"{record.msg} (and {held_back} more times since it was last written)"
        return True


def _count_repeated_lines() -> None:
    for name in ANYBODY_CAUSES:
        logger = logging.getLogger(name)
        if not any(isinstance(present, RepeatedLines) for present in logger.filters):
            logger.addFilter(RepeatedLines())


async def _watch_health(generator: Pool, on_health: Callable[[Health], None]) -> None:
    """Report each change of the generator's health, until cancelled."""
    last: Health | None = None
    while True:
        if (health := generator.health()) != last:
            on_health(health)
            last = health
        await asyncio.sleep(HEALTH_EVERY_S)


async def _watch_tokens(app: App) -> None:
    """Apply what the command line issues and revokes, until cancelled: a leaked token is locked out during the show."""
    while True:
        await asyncio.sleep(TOKENS_EVERY_S)
        with suppress(StoreError):
            await _refresh(app)


async def _refresh(app: App) -> None:
    # A role of a newer version opens nothing here; it must not end the show.
    roles = {role.value: role for role in ISSUED_ROLES}
    issued = {one.digest: roles[one.role] for one in await app.store.tokens.all() if one.role in roles}
    keys = await app.store.tenants.keys()
    app.tokens.replace_issued({**issued, **dict.fromkeys(keys, TokenRole.TENANT)})
    app.tenants.replace(await app.store.tenants.all(), keys)


class GuardedServer(uvicorn.Server):
    """Listens behind the connection guard, stops on the first signal and lets the rest of the program end in order."""

    def __init__(
        self, config: uvicorn.Config, guard: ConnectionGuard, on_listening: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self.guard, self._on_listening = guard, on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections ourselves: asyncio takes thousands at once, and logs without end when it runs out."""
        await super().startup(sockets=[])
        may_wait = self.guard.table.capacity // 4
        self.servers = [
            Acceptor(listening, self._protocol, self.guard.role_of, may_wait, self.guard.note_flood)  # type: ignore[misc]
            for listening in sockets or []
        ]
        self._on_listening()

    def _protocol(self) -> GuardedHttp:
        return GuardedHttp(self.guard, self.config, self.server_state, self.lifespan.state)

    def handle_stop_signals(self) -> None:
        """Install the handlers; call this on the event loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError):  # Windows, or not in the main thread
                loop.add_signal_handler(number, self._stop)
        # nohup ignores the signal, and the program then outlives its terminal.
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            with suppress(NotImplementedError, ValueError):
                loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _stop(self) -> None:
        self.should_exit = True

    def _hang_up(self) -> None:
        """Stop because the terminal was closed: what is still printed must not fail."""
        standard_streams.silence()
        self._stop()


def _server(app: App, on_listening: Callable[[], None]) -> GuardedServer:
    metrics = app.channel.show.metrics
    guard = ConnectionGuard(
        app.config.server.limits, connections_that_fit(), app.tokens.role, metrics.connection_closed
    )
    # Compressing a 300 KB frame costs 20 ms for each page and saves nothing; a page sends only small JSON.
    web = GuardedServer(
        uvicorn.Config(
            app.asgi, http="h11", ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=65_536,
            ws_ping_interval=10, ws_ping_timeout=10, proxy_headers=False, server_header=False, access_log=False,
            lifespan="off", log_level="warning", timeout_graceful_shutdown=SHUTDOWN_S,
            h11_max_incomplete_event_size=16_384,
        ),
        guard, on_listening,
    )  # fmt: skip
    web.handle_stop_signals()
    return web
