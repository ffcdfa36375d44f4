"""What `streamer worker` does: listen, and draw for the program on another computer with this one's config."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from streamer import app, plugins, server
from streamer.api.auth import new_token
from streamer.config import WILDCARDS, Config
from streamer.config_file import Document
from streamer.errors import BackendUnavailable, ConfigError, ListenError
from streamer.generator.backend_choice import choose
from streamer.generator.config import WorkerSetup
from streamer.generator.ipc import Start
from streamer.generator.ladder import Ladder
from streamer.generator.worker_server import WorkerServer
from streamer.integrations import network
from streamer.paths import Place
from streamer.storage import secret_files

TOKEN_FILE = "worker"  # nosec B105 - the name of the file, not a token


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the worker listens, with which certificate, and whether everybody on the way there is trusted."""

    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None
    trusted: bool = False

    def tls(self) -> ssl.SSLContext | None:
        """Return the certificate to show, if there is one; raise ConfigError for one that cannot be used."""
        if self.cert is None:
            if self.key is not None:
                raise ConfigError("--key", "a key without a certificate", fix="name the certificate with --cert")
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as error:
            problem = f"{self.cert} cannot be used ({error.strerror or error})"
            raise ConfigError("--cert", problem, fix="name a certificate and its key, both in PEM format") from error
        return context

    def check(self) -> None:
        """Raise ConfigError when other computers could read the token on its way."""
        if self.cert is None and not self.trusted and not _only_here(self.host):
            fix = "reach it through a tunnel, name a certificate with --cert and --key, or add --trust-network in a VPN"
            raise ConfigError("--listen", f"{self.host} lets others read token and pictures on their way", fix=fix)

    def bind(self) -> socket.socket:
        """Take the address; raise ConfigError if that is impossible."""
        try:
            return server.listen(self.host, self.port)
        except ListenError as error:
            problem = f"cannot listen on {self.host}:{self.port}: {error.problem}"
            raise ConfigError("--listen", problem, fix="choose another port, like --listen 8712") from error


async def run(
    listening: Listening, where: Place, config: Config, document: Document, say: Callable[[str], None]
) -> None:
    """Listen and draw until the program is stopped; ``say`` prints a line."""
    listening.check()
    tls = listening.tls()
    choice = choose(config.generator.use)
    app.chosen_backend(config, document, choice)
    path = secret_files.path_in(where.home, TOKEN_FILE)
    token = secret_files.read_or_create(path, lambda: new_token().encode()).decode().strip()
    with listening.bind() as bound, tempfile.TemporaryDirectory(prefix="streamer-worker-") as folder:
        say(f"Backend:  {choice.name} ({choice.why})")
        say(f"Worker:   {url_of(listening, bound.getsockname()[1])}")
        say(f"Token:    in {path}; it opens this computer's GPU, so keep it off stream")
        say("The model is loaded when the program on the other computer connects. See docs/two-computers.md.")
        worker = WorkerServer(token, partial(build, config, document, where), Path(folder))
        await _until_stopped(worker.run(bound, tls))


def build(config: Config, document: Document, where: Place, start: Start, layouts: Path) -> Ladder:
    """Build what draws: by this computer's config, with the judges of the program on the other one."""
    known = {*plugins.names("judge"), *(use.use for use in config.generator.judges)}
    for judge in start.judges:
        if judge.name not in known:
            fix = "name that module under generator.judges in the config.yaml of the worker"
            raise BackendUnavailable(f"it does not know the judge {judge.name}", fix=fix)
    process = config.generator.process.model_copy(update={"jpeg_quality": start.jpeg_quality})
    backend = app.chosen_backend(config, document, choose(config.generator.use))
    setup = WorkerSetup(
        process, backend, start.sizes, where.own, start.judges, loras=start.loras, layouts=layouts, as_asked=True
    )
    return Ladder(setup)


def url_of(listening: Listening, port: int) -> str:
    """Return the address that the slot on the other computer needs."""
    scheme = "ws" if listening.cert is None else "wss"
    host = network.lan_address(listening.host) or listening.host if listening.host in WILDCARDS else listening.host
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _only_here(host: str) -> bool:
    return host not in WILDCARDS and network.is_this_computer(host)


async def _until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    """Run until the first signal that ends a program."""
    task = asyncio.create_task(serving, name="worker")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, ValueError):  # Windows, or not in the main thread
            loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
