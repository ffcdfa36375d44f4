"""Describes the machine and the versions of everything that matters for speed, without importing any of it."""

from __future__ import annotations

import platform
import subprocess  # nosec B404 - its error alone, nothing is run
from importlib.metadata import PackageNotFoundError, version

from streamer import __version__
from streamer.generator import gpus
from streamer.generator.benchmark.device import processor
from streamer.generator.benchmark.results import Machine

PACKAGES = ("torch", "diffusers", "transformers", "triton", "numpy")


def machine_here() -> Machine:
    """Describe this machine; its first GPU is the one that draws."""
    try:
        found = gpus.installed()
    except (OSError, subprocess.SubprocessError):
        found = []
    card = found[0] if found else None
    return Machine(
        card=card.name if card else "no NVIDIA GPU",
        memory_gb=card.memory_gb if card else None,
        driver=card.driver if card else "",
        processor=processor(),
        system=f"{platform.system()} {platform.machine()}",
        versions={"streamer": __version__, "Python": platform.python_version(), **_installed()},
    )


def _installed() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
