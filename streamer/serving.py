"""Runs everything that app.py built, until told to stop; and takes up meanwhile what the command line changes."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from streamer.api.tokens import Access, Tokens
from streamer.app import App
from streamer.contracts import Generator, Health
from streamer.errors import StoreError
from streamer.obs.pictures import PictureFiles
from streamer.store import Store

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
        await asyncio.to_thread(PictureFiles(app.store.home / "obs" / "pictures", ()).renew, {})
    try:
        await _renew(app.tokens, app.store)
        await app.pipeline.restore()
        web = _server(app)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(app.generator.run(), name="generator"),
                tasks.create_task(app.pipeline.run(), name="pipeline"),
                tasks.create_task(app.twitch.run(), name="twitch-login"),
                tasks.create_task(app.twitch.emotes.run(), name="emotes"),
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


async def _renew(tokens: Tokens, store: Store) -> None:
    # A role of a newer version opens nothing here, and is no reason to end the show.
    roles = {access.value: access for access in Access}
    tokens.renew({one.digest: roles[one.role] for one in await store.tokens() if one.role in roles})


async def _watch_tokens(tokens: Tokens, store: Store) -> None:
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
