"""Examines the machine: packages, GPU, fonts, port, OBS, Twitch; each finding that is not fine names its fix."""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from streamer import app, config_checks, paths, server
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
RECOMMENDED_FREE_GB = 30


class Mark(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    NOTE = "note"
    """Something is missing that the program runs without."""
    BAD = "bad"
    """The program does not run, or not as config.yaml says."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of the report: what was examined, in which state it is, and how to fix it unless it is OK."""

    mark: Mark
    subject: str
    detail: str
    fix: str = ""


def examine(environ: Mapping[str, str]) -> list[CheckResult]:
    """Examine everything; this changes nothing, except that it creates the state directory."""
    where = paths.place(environ)
    findings = [_python(), *_packages()]
    try:
        config, document = config_checks.checked_config(where, environ)
        scopes = app.twitch_scopes(config, document)
    except (ConfigError, ExceptionGroup) as error:
        return [*findings, *_config_errors(error)]
    return [
        *findings,
        CheckResult(Mark.OK, "config", f"{where.config} is valid"),
        _home(where),
        *_gpu(),
        _backend(config),
        _fonts(),
        _port(config),
        _obs(config, where, environ),
        *_hotkeys(config),
        *_twitch(config, where.home, scopes),
    ]


def _config_errors(error: Exception) -> Iterator[CheckResult]:
    for inner in error.exceptions if isinstance(error, ExceptionGroup) else (error,):
        yield CheckResult(Mark.BAD, "config", str(inner), "correct that line")


def _python() -> CheckResult:
    return CheckResult(Mark.OK, "python", f"{sys.version.split()[0]} at {sys.executable}")


def _packages() -> Iterator[CheckResult]:
    for name in ("torch", "diffusers", "transformers"):
        with suppress(PackageNotFoundError):
            yield CheckResult(Mark.OK, name, version(name))
    if missing := missing_libraries():
        yield CheckResult(
            Mark.NOTE, "klein extra", f"not installed: {', '.join(missing)}", "pip install 'streamer[klein]'"
        )


def _home(where: paths.Place) -> CheckResult:
    fix = "set STREAMER_HOME to a folder that you may write"
    try:
        where.home.mkdir(parents=True, exist_ok=True)
        free_gb = shutil.disk_usage(where.home).free / 1e9
    except OSError as error:
        return CheckResult(Mark.BAD, "state", f"{where.home}: {error.strerror}", fix)
    if not os.access(where.home, os.W_OK):
        return CheckResult(Mark.BAD, "state", f"{where.home} is read-only", fix)
    text = f"{where.home}, {free_gb:.0f} GB free"
    if free_gb < RECOMMENDED_FREE_GB:
        return CheckResult(
            Mark.NOTE,
            "state",
            text,
            f"the Klein 4B weights need {RECOMMENDED_FREE_GB} GB; everything else needs little",
        )
    return CheckResult(Mark.OK, "state", text)


def _gpu() -> Iterator[CheckResult]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        yield CheckResult(
            Mark.NOTE,
            "gpu",
            "no NVIDIA driver found",
            "without one the procedural backend draws the pictures, on the CPU",
        )
        return
    query = [tool, "--query-gpu=name,memory.total,memory.free,driver_version,compute_cap", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout  # nosec B603
    except (OSError, subprocess.SubprocessError) as error:
        yield CheckResult(Mark.BAD, "gpu", f"nvidia-smi fails: {error}", "reinstall the NVIDIA driver")
        return
    for line in lines.strip().splitlines():
        name, total, free, driver, capability = (part.strip() for part in line.split(","))
        yield CheckResult(
            Mark.OK, "gpu", f"{name}, {free} of {total} free, driver {driver}, compute capability {capability}"
        )


def _backend(config: Config) -> CheckResult:
    choice = choose(config.generator.use)
    return CheckResult(Mark.OK, "backend", f"{choice.name}: {choice.why}")


def _fonts() -> CheckResult:
    if missing := unwritable_scripts():
        fix = "install a font for them, such as the packages fonts-noto-cjk and fonts-noto-core"
        return CheckResult(
            Mark.NOTE,
            "captions",
            f"no installed font can write {', '.join(missing)}: captions omit such words",
            fix,
        )
    return CheckResult(Mark.OK, "captions", "the installed fonts cover every script that was checked")


def _port(config: Config) -> CheckResult:
    host, port = config.server.host, config.server.port
    try:
        server.listen(host, port).close()
    except ListenError as error:
        if error.problem == server.ALREADY_RUNNING:
            return CheckResult(Mark.NOTE, "port", f"{host}:{port}: {server.ALREADY_RUNNING}")
        return CheckResult(Mark.BAD, "port", str(error), "stop the other program, or set server.port to a free port")
    return CheckResult(Mark.OK, "port", f"{host}:{port} is free")


def _obs(config: Config, where: paths.Place, environ: Mapping[str, str]) -> CheckResult:
    options = config.obs or ObsOptions()
    at = f"{options.host}:{options.port}"
    try:
        connection = Connection(options.host, options.port, password.read(where.home, environ), OBS_TIMEOUT_S)
    except ConfigError as error:
        return CheckResult(Mark.BAD, "obs", f"{error.key}: {error.problem}", error.fix)
    except StoreError as error:
        return CheckResult(Mark.BAD, "obs", str(error), "make that file readable, or set STREAMER_OBS_PASSWORD")
    except WrongPassword:
        return CheckResult(
            Mark.NOTE, "obs", f"OBS at {at} does not accept the stored password", "run: streamer obs password"
        )
    except ObsAway:
        return CheckResult(
            Mark.NOTE, "obs", f"nothing answers at {at}", f"start OBS; {SERVER_SWITCH} (the overlay works without)"
        )
    try:
        return _obs_version(connection)
    except (ObsError, LookupError) as error:
        return CheckResult(Mark.NOTE, "obs", f"OBS at {at} does not answer as expected: {error}", "restart OBS")
    finally:
        connection.close(handshake=True)


def _obs_version(connection: Connection) -> CheckResult:
    answer = connection.request("GetVersion")
    versions = f"OBS {answer['obsVersion']}, obs-websocket {answer['obsWebSocketVersion']}"
    if SourceKind.BROWSER in connection.request("GetInputKindList", {"unversioned": True})["inputKinds"]:
        return CheckResult(Mark.OK, "obs", f"{versions}, with browser source")
    fix = "install OBS from obsproject.com, its PPA or Flatpak; until then the pictures are image sources"
    return CheckResult(Mark.NOTE, "obs", f"{versions}, without browser source", fix)


def _twitch(config: Config, home: Path, scopes: Mapping[str, str]) -> Iterator[CheckResult]:
    if not scopes:
        return
    log_in = "streamer login twitch"
    if not config.twitch.client_id:
        fix = "register a Public application and write its id into config.yaml (docs/twitch.md)"
        yield CheckResult(Mark.NOTE, "twitch login", f"twitch.client_id is empty; off: {_features(scopes)}", fix)
        return
    try:
        stored = token_file.read(token_file.path_in(home))
    except StreamerError as error:
        yield CheckResult(Mark.BAD, "twitch login", str(error), log_in)
        return
    if stored is None or stored.client_id != config.twitch.client_id:
        yield CheckResult(Mark.NOTE, "twitch login", f"nobody is logged in; off: {_features(scopes)}", log_in)
    elif lost := describe_missing(scopes, stored.scopes):
        yield CheckResult(Mark.NOTE, "twitch login", f"as {stored.login}; {lost}", log_in)
    else:
        yield CheckResult(Mark.OK, "twitch login", f"as {stored.login}: {_features(scopes)}")


def _features(scopes: Mapping[str, str]) -> str:
    return ", ".join(sorted(set(scopes.values())))


def _hotkeys(config: Config) -> Iterator[CheckResult]:
    if any(use.use == "hotkey" for use in config.triggers):
        try:
            yield CheckResult(Mark.OK, "hotkeys", f"pynput {version('pynput')}")
        except PackageNotFoundError:
            yield CheckResult(
                Mark.BAD,
                "hotkeys",
                "config.yaml has hotkeys, but pynput is not installed",
                "pip install 'streamer[hotkey]'",
            )
