"""Finds the module that implements a name in config.yaml."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from streamer.errors import PluginError

log = logging.getLogger(__name__)

SEAMS: Mapping[str, str] = {
    "backend": "streamer.generator.backends",
    "judge": "streamer.generator.judges",
    "trigger": "streamer.triggers",
    "rule": "streamer.moderation.rules",
    "output": "streamer.outputs",
}

RENAMED: Mapping[tuple[str, str], str] = {("rule", "ban"): "blocklist"}
"""Plug-ins that config.yaml may still call by their old names, for one release."""


def names(seam: str) -> list[str]:
    """List the plug-ins of a seam that are on disk: the modules of its folder."""
    return names_in(SEAMS[seam])


def find(seam: str, name: str) -> ModuleType:
    """Import the module behind ``use: name``: a file of the seam's folder, or somebody else's dotted module."""
    return find_in(SEAMS[seam], seam, RENAMED.get((seam, name), name))


def options_of(seam: str, name: str) -> type[BaseModel]:
    """Return the pydantic model that a plug-in's options must fit."""
    model: type[BaseModel] = find(seam, name).Options
    return model


def create(seam: str, name: str, options: BaseModel, shared: Mapping[str, object] | None = None) -> Any:
    """Build the plug-in from its validated options, and from those shared parts that ``create`` asks for by name."""
    if new_name := RENAMED.get((seam, name)):
        log.warning("config.yaml: 'use: %s' is now called 'use: %s'; the old name works until the next release",
                    name, new_name)  # fmt: skip
    build = find(seam, name).create
    wanted = inspect.signature(build).parameters
    return build(options, **{name: part for name, part in (shared or {}).items() if name in wanted})


def scopes_of(seam: str, name: str, options: BaseModel) -> Mapping[str, str]:
    """Say which scopes of a Twitch login a plug-in uses with these options, and for which feature."""
    tell = getattr(find(seam, name), "scopes", None)
    return tell(options) if tell else {}


def names_in(package: str) -> list[str]:
    """List the modules of a package that are on disk, without the helpers whose names begin with _."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    return sorted(module.name for module in found if not module.name.startswith("_"))


def find_in(package: str, seam: str, name: str, also: Sequence[str] = ()) -> ModuleType:
    """Import a plug-in; PluginError says which names there are (``also`` are names that stand for one of them)."""
    path = name if "." in name else f"{package}.{name}"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name
        if missing is None or not f"{path}.".startswith(f"{missing}."):
            raise PluginError(seam, name, f"needs the package '{missing}'; {missing} is not installed") from error
        known = ", ".join([*also, *names_in(package)])
        raise PluginError(seam, name, f"no such name is known: use one of: {known}") from error
    if not (hasattr(module, "Options") and hasattr(module, "create")):
        raise PluginError(seam, name, "the module offers no Options; it must offer Options and create(options)")
    return module
