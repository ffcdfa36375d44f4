"""Finds the module behind ``use: name`` in config.yaml, checks its options and builds it."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from streamer.config_file import Document, Location
from streamer.errors import ConfigError, PluginError

log = logging.getLogger(__name__)

SEAMS: Mapping[str, str] = {
    "backend": "streamer.generator.backends",
    "judge": "streamer.generator.judges",
    "slot": "streamer.generator.slots",
    "trigger": "streamer.triggers",
    "rule": "streamer.moderation.rules",
    "output": "streamer.outputs",
}
"""Each kind of plug-in, and the package whose modules are its plug-ins."""

RENAMED: Mapping[tuple[str, str], str] = {("rule", "ban"): "blocklist"}
"""Plug-ins that config.yaml may still call by their old names, for one release."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One plug-in that config.yaml selects: its seam, its name, its options as written, and where it stands."""

    seam: str
    name: str
    options: Mapping[str, object]
    at: Location


def names(seam: str) -> list[str]:
    """List the plug-ins of a seam: the modules of its package, without the helpers whose names begin with _."""
    modules = pkgutil.iter_modules(importlib.import_module(SEAMS[seam]).__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def find(seam: str, name: str, also: Sequence[str] = ()) -> ModuleType:
    """Import a plug-in: a module of the seam's package, or somebody else's module by its dotted name.

    Raise PluginError with the known names; ``also`` are further names that the config key accepts.
    """
    name = RENAMED.get((seam, name), name)
    path = name if "." in name else f"{SEAMS[seam]}.{name}"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name
        if missing is None or not f"{path}.".startswith(f"{missing}."):
            raise PluginError(seam, name, f"needs the package '{missing}', which is not installed") from error
        known = ", ".join([*also, *names(seam)])
        raise PluginError(seam, name, f"there is no such plug-in; use one of: {known}") from error
    if not (hasattr(module, "Options") and hasattr(module, "create")):
        raise PluginError(seam, name, "the module must offer Options and create(options)")
    return module


def options_of(seam: str, name: str) -> type[BaseModel]:
    """Return the pydantic model that a plug-in's options must fit."""
    model: type[BaseModel] = find(seam, name).Options
    return model


def create(seam: str, name: str, options: BaseModel, shared: Mapping[str, object] | None = None) -> Any:
    """Build the plug-in from its validated options and those shared parts that its ``create`` names."""
    build = find(seam, name).create
    wanted = inspect.signature(build).parameters
    return build(options, **{name: part for name, part in (shared or {}).items() if name in wanted})


def scopes_of(seam: str, name: str, options: BaseModel) -> Mapping[str, str]:
    """Return the scopes of a Twitch login that a plug-in needs with these options, each with its feature."""
    scopes = getattr(find(seam, name), "scopes", None)
    return scopes(options) if scopes else {}


def options_model(seam: str, name: str, document: Document, at: Location) -> type[BaseModel]:
    """Return the model of a plug-in's options; raise a ConfigError that names the line if there is no such plug-in."""
    try:
        return options_of(seam, name)
    except PluginError as error:
        raise document.error(at, str(error)) from None


def checked_options(selection: Selection, document: Document) -> BaseModel:
    """Validate a plug-in's options; raise ConfigErrors that name the line."""
    model = options_model(selection.seam, selection.name, document, (*selection.at, "use"))
    return document.check(model, dict(selection.options), selection.at)


def create_all(
    selections: Iterable[Selection], document: Document, shared: Mapping[str, object] | None = None
) -> list[Any]:
    """Build the selected plug-ins in order; raise ConfigErrors that name the line."""
    created = []
    for selection in selections:
        options = checked_options(selection, document)
        if new_name := RENAMED.get((selection.seam, selection.name)):
            problem = f"'{selection.name}' is now called '{new_name}'; the old name works until the next release"
            log.warning("%s", document.error((*selection.at, "use"), problem))
        try:
            created.append(create(selection.seam, selection.name, options, shared))
        except ConfigError as error:
            key = error.key.split(".")[-1]
            raise document.error((*selection.at, key), error.problem, error.fix) from None
    return created


def scopes(selections: Iterable[Selection], document: Document) -> dict[str, str]:
    """Collect the Twitch scopes that the selected plug-ins need, each with its feature."""
    needed: dict[str, str] = {}
    for selection in selections:
        needed |= scopes_of(selection.seam, selection.name, checked_options(selection, document))
    return needed
