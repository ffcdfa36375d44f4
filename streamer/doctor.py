"""Examines the machine: packages, GPU, fonts, port, OBS, Twitch; each finding that is not fine names its fix."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess  # nosec B404
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from urllib.request import getproxies

from pydantic import BaseModel

from streamer import app, config_checks, installation, paths, plugins, server
from streamer.config import Config
from streamer.config_file import Document
from streamer.errors import BackendUnavailable, ConfigError, ListenError, ObsAway, ObsError, StoreError, StreamerError
from streamer.generator import gpus, models, processor
from streamer.generator.backend_choice import CPU_LIBRARIES, choose, load_backend_module, missing_libraries
from streamer.generator.backends import openai_images
from streamer.generator.klein.measured_choice import remembered
from streamer.generator.model_table import memory_here
from streamer.generator.models import Commercial, Fit, fit
from streamer.generator.render.fonts import unwritable_scripts
from streamer.generator.slots import remote
from streamer.generator.worker_link import NotStarted
from streamer.integrations import network
from streamer.integrations.obs import password
from streamer.integrations.obs.client import SERVER_SWITCH
from streamer.integrations.obs.config import ObsOptions
from streamer.integrations.obs.connection import Connection, WrongPassword
from streamer.integrations.obs.desired_sources import SourceKind
from streamer.integrations.twitch import token_file
from streamer.integrations.twitch.account import describe_missing
from streamer.storage import backup
from streamer.storage.database import FILE_NAME, explain
from streamer.types import Lora

OBS_TIMEOUT_S = 2.0
RECOMMENDED_FREE_GB = 30


_LIBRARIES = {"hotkey": "pynput", "midi": "mido", "nudenet": "nudenet"}
"""What the extra of a plug-in brings."""


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
    """Examine everything; this changes nothing but the state directory, where it notes the processor's speed."""
    where = paths.place(environ)
    findings = [_python(), *_packages()]
    try:
        config, document = config_checks.checked_config(where, environ)
        app.check(config, document)
        scopes = app.twitch_scopes(config, document)
    except (ConfigError, ExceptionGroup) as error:
        return [*findings, *_config_errors(error)]
    return [
        *findings,
        _config(where),
        _home(where),
        *_environment(environ),
        *_database(where.home),
        *_gpu(),
        _backend(config),
        *_processor(config, where.home),
        *_model(config, document),
        *_measured(config, document, where),
        *_picture_server(config, where.home),
        *_workers(config, document, where.home),
        _fonts(),
        _port(config, where),
        _obs(config, where, environ),
        *_extras(config, where),
        *_twitch(config, where, scopes),
    ]


def _config_errors(error: Exception) -> Iterator[CheckResult]:
    for inner in error.exceptions if isinstance(error, ExceptionGroup) else (error,):
        yield CheckResult(Mark.BAD, "config", str(inner), "correct that line")


def _config(where: paths.Place) -> CheckResult:
    if where.config.exists():
        return CheckResult(Mark.OK, "config", f"{where.config} is valid")
    return CheckResult(Mark.OK, "config", f"as shipped; for your own settings: streamer init writes {where.config}")


def _python() -> CheckResult:
    return CheckResult(Mark.OK, "python", f"{sys.version.split()[0]} at {sys.executable}")


def _packages() -> Iterator[CheckResult]:
    for name in ("torch", "diffusers", "transformers"):
        with suppress(PackageNotFoundError):
            yield CheckResult(Mark.OK, name, version(name))
    if missing := missing_libraries():
        yield CheckResult(
            Mark.NOTE, "klein extra", f"not installed: {', '.join(missing)}", installation.add_extra("klein")
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


def _environment(environ: Mapping[str, str]) -> Iterator[CheckResult]:
    """Name each variable for connections to other computers that cannot be used."""
    for problem in network.read_settings(environ, getproxies()).problems:
        yield CheckResult(Mark.NOTE, "environment", f"{problem.variable}: {problem.detail}", problem.fix)


def _database(home: Path) -> Iterator[CheckResult]:
    """Say whether the database is sound and from when the newest daily copy is; a new installation has none."""
    path = home / FILE_NAME
    if not path.exists():
        return
    try:
        with closing(backup.read_only(path)) as db:
            backup.check(db)
    except sqlite3.Error as error:
        yield CheckResult(Mark.BAD, "database", str(path), explain(error, home))
        return
    copies = backup.daily_copies(home)
    made_on = time.strftime("%Y-%m-%d %H:%M", time.localtime(copies[-1].stat().st_mtime)) if copies else "none yet"
    yield CheckResult(Mark.OK, "database", f"sound; newest daily copy: {made_on}")


def _gpu() -> Iterator[CheckResult]:
    if gpus.tool() is None:
        yield CheckResult(
            Mark.NOTE,
            "gpu",
            "no NVIDIA driver found",
            "without one the procedural backend draws the pictures, on the CPU; GPUs of AMD, Intel and Apple draw with "
            "generator: {use: klein-4b}, which nobody has measured",
        )
        return
    try:
        found = gpus.installed()
    except (OSError, subprocess.SubprocessError) as error:
        yield CheckResult(Mark.BAD, "gpu", f"nvidia-smi fails: {error}", "reinstall the NVIDIA driver")
        return
    for gpu in found:
        yield CheckResult(
            Mark.OK,
            "gpu",
            f"{gpu.name}, {gpu.free} of {gpu.total} free, driver {gpu.driver}, compute capability {gpu.capability}",
        )


def _backend(config: Config) -> CheckResult:
    choice = choose(config.generator.use)
    return CheckResult(Mark.OK, "backend", f"{choice.name}: {choice.why}")


def _processor(config: Config, home: Path) -> Iterator[CheckResult]:
    """Offer a real model where the painter draws for want of a GPU, if the processor is fast enough for it."""
    if choose(config.generator.use).name != "procedural" or gpus.tool() or not os.access(home, os.W_OK):
        return
    here, model = processor.known(home, again=True), models.shipped()[processor.OFFERED]
    needed = processor.expected(here, model)
    if needed.seconds > processor.FAST_ENOUGH_S:
        yield CheckResult(
            Mark.OK, "processor", f"{here.name}: {model.name} would need {needed} without a GPU: too slow for a stream"
        )
        return
    install = "" if not missing_libraries(names=CPU_LIBRARIES) else f"run: {installation.add_extra('cpu')}; then "
    yield CheckResult(
        Mark.NOTE,
        "processor",
        f"{here.name} is fast enough for a real model without a GPU: {model.name}, {needed} of "
        f"{'x'.join(map(str, model.native))}, {model.licence}",
        f"{install}set generator.use to {model.name}; {model.download:g} GB are downloaded once",
    )


def _model(config: Config, document: Document) -> Iterator[CheckResult]:
    """Name what is wrong with the model: its folder, its size, its licence; the hub is not asked."""
    use = app.chosen_backend(config, document, choose(config.generator.use))
    module = load_backend_module(use.name)
    options = module.Options.model_validate(use.options)
    try:
        if hasattr(module, "check_files"):
            module.check_files(options)
    except BackendUnavailable as error:
        yield CheckResult(Mark.BAD, "model", error.problem, error.fix)
    else:
        yield from _fit(str(use.options.get("model", "")))
    yield from _loras(app.style_loras(config, document), module, options)


def _measured(config: Config, document: Document, where: paths.Place) -> Iterator[CheckResult]:
    """Show what was measured here for the model at earlier starts, newest last."""
    model = str(app.chosen_backend(config, document, choose(config.generator.use)).options.get("model", ""))
    for on, measured in remembered(where.own).items():
        if f", {model}, " in on:
            yield CheckResult(Mark.OK, "measured", f"{measured.in_words()} ({on})")


def _picture_server(config: Config, home: Path) -> Iterator[CheckResult]:
    """Look at the key of the server that draws, without asking it anything."""
    if choose(config.generator.use).name != "openai_images":
        return
    options = openai_images.Options.model_validate(config.generator.backends.get("openai_images", {}))
    try:
        openai_images.read_key(openai_images.key_path(options, home))
    except BackendUnavailable as error:
        yield CheckResult(Mark.BAD, "picture key", error.problem, error.fix or "correct the file that key_file names")
    else:
        yield CheckResult(Mark.OK, "picture key", f"prompts go to {options.url}; who asked does not")


def _workers(config: Config, document: Document, home: Path) -> Iterator[CheckResult]:
    """Ask each worker on another computer whether it would draw for this one."""
    for selection in app.slot_selections(config):
        options = plugins.checked_options(selection, document)
        if not isinstance(options, remote.Options):
            continue
        try:
            asyncio.run(remote.probe(options, home))
        except ConfigError as error:
            yield CheckResult(Mark.BAD, "worker", error.problem, error.fix or "see docs/two-computers.md")
        except NotStarted as error:
            yield CheckResult(Mark.BAD, "worker", str(error), "start streamer worker there; see docs/two-computers.md")
        else:
            yield CheckResult(Mark.OK, "worker", f"{options.url} answers and takes the token")


def _loras(loras: Sequence[Lora], module: ModuleType, options: BaseModel) -> Iterator[CheckResult]:
    """Name the first LoRA of a style that was made for another model, as far as files here tell."""
    if not loras:
        return
    listed = ", ".join(dict.fromkeys(lora.path for lora in loras))
    if not hasattr(module, "check_loras"):
        yield CheckResult(Mark.NOTE, "lora", f"this backend draws without the LoRAs of styles: {listed}")
        return
    try:
        module.check_loras(options, loras)
    except BackendUnavailable as error:
        yield CheckResult(Mark.BAD, "lora", error.problem, error.fix)
    else:
        yield CheckResult(Mark.OK, "lora", listed)


def _fit(name: str) -> Iterator[CheckResult]:
    """Compare a listed model with the largest GPU, as far as both are known."""
    model, (gpu, memory_gb) = models.find(name), memory_here()
    if model is None or (memory_gb is None and model.backend != "openvino"):
        return
    needs = ", ".join(f"{size:g} GB {precision}" for precision, size in model.memory.items())
    at = "" if memory_gb is None or model.backend == "openvino" else f" on {gpu} with {memory_gb:.0f} GB"
    said = f"{model.name}{at}: {fit(model, memory_gb).value} ({needs}); {model.licence}"
    if fit(model, memory_gb) is Fit.NOT:
        yield CheckResult(Mark.BAD, "model", said, "set generator.use to one that streamer models says fits")
    elif model.commercial is not Commercial.YES:
        allowed = "does not allow" if model.commercial is Commercial.NO else "may not allow"
        detail = f"{said}, which {allowed} a stream that earns money"
        yield CheckResult(Mark.NOTE, "model", detail, "if yours does, choose one that may: streamer models lists them")
    else:
        yield CheckResult(Mark.OK, "model", said)


def _fonts() -> CheckResult:
    if missing := unwritable_scripts():
        fix = "install a font for them, such as the packages fonts-noto-cjk and fonts-noto-core"
        return CheckResult(
            Mark.NOTE,
            "captions",
            f"no installed font can write {', '.join(missing)}: captions show boxes for such letters",
            fix,
        )
    return CheckResult(Mark.OK, "captions", "the installed fonts cover every script that was checked")


def _port(config: Config, where: paths.Place) -> CheckResult:
    host, port = config.server.host, config.server.port
    config_file = paths.file_to_edit(where)
    try:
        server.listen(host, port, config_file).close()
    except ListenError as error:
        if error.problem == server.ALREADY_RUNNING:
            return CheckResult(Mark.NOTE, "port", f"{host}:{port}: {server.ALREADY_RUNNING}")
        return CheckResult(Mark.BAD, "port", str(error), f"stop the other program, or set server.port in {config_file}")
    return CheckResult(Mark.OK, "port", f"{host}:{port} is free; pages reach it at {config.server.url}")


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


def _twitch(config: Config, where: paths.Place, scopes: Mapping[str, str]) -> Iterator[CheckResult]:
    if not scopes:
        return
    log_in = "streamer login twitch"
    if not config.twitch.client_id:
        fix = f"register a Public application and write its id into {paths.file_to_edit(where)} (docs/twitch.md)"
        yield CheckResult(Mark.NOTE, "twitch login", f"twitch.client_id is empty; off: {_features(scopes)}", fix)
        return
    try:
        stored = token_file.read(token_file.path_in(where.home))
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


def _extras(config: Config, where: paths.Place) -> Iterator[CheckResult]:
    """Check the library of each plug-in that is chosen and has an extra of its own name."""
    chosen = {use.use for use in (*config.triggers, *config.generator.judges)}
    for extra, library in _LIBRARIES.items():
        if extra in chosen:
            try:
                yield CheckResult(Mark.OK, extra, f"{library} {version(library)}")
            except PackageNotFoundError:
                problem = f"{where.config} uses {extra}, but {library} is not installed"
                yield CheckResult(Mark.BAD, extra, problem, installation.add_extra(extra))
