"""Runs everything that app.py built, until told to stop; and takes up meanwhile what the command line changes."""

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
from streamer.config import printable
from streamer.errors import ListenError, StoreError
from streamer.integrations.obs.image_files import PictureFiles
from streamer.interfaces import Generator, Health
from streamer.storage.store import Store

SHUTDOWN_S = 2
TOKENS_EVERY_S = 1.0

Told = Callable[[Health], None]
"""Somebody who wants to know each change of the generator's health."""


async def serve(app: App, listening: socket.socket, told: Told) -> None:
    """Run until the server is told to stop: page and socket first, so that the overlay connects while models load."""
    await app.store.open()
    await app.store.recover()
    if app.config.obs is None:
        # What was there for the image sources of an OBS that is not looked after any more: nobody would ever delete it.
        await asyncio.to_thread(PictureFiles(app.store.home / "obs" / "pictures", ()).replace_all, {})
    try:
        await _renew(app.tokens, app.store)
        await app.pipeline.restore()
        web = _server(app)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(app.generator.run(), name="generator"),
                tasks.create_task(app.pipeline.run(), name="pipeline"),
                tasks.create_task(app.twitch.run(), name="twitch-login"),
                tasks.create_task(app.terms.run(), name="blocked-terms"),
                tasks.create_task(_watch(app.generator, told), name="progress"),
                tasks.create_task(_watch_tokens(app.tokens, app.store), name="tokens"),
            ]
            await web.serve(sockets=[listening])
            for task in running:
                task.cancel()
    finally:
        await app.twitch.close()
        await app.store.close()


async def _renew(tokens: TokenTable, store: Store) -> None:
    # A role of a newer version opens nothing here, and is no reason to end the show.
    roles = {role.value: role for role in TokenRole}
    tokens.replace_issued({one.digest: roles[one.role] for one in await store.tokens.all() if one.role in roles})


async def _watch_tokens(tokens: TokenTable, store: Store) -> None:
    """Take up what the command line issues and revokes: who has a leaked token is out while the show goes on."""
    while True:
        await asyncio.sleep(TOKENS_EVERY_S)
        with suppress(StoreError):
            await _renew(tokens, store)


async def _watch(generator: Generator, told: Told) -> None:
    """Tell each change of the generator's health."""
    last: Health | None = None
    while True:
        if (health := generator.health()) != last:
            told(health)
            last = health
        await asyncio.sleep(0.1)


class _Server(uvicorn.Server):
    """A server that stops on the first signal and lets the rest of the program end in order."""

    def install(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError):  # Windows, or not in the main thread
                loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


def _server(app: App) -> _Server:
    # Compression of pictures costs 20 ms per 300 KB frame and page and saves nothing; a page only sends small JSON.
    web = _Server(
        uvicorn.Config(
            app.asgi, ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=65_536, ws_ping_interval=10,
            ws_ping_timeout=10, proxy_headers=False, server_header=False, access_log=False, lifespan="off",
            log_level="warning", timeout_graceful_shutdown=SHUTDOWN_S, h11_max_incomplete_event_size=16_384,
        )
    )  # fmt: skip
    web.install()
    return web


OURS = "another streamer is already running there"


def listen(host: str, port: int) -> socket.socket:
    """Bind the address, or say who has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only where it is: left at 0, two messages in a
    # row (a picture and its toast) cost the second one 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ListenError(host, port, _who_has(host, port) or error.strerror or str(error)) from error
    return bound


def _who_has(host: str, port: int) -> str | None:
    with suppress(OSError, ValueError):
        with urllib.request.urlopen(f"http://{printable(host)}:{port}/healthz", timeout=1) as answer:  # nosec B310
            if b'"streamer"' in answer.read(200):
                return OURS
        return "another program answers there"
    return None
