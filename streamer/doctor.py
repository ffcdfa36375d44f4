"""Examines the machine: what is installed, which backend would draw and why, ports, OBS, GPU; each line with a fix."""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from streamer import app, paths, server
from streamer.config import Config
from streamer.errors import ConfigError, ListenError, ObsAway, ObsError, StoreError, StreamerError
from streamer.generator.backend_choice import choose, missing_libraries
from streamer.generator.render.fonts import unwritable_scripts
from streamer.integrations.obs import password
from streamer.integrations.obs.client import SERVER_SWITCH
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.connection import Connection, WrongPassword
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.twitch import token_file
from streamer.integrations.twitch.account import describe_missing

OBS_TIMEOUT_S = 2.0
WANTED_FREE_GB = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``mark`` is ok, note or bad."""

    mark: str
    what: str
    found: str
    fix: str = ""


def examine(environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything; nothing is changed but that the state directory is made."""
    where = paths.place(environ)
    findings = [_python(), *_packages()]
    try:
        config, document = app.configured(where, environ)
        wanted = app.scopes(config, document)
    except ConfigError as error:
        return [*findings, Finding("bad", "config", str(error), "correct that line")]
    except ExceptionGroup as group:
        return [*findings, *(Finding("bad", "config", str(error), "correct that line") for error in group.exceptions)]
    findings.append(Finding("ok", "config", f"{where.config} reads well"))
    findings += [
        _home(where),
        *_gpu(),
        _backend(config),
        _fonts(),
        _port(config),
        _obs(config, where, environ),
        *_hotkeys(config),
    ]
    findings += _twitch(config, where.home, wanted)
    return findings


def _python() -> Finding:
    return Finding("ok", "python", f"{sys.version.split()[0]} at {sys.executable}")


def _packages() -> Iterator[Finding]:
    for name in ("torch", "diffusers", "transformers"):
        with suppress(PackageNotFoundError):
            yield Finding("ok", name, version(name))
    if missing := missing_libraries():
        yield Finding("note", "klein extra", f"not installed: {', '.join(missing)}", "pip install 'streamer[klein]'")


def _home(where: paths.Place) -> Finding:
    try:
        where.home.mkdir(parents=True, exist_ok=True)
        free_gb = shutil.disk_usage(where.home).free / 1e9
    except OSError as error:
        return Finding("bad", "state", f"{where.home}: {error.strerror}", "set STREAMER_HOME to a folder you may write")
    if not os.access(where.home, os.W_OK):
        return Finding("bad", "state", f"{where.home} is read-only", "set STREAMER_HOME to a folder you may write")
    text = f"{where.home}, {free_gb:.0f} GB free"
    if free_gb < WANTED_FREE_GB:
        return Finding("note", "state", text, f"the Klein 4B weights want {WANTED_FREE_GB} GB; the rest needs little")
    return Finding("ok", "state", text)


def _gpu() -> Iterator[Finding]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        yield Finding("note", "gpu", "no NVIDIA driver found", "without one the procedural backend draws, which works")
        return
    query = [tool, "--query-gpu=name,memory.total,memory.free,driver_version,compute_cap", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout  # nosec B603
    except (OSError, subprocess.SubprocessError) as error:
        yield Finding("bad", "gpu", f"nvidia-smi fails: {error}", "reinstall the NVIDIA driver")
        return
    for line in lines.strip().splitlines():
        name, total, free, driver, capability = (part.strip() for part in line.split(","))
        yield Finding("ok", "gpu", f"{name}, {free} of {total} free, driver {driver}, compute capability {capability}")


def _backend(config: Config) -> Finding:
    choice = choose(config.generator.use)
    return Finding("ok", "backend", f"{choice.name}: {choice.why}")


def _fonts() -> Finding:
    if missing := unwritable_scripts():
        fix = "install a font that has them, such as the packages fonts-noto-cjk and fonts-noto-core"
        return Finding("note", "captions", f"no font here writes {', '.join(missing)}: such words are left out", fix)
    return Finding("ok", "captions", "fonts for every script that is looked for")


def _port(config: Config) -> Finding:
    host, port = config.server.host, config.server.port
    try:
        server.listen(host, port).close()
    except ListenError as error:
        if error.problem == server.OURS:
            return Finding("note", "port", f"{host}:{port}: {server.OURS}")
        return Finding("bad", "port", str(error), "stop the other program, or take another port")
    return Finding("ok", "port", f"{host}:{port} is free")


def _obs(config: Config, where: paths.Place, environ: Mapping[str, str]) -> Finding:
    options = config.obs or ObsOptions()
    at = f"{options.host}:{options.port}"
    try:
        connection = Connection(options.host, options.port, password.read(where.home, environ), OBS_TIMEOUT_S)
    except ConfigError as error:
        return Finding("bad", "obs", f"{error.key}: {error.problem}", error.fix)
    except StoreError as error:
        return Finding("bad", "obs", str(error), "make that file readable, or set STREAMER_OBS_PASSWORD")
    except WrongPassword:
        return Finding("note", "obs", f"OBS at {at} does not take our password", "run: streamer obs password")
    except ObsAway:
        fix = f"start OBS; {SERVER_SWITCH} (the overlay works without)"
        return Finding("note", "obs", f"nothing answers at {at}", fix)
    try:
        return _obs_found(connection)
    except (ObsError, LookupError) as error:
        return Finding("note", "obs", f"OBS at {at} does not answer as expected: {error}", "restart OBS")
    finally:
        connection.close(handshake=True)


def _obs_found(connection: Connection) -> Finding:
    version = connection.request("GetVersion")
    found = f"OBS {version['obsVersion']}, obs-websocket {version['obsWebSocketVersion']}"
    if SourceKind.BROWSER in connection.request("GetInputKindList", {"unversioned": True})["inputKinds"]:
        return Finding("ok", "obs", f"{found}, with browser source")
    fix = "install OBS from obsproject.com, its PPA or Flatpak; until then pictures go in as image sources"
    return Finding("note", "obs", f"{found}, without browser source", fix)


def _twitch(config: Config, home: Path, wanted: Mapping[str, str]) -> Iterator[Finding]:
    if not wanted:
        return
    log_in = "streamer login twitch"
    if not config.twitch.client_id:
        fix = "register a Public application and write its id into config.yaml (docs/twitch.md)"
        yield Finding("note", "twitch login", f"twitch.client_id is empty; off: {_features(wanted)}", fix)
        return
    try:
        kept = token_file.read(token_file.path_in(home))
    except StreamerError as error:
        yield Finding("bad", "twitch login", str(error), log_in)
        return
    if kept is None or kept.client_id != config.twitch.client_id:
        yield Finding("note", "twitch login", f"nobody is logged in; off: {_features(wanted)}", log_in)
    elif gone := describe_missing(wanted, kept.scopes):
        yield Finding("note", "twitch login", f"as {kept.login}; {gone}", log_in)
    else:
        yield Finding("ok", "twitch login", f"as {kept.login}: {_features(wanted)}")


def _features(wanted: Mapping[str, str]) -> str:
    return ", ".join(sorted(set(wanted.values())))


def _hotkeys(config: Config) -> Iterator[Finding]:
    if any(use.use == "hotkey" for use in config.triggers):
        try:
            yield Finding("ok", "hotkeys", f"pynput {version('pynput')}")
        except PackageNotFoundError:
            yield Finding("bad", "hotkeys", "config.yaml asks for hotkeys", "pip install 'streamer[hotkey]'")
