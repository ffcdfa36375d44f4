"""The program in this process: built from a config as app.py does it, and served with an overlay page that listens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from streamer import app, config_checks, paths, server
from streamer.api.auth import TokenRole
from streamer.errors import ConfigError
from streamer.overlay import wire
from tests.support.generation import ready
from tests.support.real_program import CONFIG


def place(folder: Path, config: str = CONFIG) -> paths.Place:
    """Write the config into a folder, beside a new state directory."""
    path = folder / "config.yaml"
    path.write_text(config, encoding="utf-8")
    return paths.place({"STREAMER_HOME": str(folder / "home"), "STREAMER_CONFIG": str(path)})


def build(where: paths.Place) -> app.App:
    """Build the program without running it."""
    config, document = config_checks.checked_config(where, {})
    return app.build(config, document, where, {})


def wrong(folder: Path, config: str) -> list[ConfigError]:
    """Return the errors of a config that must not start."""
    with pytest.raises((ConfigError, ExceptionGroup)) as caught:
        build(place(folder, config))
    error = caught.value
    together = error.exceptions if isinstance(error, ExceptionGroup) else [error]
    return [each for each in together if isinstance(each, ConfigError)]


class OverlayPage:
    """What an overlay page receives, with the time of each on time.monotonic(); it acknowledges every picture."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.painted_at: dict[str, float] = {}
        self.shown_at = self.cleared_at = 0.0

    async def read(self) -> None:
        """Read until the socket closes."""
        async for message in self._socket:
            now = time.monotonic()
            if isinstance(message, bytes):
                await self._acknowledge(message, now)
            elif json.loads(message)["type"] == "clear":
                self.cleared_at = now

    async def _acknowledge(self, message: bytes, now: float) -> None:
        header, _ = wire.decode_picture(message)
        if header["type"] == "frame":
            self.shown_at = now
            self.painted_at.setdefault(str(header["request_id"]), now)
        answer = {key: header[key] for key in ("seq", "request_id", "layer")}
        await self._socket.send(json.dumps({"type": "painted", **answer}))


class Embedded:
    """A served program: its parts, an HTTP client that speaks as operator, and its one overlay page."""

    def __init__(self, built: app.App, client: httpx.AsyncClient, page: OverlayPage) -> None:
        self.app, self.client, self.page = built, client, page

    async def say(self, text: str, role: str, name: str) -> str:
        """Send a chat line over HTTP that must be queued; return the request's id."""
        body = {"id": name, "text": text, "actor": {"id": name, "name": name, "role": role}}
        answer = await self.client.post("/api/v1/triggers", json=body)
        answer.raise_for_status()
        receipt: dict[str, str] = answer.json()
        if receipt["outcome"] != "queued":
            raise RuntimeError(f"the request was not taken: {receipt}")
        return receipt["id"]


@asynccontextmanager
async def served(where: paths.Place) -> AsyncIterator[Embedded]:
    """Serve the program on a free port, with its worker process ready and its page connected."""
    config, document = config_checks.checked_config(where, {})
    listening = server.listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    config = config.model_copy(update={"server": config.server.model_copy(update={"port": port})})
    built = app.build(config, document, where, {})
    serving = asyncio.create_task(server.serve(built, listening, lambda health: None))
    try:
        async with asyncio.timeout(60):
            await ready(built.generator)
        tokens = built.tokens.standing
        operator = {"authorization": f"Bearer {tokens[TokenRole.OPERATOR]}"}
        async with (
            connect(f"ws://127.0.0.1:{port}/ws/overlay", max_size=None) as socket,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=operator) as client,
        ):
            hello = {"v": 1, "type": "hello", "token": tokens[TokenRole.OVERLAY], "layers": None}
            await socket.send(json.dumps(hello))
            page = OverlayPage(socket)
            reading = asyncio.create_task(page.read())
            try:
                yield Embedded(built, client, page)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listening.close()
