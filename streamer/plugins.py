"""Finds the module that implements a name in config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from streamer import modules

SEAMS: Mapping[str, str] = {
    "backend": "streamer.generator.backends",
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


def create(seam: str, name: str, options: BaseModel) -> Any:
    """Build the plug-in from its validated options."""
    return find(seam, name).create(options)
