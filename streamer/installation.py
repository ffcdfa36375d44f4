"""How this program was installed, and so which command adds an extra or a package to it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess  # nosec B404 - its list2cmdline alone, nothing is run
import sys
import sysconfig
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

NAME = "streamer-live"
"""The name of the distribution; command and import are ``streamer``."""

_FOR_DEVELOPERS = "test"
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+).*;.*\bextra == ['\"](?P<extra>[\w-]+)['\"]")


class Installer(Enum):
    """The program that installed this one."""

    PIP = "pip"
    UV = "uv"
    PIPX = "pipx"
    UV_TOOL = "uv tool"


@dataclass(frozen=True, slots=True)
class Installation:
    """What decides the command.

    ``source`` is where the package came from: a folder, an address, or nothing for a package index. ``extras`` are the
    installed ones. ``flags`` are what pip needs to write to this Python.
    """

    installer: Installer
    python: Path
    environment: str = NAME
    source: str = ""
    editable: bool = False
    extras: Collection[str] = ()
    flags: tuple[str, ...] = ()


def add_extra(extra: str, installation: Installation | None = None) -> str:
    """Return the shell command that adds an extra to this installation."""
    at = installation or current()
    match at.installer:
        # Both make the environment anew, so that the extras it has are named too.
        case Installer.PIPX:
            return _shell(["pipx", "install", "--force", *_source(at, {*at.extras, extra})])
        case Installer.UV_TOOL:
            return _shell(["uv", "tool", "install", "--reinstall", *_source(at, {*at.extras, extra})])
        case Installer.PIP | Installer.UV:
            return _shell([*_pip(at), *_source(at, {extra})])


def add_package(package: str, installation: Installation | None = None) -> str:
    """Return the shell command that adds another package to this installation."""
    at = installation or current()
    match at.installer:
        case Installer.PIPX:
            return _shell(["pipx", "inject", at.environment, package])
        case Installer.UV_TOOL:
            return _shell(["uv", "tool", "install", "--with", package, *_source(at, at.extras)])
        case Installer.PIP | Installer.UV:
            return _shell([*_pip(at), package])


def current() -> Installation:
    """Find out how this program was installed."""
    prefix, package = Path(sys.prefix), Path(__file__).parent
    found = _distribution()
    # Not importlib.util.find_spec: setuptools answers it for pip by dropping distutils from what is imported.
    has_pip = PathFinder.find_spec("pip") is not None
    checkout = (package.parent / "pyproject.toml").is_file()
    return Installation(
        _installer(prefix, has_pip=has_pip),
        Path(sys.executable),
        prefix.name,
        str(package.parent) if checkout else _source_of(found),
        checkout,
        frozenset(_installed_extras(found.requires or () if found else ())),
        tuple(_flags(prefix, package)),
    )


def _distribution() -> Distribution | None:
    with suppress(PackageNotFoundError):
        return distribution(NAME)
    return None


def _installer(prefix: Path, *, has_pip: bool) -> Installer:
    if (prefix / "pipx_metadata.json").exists():
        return Installer.PIPX
    if (prefix / "uv-receipt.toml").exists():
        return Installer.UV_TOOL
    return Installer.PIP if has_pip else Installer.UV


def _source_of(found: Distribution | None) -> str:
    """Return the folder or the address that pip noted at the installation (PEP 610)."""
    noted = json.loads((found and found.read_text("direct_url.json")) or "{}")
    url = str(noted.get("url", ""))
    if "dir_info" in noted:
        return url2pathname(unquote(urlsplit(url).path))
    if version_control := noted.get("vcs_info"):
        revision = version_control.get("requested_revision")
        return f"{version_control['vcs']}+{url}" + (f"@{revision}" if revision else "")
    return url


def _installed_extras(requirements: Iterable[str]) -> Iterator[str]:
    """Yield the extras of which every package is installed."""
    packages: dict[str, list[str]] = {}
    for match in filter(None, map(_REQUIREMENT.match, requirements)):
        packages.setdefault(match["extra"], []).append(match["name"])
    for extra, names in packages.items():
        if extra != _FOR_DEVELOPERS and all(map(_is_installed, names)):
            yield extra


def _is_installed(package: str) -> bool:
    try:
        return bool(distribution(package))
    except PackageNotFoundError:
        return False


def _flags(prefix: Path, package: Path) -> Iterator[str]:
    """Yield what pip needs outside of a virtual environment."""
    if str(prefix) != sys.base_prefix:
        return
    if package.is_relative_to(sysconfig.get_path("purelib", sysconfig.get_preferred_scheme("user"))):
        yield "--user"
    if (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists():
        # This program was installed here all the same, and only so can more be added to it.
        yield "--break-system-packages"


def _pip(at: Installation) -> list[str]:
    if at.installer is Installer.UV:
        return ["uv", "pip", "install", "--python", str(at.python), *at.flags]
    return [str(at.python), "-m", "pip", "install", *at.flags]


def _source(at: Installation, extras: Collection[str]) -> list[str]:
    chosen = f"[{','.join(sorted(extras))}]" if extras else ""
    if "://" in at.source:
        return [f"{NAME}{chosen} @ {at.source}"]
    return [*(["--editable"] if at.editable else []), f"{at.source or NAME}{chosen}"]


def _shell(words: list[str]) -> str:
    """Write a command for the shell of this system, with the home folder as ~: messages are seen on stream."""
    if sys.platform == "win32":
        return subprocess.list2cmdline(words)
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    home = f"{Path.home()}/"
    return f"~/{shlex.quote(word.removeprefix(home))}" if word.startswith(home) else shlex.quote(word)
