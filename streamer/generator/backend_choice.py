"""Imports the module of a backend or judge, and decides which backend ``use: auto`` means on this machine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from streamer import installation, plugins
from streamer.generator import models
from streamer.generator.models import Model

KLEIN_LIBRARIES = ("torch", "diffusers", "transformers")
CPU_LIBRARIES = (*KLEIN_LIBRARIES, "openvino")


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """Which backend to use; ``why`` is a sentence for people and ends with the fix, if there is one.

    ``model`` is the model that config.yaml selects by its name; without one the backend's own options say which.
    """

    name: str
    why: str
    model: Model | None = None


def choose(use: str) -> BackendChoice:
    """Return the backend that was asked for, or for ``auto`` the best one that this machine can run."""
    if (model := models.find(use)) is not None:
        return BackendChoice(model.backend, f"{model.name} is set in config.yaml", model)
    if use != "auto":
        return BackendChoice(use, f"{use} is set in config.yaml")
    return choose_for(missing_libraries(), gpu_visible())


def options_of_model(choice: BackendChoice) -> dict[str, object]:
    """Return the options that a model's name stands for; they win over the backend's own."""
    if choice.model is None:
        return {}
    return {"model": choice.model.repository if choice.model.backend == "klein" else choice.model.name}


def choose_for(missing: list[str], gpu: bool) -> BackendChoice:
    """Decide by the missing libraries and whether there is a GPU."""
    if not gpu:
        return BackendChoice("procedural", "no NVIDIA GPU found; drawing with the procedural backend")
    if missing:
        lacking = ", ".join(missing)
        fix = f"run: {installation.add_extra('klein')}"
        return BackendChoice(
            "procedural", f"found an NVIDIA GPU but not {lacking}; drawing with the procedural backend; {fix}"
        )
    return BackendChoice("klein", "found an NVIDIA GPU and the klein extra")


def missing_libraries(
    find: Callable[[str], object | None] = find_spec, names: Sequence[str] = KLEIN_LIBRARIES
) -> list[str]:
    """List the libraries of an extra that are not installed, without importing any."""
    return [name for name in names if find(name) is None]


def gpu_visible(root: Path = Path("/"), platform: str = sys.platform) -> bool:
    """Tell whether an NVIDIA driver offers a GPU, without initializing CUDA."""
    if platform == "win32":
        return shutil.which("nvidia-smi") is not None
    # WSL2 has no /dev/nvidia0: it shows a GPU as /dev/dxg beside the driver's library.
    wsl = (root / "dev/dxg").exists() and (root / "usr/lib/wsl/lib/libcuda.so.1").exists()
    return wsl or any((root / "dev").glob("nvidia[0-9]*"))


def backend_names() -> list[str]:
    """List the backends that come with the program."""
    return plugins.names("backend")


def load_backend_module(name: str) -> ModuleType:
    """Import a backend by its file name in generator/backends, or a third-party module by its dotted name."""
    return plugins.find("backend", name, also=("auto", *models.shipped()))


def load_judge_module(name: str) -> ModuleType:
    """Import a judge by its file name in generator/judges, or a third-party module by its dotted name."""
    return plugins.find("judge", name)
