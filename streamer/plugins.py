"""Finds the module that implements a name in config.yaml."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from streamer.errors import PluginError

SEAMS: Mapping[str, str] = {
    "backend": "streamer.generator.backends",
    "trigger": "streamer.triggers",
    "rule": "streamer.policy",
    "output": "streamer.outputs",
}


def names(seam: str) -> list[str]:
    """List the plug-ins of a seam that are on disk: the modules of its folder."""
    package = importlib.import_module(SEAMS[seam])
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def find(seam: str, name: str) -> ModuleType:
    """Import the module behind ``use: name``: a file of the seam's folder, or somebody else's dotted module."""
    path = name if "." in name else f"{SEAMS[seam]}.{name}"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise PluginError(seam, name, f"needs the package '{error.name}', which is not installed") from error
        raise PluginError(seam, name, f"there is none by that name; known: {', '.join(names(seam))}") from error
    if not (hasattr(module, "Options") and hasattr(module, "create")):
        raise PluginError(seam, name, "the module must offer Options and create(options)")
    return module


def options_of(seam: str, name: str) -> type[BaseModel]:
    """Return the pydantic model that a plug-in's options must fit."""
    model: type[BaseModel] = find(seam, name).Options
    return model


def create(seam: str, name: str, options: BaseModel) -> Any:
    """Build the plug-in from its validated options."""
    return find(seam, name).create(options)
