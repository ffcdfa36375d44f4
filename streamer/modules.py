"""Imports the module that implements a name: a file of a package, or the dotted name of someone else's module."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType

from streamer.errors import PluginError


def names_in(package: str) -> list[str]:
    """List the modules of a package that are on disk."""
    return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))


def find(package: str, seam: str, name: str, also: Sequence[str] = ()) -> ModuleType:
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
