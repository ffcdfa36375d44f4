"""Draws on another computer, where `streamer worker` listens; see docs/two-computers.md."""

from __future__ import annotations

import secrets
import ssl
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from streamer.errors import ConfigError, StoreError
from streamer.generator.config import WorkerSetup
from streamer.generator.ipc import BackendUse
from streamer.generator.remote_link import RemoteWorker, connect_worker
from streamer.generator.slot import SlotOptions
from streamer.generator.supervisor import Supervisor
from streamer.integrations import network
from streamer.storage import secret_files

HANG_MARGIN_S = 3.0
"""The worker ends its own process when that hangs, and says so; this program waits a little longer for that."""
DELAYS_S, WINDOW_S = (0.0, 0.2, 0.5, 1.0, 2.0), 10.0


def _worker_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError("write it like wss://gpu-pc:8711, as `streamer worker` prints it")
    return url.rstrip("/")


class Options(SlotOptions):
    """Where the worker is, and how it knows this program."""

    url: Annotated[str, AfterValidator(_worker_url)] = Field(
        description="address of the worker; wss:// if it has a certificate, ws:// through a tunnel"
    )
    token_file: str = Field(
        description="file with the worker's token, relative to the folder secrets in the state folder"
    )
    ca_file: str = Field("", description="certificate to trust, if the worker made its own; left out: the usual ones")
    trust_network: bool = Field(
        False,
        description="true: send token, prompts and pictures unencrypted to another computer; only inside a VPN or a "
        "network that nobody else is in",
    )


def create(options: Options, worker_setup: WorkerSetup, home: Path) -> Supervisor:
    """Build the supervisor of the worker; nothing is connected yet."""
    place = options.place(urlsplit(options.url).hostname or options.url, here=False)
    return Supervisor(_setup(worker_setup, options), place, partial(connect_worker, _worker(options, home)))


async def probe(options: Options, home: Path) -> None:
    """Connect and leave again, without loading anything there; raise NotStarted or ConfigError if that fails."""
    link = await connect_worker(_worker(options, home))
    await link.end()


def _worker(options: Options, home: Path) -> RemoteWorker:
    """Read the token; raise ConfigError for a file or an address that must not be used."""
    host = urlsplit(options.url).hostname or ""
    if options.url.startswith("ws:") and not options.trust_network and not network.is_this_computer(host):
        fix = "use wss:// or a tunnel (docs/two-computers.md), or set trust_network: true"
        raise ConfigError("url", "ws:// sends the token readable for everybody in between", fix=fix)
    token = _token(secret_files.path_in(home, "") / Path(options.token_file).expanduser())
    return RemoteWorker(options.url, token, secrets.token_hex(8), _tls(options))


def _setup(setup: WorkerSetup, options: Options) -> WorkerSetup:
    """Return how a worker elsewhere is supervised: looked for again and again, and never replaced by the painter."""
    timing = {
        "restart_delays_s": DELAYS_S,
        "give_up_window_s": WINDOW_S,
        "step_timeout_s": setup.options.step_timeout_s + HANG_MARGIN_S,
    }
    use = BackendUse("remote", {}, setup.backend.opinions)
    title = f"the worker at {options.url}"
    return replace(setup, options=setup.options.model_copy(update=timing), backend=use, fallback=use, worker=title)


def _token(path: Path) -> str:
    fix = "write the token into it that `streamer worker` printed on the other computer, readable for you alone"
    try:
        content = secret_files.read(path)
    except (StoreError, ConfigError) as error:
        raise ConfigError("token_file", str(error), fix=fix if isinstance(error, StoreError) else "") from error
    if not content or not (token := content.decode("ascii", "replace").strip()):
        raise ConfigError("token_file", f"{path} is not there or empty", fix=fix)
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigError("token_file", f"{path} holds no token: one line of letters and digits", fix=fix)
    return token


def _tls(options: Options) -> ssl.SSLContext | None:
    if not options.ca_file:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=Path(options.ca_file).expanduser())
    except (OSError, ssl.SSLError) as error:
        problem = f"{options.ca_file} is no certificate in PEM format that can be read"
        raise ConfigError("ca_file", problem, fix="copy cert.pem of the worker to this computer") from error
    return context
