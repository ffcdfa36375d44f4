#!/usr/bin/env python3
"""Fetch the browser engines inside OBS, so that the overlay can be tested on them: Chromium 127 and 103.

OBS 31 and 32 embed Chromium 127, OBS 28 to 30 Chromium 103. The npm package @sparticuz/chromium carries headless
builds of those branches, brotli-packed; this fetches the tarballs with npm, runs none of their scripts and unpacks the
binaries with node into ``$STREAMER_TEST_BROWSERS`` (default ~/.cache/streamer-browsers). What is there already stays.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# With the digests of the tarballs, since a browser is run with all rights of whoever runs the tests.
MAJORS = {
    127: "808180a2342261bd439e0824bfdbda5ca7a74668c2d3772853da73d31eacf9cf",
    103: "88f1af268022584ffd0e4b58a68c8bd63b55f247b7c84481c719f362fb2be43a",
}

_UNPACK = """
const fs = require('fs'), zlib = require('zlib');
fs.writeFileSync(process.argv[2], zlib.brotliDecompressSync(fs.readFileSync(process.argv[1])), {mode: 0o755});
"""


def cache() -> Path:
    """Return the folder the engines are kept in."""
    return Path(os.environ.get("STREAMER_TEST_BROWSERS") or Path.home() / ".cache" / "streamer-browsers")


def binary(major: int) -> Path:
    """Return where the engine of that version is, or would be."""
    return cache() / f"chromium-{major}" / "chromium"


def fetch(major: int) -> Path:
    """Fetch one engine unless it is there; return its binary."""
    target = binary(major)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        tarball = _pack(f"@sparticuz/chromium@{major}.0.0", Path(scratch))
        if hashlib.sha256(tarball.read_bytes()).hexdigest() != MAJORS[major]:
            raise SystemExit(f"{tarball.name} is not the file that was tested before: not unpacked")
        _unpack(tarball, Path(scratch), target)
    return target


def _pack(package: str, folder: Path) -> Path:
    command = ["npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", str(folder), package]
    name = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=folder).stdout.split()[-1]
    return folder / name


def _unpack(tarball: Path, scratch: Path, target: Path) -> None:
    packed, plain = scratch / "chromium.br", scratch / "chromium"
    with tarfile.open(tarball) as archive:
        member = archive.extractfile("package/bin/chromium.br")
        if member is None:
            raise SystemExit(f"{tarball.name} holds no package/bin/chromium.br")
        with member, packed.open("wb") as out:
            shutil.copyfileobj(member, out)
    subprocess.run(["node", "-e", _UNPACK, str(packed), str(plain)], check=True)
    # Renamed last: a half-written browser is never taken for a whole one.
    plain.rename(target)


def main() -> int:
    """Fetch all engines and print their paths."""
    for tool in ("npm", "node"):
        if shutil.which(tool) is None:
            print(f"{tool} is needed to fetch the browsers; install Node.js", file=sys.stderr)
            return 1
    for major in MAJORS:
        print(fetch(major))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
