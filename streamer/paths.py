"""Where things are on this machine: the state folder, the user's config.yaml and the shipped one, the web files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """Return a file that stands beside the package in a checkout, and inside it in an installed wheel."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name


SHIPPED_CONFIG = shipped("config.yaml")
STARTER_CONFIG = PACKAGE / "starter.yaml"
"""What ``streamer init`` writes."""


@dataclass(frozen=True, slots=True)
class Place:
    """The state folder, the config file that the user edits, and the folder of the web files; paths are absolute.

    ``own`` is where the user's layouts and the compile caches are: the state folder, for the demo as well, whose
    ``home`` is another one.
    """

    home: Path
    config: Path
    web: Path
    own: Path


def place(environ: Mapping[str, str]) -> Place:
    """Find the places. They stay the same when the working directory changes later, and in child processes."""
    home = environ.get("STREAMER_HOME") or platformdirs.user_data_dir("streamer", appauthor=False)
    folder = _absolute(home)
    return Place(folder, _config(environ), shipped("web"), folder)


def default_config() -> Path:
    """Return the file in the user's config folder, which ``streamer init`` writes."""
    return Path(platformdirs.user_config_dir("streamer", appauthor=False)) / "config.yaml"


def file_to_edit(where: Place) -> str:
    """Name the user's file in a message that tells them to edit it, and say how to get it if it is not there yet.

    The home folder is ~: messages are seen on stream, and its name is often the streamer's own.
    """
    home = Path.home()
    name = str(Path("~") / where.config.relative_to(home)) if where.config.is_relative_to(home) else str(where.config)
    return name if where.config.exists() else f"{name} (streamer init writes it)"


def _config(environ: Mapping[str, str]) -> Path:
    """Find the user's file: STREAMER_CONFIG (or --config), then ./config.yaml, then the user's config folder."""
    if given := environ.get("STREAMER_CONFIG"):
        return _absolute(given)
    here = Path("config.yaml")
    # In a checkout that file is the shipped one, over which the user's file lies.
    return default_config() if not here.is_file() or here.samefile(SHIPPED_CONFIG) else here.absolute()


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
