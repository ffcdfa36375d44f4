"""Turn a hub id or a folder into a folder; explain licences and whatever prevents a download."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import (
    DryRunError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from tqdm.auto import tqdm

from streamer.errors import BackendUnavailable, in_words
from streamer.generator.backend import Report

log = logging.getLogger(__name__)

# No *.safetensors at the top: the hub keeps a second copy of the transformer there, in another layout.
CHECKPOINT_FILES = (
    "model_index.json", "scheduler/*.json", "tokenizer/*", "transformer/*.json", "transformer/*.safetensors",
    "text_encoder/*.json", "text_encoder/*.safetensors", "vae/*.json", "vae/*.safetensors",
)  # fmt: skip
VAE_FILES = ("config.json", "*.safetensors", "vae/*.json", "vae/*.safetensors")
SPARE_GB = 2.0
NON_COMMERCIAL = "FLUX Non-Commercial License, which does not allow monetized streams"


def find_checkpoint(model: str, report: Report, files: tuple[str, ...] = CHECKPOINT_FILES) -> Path:
    """Return the folder of a local model, or download the missing files of a hub model and return its folder.

    ``files`` are patterns of the files that are used. Raises BackendUnavailable with a fix.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise BackendUnavailable(f"there is no folder {model}", fix="give a hub id or the folder of a downloaded model")
    warn_about_licence(model)
    with explain_hub_errors(model):
        _require_disk_space(model, files)
        path = snapshot_download(model, allow_patterns=list(files), tqdm_class=_progress_bar(report, model))
    return Path(path)


def warn_about_licence(model: str) -> None:
    """Warn, before anything is downloaded, about what a model's licence forbids."""
    if "klein" in model.lower() and "9b" in model.lower():
        log.warning("%s is gated and under the %s; FLUX.2-klein-4B is Apache-2.0", model, NON_COMMERCIAL)


@contextmanager
def explain_hub_errors(model: str) -> Iterator[None]:
    """Turn what the hub's client raises into BackendUnavailable that says what to do."""
    page = f"https://huggingface.co/{model}"
    try:
        yield
    except GatedRepoError as error:
        raise BackendUnavailable(
            f"{model} is gated, and this account has not accepted its licence",
            fix=f"accept it at {page}, then set HF_TOKEN or run: hf auth login",
        ) from error
    except RepositoryNotFoundError as error:
        raise BackendUnavailable(
            f"the hub has no model {model}, or it is private", fix=f"check {page}, and HF_TOKEN if it needs an account"
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise BackendUnavailable(
            f"{model} is not downloaded, and the hub cannot be reached",
            fix="go online once to download it, or set generator.backends.klein.model to a local folder",
        ) from error
    except HfHubHTTPError as error:
        raise BackendUnavailable(
            f"downloading {model} failed: {in_words(error)}", fix="start the program again to resume the download"
        ) from error
    except OSError as error:
        raise BackendUnavailable(
            f"{model} cannot be stored: {in_words(error)}", fix="set HF_HOME to a larger disk"
        ) from error


def _require_disk_space(model: str, files: tuple[str, ...]) -> None:
    """Raise BackendUnavailable if the disk has no room for what is still to be downloaded."""
    try:
        planned = snapshot_download(model, allow_patterns=list(files), dry_run=True)
    except DryRunError:
        return  # the hub cannot be reached; the files that are there already may be enough
    missing_gb = sum(file.file_size or 0 for file in planned if file.will_download) / 1e9
    cache = Path(HF_HUB_CACHE)
    existing = next(parent for parent in (cache, *cache.parents) if parent.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    if missing_gb + SPARE_GB > free_gb:
        raise BackendUnavailable(
            f"{model} needs {missing_gb:.0f} GB more and {existing} has {free_gb:.0f} GB free",
            fix="free some space, or set HF_HOME to a larger disk",
        )
    if missing_gb:
        log.info("downloading %.1f GB of %s to %s", missing_gb, model, cache)


def _progress_bar(report: Report, model: str) -> type[tqdm[Any]]:
    """Make a class of progress bars that report each per cent of the bytes instead of printing."""
    lock, reported = threading.Lock(), [-1]

    class ReportingBar(tqdm):  # type: ignore[misc, type-arg, unused-ignore]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": False, "file": _NullFile()})

        def update(self, n: float | None = 1) -> bool | None:
            moved = super().update(n)
            # Several downloading threads call this; the thread that otherwise reports is waiting for them.
            with lock:
                percent = int(100 * self.n / self.total) if self.total and self.unit == "B" else -1
                if percent > reported[0]:
                    reported[0] = percent
                    report(f"downloading {model}", min(1.0, percent / 100))
            return moved

    return ReportingBar


class _NullFile:
    """A file that discards what is written."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        return None
