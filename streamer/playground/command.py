"""``streamer playground``: a page for trying prompts and settings out, beside the running program."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer import installation
from streamer.api.auth import TokenRole, standing_tokens
from streamer.config import Config
from streamer.errors import ApiError, ListenError, PluginError
from streamer.paths import Place
from streamer.playground.client import START, ProgramClient
from streamer.storage import instance_lock

if TYPE_CHECKING:
    import uvicorn

Announce = Callable[[str], None]

HOST = "127.0.0.1"
PORT = 8720
PORTS = 20
"""How many ports are tried, from the first one on, if none is named."""
SHUTDOWN_S = 2
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
"""Gradio reads these when it is imported: it tells nobody anything, and asks nobody for anything."""


async def run(where: Place, config: Config, environ: Mapping[str, str], port: int | None, announce: Announce) -> int:
    """Serve the page until stopped; ``announce`` gets its link, which is a secret.

    Raises PluginError without Gradio, ApiError without a running program, ListenError for a port that is taken.
    """
    client = _client(where, config, environ)
    _require_gradio()
    try:
        choices = await client.choices()
        with _listen(port) as listening, tempfile.TemporaryDirectory(prefix="streamer-playground-") as folder:
            os.environ.update(QUIET, GRADIO_TEMP_DIR=folder)
            from streamer.playground.page import PlaygroundPage

            key = secrets.token_urlsafe(24)
            page = await asyncio.to_thread(PlaygroundPage(client, choices, Path(folder)).build)
            announce(f"http://{HOST}:{listening.getsockname()[1]}/?key={key}")
            await _server(page, key, listening.getsockname()[1]).serve([listening])
    finally:
        await client.aclose()
    return 0


def _client(where: Place, config: Config, environ: Mapping[str, str]) -> ProgramClient:
    """Return a client of the program that runs on the state folder; raise ApiError when none does."""
    if (running := instance_lock.running_program(where.home)) is None:
        raise ApiError(config.server.url, "does not run", START)
    return ProgramClient(running.local_url, standing_tokens(where.home, environ)[TokenRole.OPERATOR])


def _require_gradio() -> None:
    if find_spec("gradio") is None:
        fix = installation.add_extra("playground")
        raise PluginError("extra", "playground", f"Gradio is not installed; install it with: {fix}")


def _listen(port: int | None) -> socket.socket:
    """Listen on this computer alone: at the port that was named, else at the first free one."""
    ports = range(PORT, PORT + PORTS) if port is None else [port]
    for number in ports:
        with suppress(OSError):
            return socket.create_server((HOST, number))
    raise ListenError(HOST, ports[0], "it is in use")


def _server(page: Any, key: str, port: int) -> uvicorn.Server:
    """Put the page behind its guards, on a server of its own."""
    import gradio
    import uvicorn
    from fastapi import FastAPI

    from streamer.api.origin_guard import OriginGuard, allowed
    from streamer.playground.guard import KeyGuard
    from streamer.playground.page import CSS, theme

    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    gradio.mount_gradio_app(
        api, page, "/", server_name=HOST, server_port=port, footer_links=[], ssr_mode=False, pwa=False,
        enable_monitoring=False, mcp_server=False, max_file_size="32mb", theme=theme(), css=CSS,
    )  # fmt: skip
    guarded = OriginGuard(KeyGuard(api, key), allowed(port, (), None))
    return uvicorn.Server(
        uvicorn.Config(guarded, log_level="warning", access_log=False, timeout_graceful_shutdown=SHUTDOWN_S)
    )
