"""Reads the overlay's page and modules once, at the start: a request can only ever name one of these files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
FOLDERS = ("overlay", "shared")
"""The folders of web/ that hold the overlay's files; modules import each other by relative paths between them."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """The page and its files by path below web/; ``version`` is a digest of all files and part of their addresses."""

    version: str
    page: str
    files: Mapping[str, Asset]


def read_assets(web_root: Path) -> Assets:
    """Read the overlay's page and every file that it may load."""
    files = {
        path.relative_to(web_root).as_posix(): Asset(MEDIA_TYPES[path.suffix], path.read_bytes())
        for folder in FOLDERS
        for path in sorted((web_root / folder).rglob("*"))
        if path.suffix in MEDIA_TYPES and path.is_file() and not path.is_symlink()
    }
    version = _digest(files)
    # The page names all modules, so that they load in parallel and not one round trip after the other.
    modules = (name for name in files if name.endswith(".js"))
    preloads = "\n".join(f'<link rel="modulepreload" href="overlay/static/{version}/{name}">' for name in modules)
    page = (web_root / "overlay" / "index.html").read_text(encoding="utf-8")
    return Assets(version, page.replace("{version}", version).replace("{preloads}", preloads), files)


def _digest(files: Mapping[str, Asset]) -> str:
    digest = hashlib.sha256()
    for name, asset in files.items():
        digest.update(b"%d %s %d\n" % (len(name), name.encode(), len(asset.data)) + asset.data)
    return digest.hexdigest()[:16]
