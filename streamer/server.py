"""Binds the address and runs everything that app.py built, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from streamer.api.auth import TokenRole, TokenTable
from streamer.app import App
from streamer.config import ServerConfig
from streamer.errors import ListenError, StoreError
from streamer.integrations.obs.image_files import PictureFiles
from streamer.interfaces import Generator, Health
from streamer.pipeline.show import restore
from streamer.storage.store import Store

SHUTDOWN_S = 2
TOKENS_EVERY_S = 1.0
HEALTH_EVERY_S = 0.1
ALREADY_RUNNING = "streamer is already running there"


def listen(host: str, port: int) -> socket.socket:
    """Bind the address; raise ListenError that names the program which has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio disables Nagle's algorithm only then: with it, the second of two messages
    # in a row (a picture and its toast) arrives 40 ms late.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ListenError(host, port, _occupant(host, port) or error.strerror or str(error)) from error
    return listening


def _occupant(host: str, port: int) -> str | None:
    """Say which program answers at the address, if any does."""
    health_url = f"{ServerConfig(host=host, port=port).url}/healthz"
    with suppress(OSError, ValueError):
        with urllib.request.urlopen(health_url, timeout=1) as answer:  # nosec B310
            if b'"streamer"' in answer.read(200):
                return ALREADY_RUNNING
        return "another program answers there"
    return None


async def serve(app: App, listening: socket.socket, on_health: Callable[[Health], None]) -> None:
    """Run until stopped. The server starts first, so that the overlay connects while the model loads.

    ``on_health`` is called with each change of the generator's health.
    """
    await app.store.open()
    await app.store.recover()
    if app.config.obs is None:
        # Without the obs section nothing else deletes the files of image sources that an earlier run left behind.
        await asyncio.to_thread(PictureFiles(app.store.home / "obs" / "pictures", ()).replace_all, {})
    try:
        await _refresh(app.tokens, app.store)
        await restore(app.channel.show)
        web = _server(app)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(app.generator.run(), name="generator"),
                tasks.create_task(app.pipeline.run(), name="pipeline"),
                tasks.create_task(app.twitch.run(), name="twitch-login"),
                tasks.create_task(app.terms.run(), name="blocked-terms"),
                tasks.create_task(_watch_health(app.generator, on_health), name="progress"),
                tasks.create_task(_watch_tokens(app.tokens, app.store), name="tokens"),
            ]
            await web.serve(sockets=[listening])
            for task in running:
                task.cancel()
    finally:
        await app.twitch.close()
        await app.store.close()


async def _watch_health(generator: Generator, on_health: Callable[[Health], None]) -> None:
    """Report each change of the generator's health, until cancelled."""
    last: Health | None = None
    while True:
        if (health := generator.health()) != last:
            on_health(health)
            last = health
        await asyncio.sleep(HEALTH_EVERY_S)


async def _watch_tokens(tokens: TokenTable, store: Store) -> None:
    """Apply what the command line issues and revokes, until cancelled: a leaked token is locked out during the show."""
    while True:
        await asyncio.sleep(TOKENS_EVERY_S)
        with suppress(StoreError):
            await _refresh(tokens, store)


async def _refresh(tokens: TokenTable, store: Store) -> None:
    # A role of a newer version opens nothing here; it must not end the show.
    roles = {role.value: role for role in TokenRole}
    tokens.replace_issued(
        {issued.digest: roles[issued.role] for issued in await store.tokens.all() if issued.role in roles}
    )


class _Server(uvicorn.Server):
    """Stops on the first signal and lets the rest of the program end in order."""

    def handle_stop_signals(self) -> None:
        """Install the handlers; call this on the event loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError):  # Windows, or not in the main thread
                loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def _server(app: App) -> _Server:
    # Compressing a 300 KB frame costs 20 ms for each page and saves nothing; a page sends only small JSON.
    web = _Server(
        uvicorn.Config(
            app.asgi, ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=65_536, ws_ping_interval=10,
            ws_ping_timeout=10, proxy_headers=False, server_header=False, access_log=False, lifespan="off",
            log_level="warning", timeout_graceful_shutdown=SHUTDOWN_S, h11_max_incomplete_event_size=16_384,
        )
    )  # fmt: skip
    web.handle_stop_signals()
    return web
