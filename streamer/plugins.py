"""Finds the module that implements a name in config.yaml."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from streamer import modules

SEAMS: Mapping[str, str] = {
    "backend": "streamer.generator.backends",
    "judge": "streamer.generator.judges",
    "trigger": "streamer.triggers",
    "rule": "streamer.policy",
    "output": "streamer.outputs",
}


def names(seam: str) -> list[str]:
    """List the plug-ins of a seam that are on disk: the modules of its folder."""
    return modules.names_in(SEAMS[seam])


def find(seam: str, name: str) -> ModuleType:
    """Import the module behind ``use: name``: a file of the seam's folder, or somebody else's dotted module."""
    return modules.find(SEAMS[seam], seam, name)


def options_of(seam: str, name: str) -> type[BaseModel]:
    """Return the pydantic model that a plug-in's options must fit."""
    model: type[BaseModel] = find(seam, name).Options
    return model


def create(seam: str, name: str, options: BaseModel, shared: Mapping[str, object] | None = None) -> Any:
    """Build the plug-in from its validated options, and from those shared parts that ``create`` asks for by name."""
    build = find(seam, name).create
    wanted = inspect.signature(build).parameters
    return build(options, **{name: part for name, part in (shared or {}).items() if name in wanted})


def scopes_of(seam: str, name: str, options: BaseModel) -> Mapping[str, str]:
    """Say which scopes of a Twitch login a plug-in uses with these options, and for which feature."""
    tell = getattr(find(seam, name), "scopes", None)
    return tell(options) if tell else {}
