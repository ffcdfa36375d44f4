"""Where things are on this machine: the state folder, config.yaml, the web files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Place:
    """The state folder, the config file and the folder of the web files."""

    home: Path
    config: Path
    web: Path


def place(environ: Mapping[str, str]) -> Place:
    """Find the places: the environment first, then ./config.yaml, then the files that ship with the package."""
    home = environ.get("STREAMER_HOME") or platformdirs.user_data_dir("streamer", appauthor=False)
    return Place(Path(home).expanduser(), _config(environ), _shipped("web"))


def _config(environ: Mapping[str, str]) -> Path:
    if given := environ.get("STREAMER_CONFIG"):
        return Path(given)
    here = Path("config.yaml")
    return here if here.exists() else _shipped("config.yaml")


def _shipped(name: str) -> Path:
    """Return a file that stands beside the package in a checkout, and inside it in an installed wheel."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
