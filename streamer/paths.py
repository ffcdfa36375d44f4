"""Where things are on this machine: the state folder, config.yaml, the web files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    pass


PACKAGE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are on this machine: state, config, web files."""

    home: Path
    config: Path
    web: Path


def place(environ: Mapping[str, str]) -> Place:
    """Find the places: the environment first, then ./config.yaml, then what travels with the package."""
    home = environ.get("STREAMER_HOME") or platformdirs.user_data_dir("streamer", appauthor=False)
    shipped = _shipped("config.yaml")
    here = Path("config.yaml")
    config = Path(environ["STREAMER_CONFIG"]) if environ.get("STREAMER_CONFIG") else here if here.exists() else shipped
    return Place(Path(home).expanduser(), config, _shipped("web"))


def _shipped(name: str) -> Path:
    """Return a file that stands beside the package in a checkout, and inside it in an installed wheel."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
