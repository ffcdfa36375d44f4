"""Turn a hub id or a folder into a folder; explain licences and whatever prevents a download."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import DryRunFileInfo, snapshot_download
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

from streamer.errors import BackendUnavailable
from streamer.generator.backend import Report, one_line
from streamer.generator.checkpoint_check import INDEX, WHAT_TO_GIVE
from streamer.generator.model_name import hub_id, local_folder

log = logging.getLogger(__name__)

# No *.safetensors at the top: the hub keeps a second copy of the transformer there, in another layout.
CHECKPOINT_FILES = (
    "model_index.json", "scheduler/*.json", "tokenizer/*", "transformer/*.json", "transformer/*.safetensors",
    "text_encoder/*.json", "text_encoder/*.safetensors", "vae/*.json", "vae/*.safetensors",
)  # fmt: skip
VAE_FILES = ("config.json", "*.safetensors", "vae/*.json", "vae/*.safetensors")
SPARE_GB = 2.0
REFUSED = (401, 403)
"""The statuses of an answer that wants another account or token."""
NON_COMMERCIAL = "FLUX Non-Commercial License, which does not allow monetized streams"


def find_checkpoint(
    model: str,
    report: Report,
    files: tuple[str, ...] = CHECKPOINT_FILES,
    check_index: Callable[[Path], object] | None = None,
) -> Path:
    """Return the folder of a local model, or download the missing files of a hub model and return its folder.

    ``files`` are patterns of the files that are used. ``check_index`` gets a folder with nothing but model_index.json
    before the rest is downloaded, and raises if that is the wrong model. Raises BackendUnavailable with a fix.
    """
    if (folder := local_folder(model)) is not None:
        return folder
    model = hub_id(model)
    warn_about_licence(model)
    with explain_hub_errors(model):
        bar = _progress_bar(report, model)
        missing = _missing_files(model, files, bar)
        if missing and check_index is not None:
            check_index(_download_index(model, bar))
        _require_disk_space(model, missing)
        return Path(snapshot_download(model, allow_patterns=list(files), tqdm_class=bar))


def names_on_hub(model: str, pattern: str) -> list[str]:
    """Return the files at the top of a repository that match a pattern; offline those that are downloaded."""
    with explain_hub_errors(model):
        try:
            planned = snapshot_download(model, allow_patterns=[pattern], dry_run=True)
        except DryRunError:
            folder = Path(snapshot_download(model, allow_patterns=[pattern], local_files_only=True))
            return [path.name for path in folder.glob(pattern)]
        return [file.filename for file in planned if "/" not in file.filename]


def warn_about_licence(model: str) -> None:
    """Warn, before anything is downloaded, about what a model's licence forbids."""
    if "klein" in model.lower() and "9b" in model.lower():
        log.warning("%s is gated and under the %s; FLUX.2-klein-4B is Apache-2.0", model, NON_COMMERCIAL)


@contextmanager
def explain_hub_errors(model: str) -> Iterator[None]:
    """Turn what the hub's client raises into BackendUnavailable that says what to do."""
    try:
        yield
    except (OSError, httpx.HTTPError, RuntimeError, ValueError) as error:
        # RuntimeError and ValueError: the transfer library for large files, and a token that no header can hold.
        raise _explain(model, error) from error


def _explain(model: str, error: Exception) -> BackendUnavailable:
    """Say in one sentence what stands between a model and its download."""
    page, status = f"https://huggingface.co/{model}", _http_status(error)
    if isinstance(error, GatedRepoError):
        problem = f"{model} is gated, and this account has not accepted its licence"
        fix = f"accept it at {page}, then set HF_TOKEN or run: hf auth login"
    elif isinstance(error, RepositoryNotFoundError):
        problem = f"there is no folder {model} here, and the hub has no such model, or it is private"
        fix = f"check the spelling, {page}, and HF_TOKEN if it needs an account"
    elif status in REFUSED:
        problem = f"the hub refuses access to {model} ({status})"
        fix = "correct HF_TOKEN, or run: hf auth login; a token of limited scope must allow gated repositories"
    elif isinstance(error, LocalEntryNotFoundError | OfflineModeIsEnabled):
        problem = (
            f"{model} is {_downloaded(model)}, and the hub {f'fails ({status})' if status else 'cannot be reached'}"
        )
        fix = "go online once to download it, or name a local copy of it in its place"
    elif isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError | HfHubHTTPError):
        problem = f"{model} cannot be stored: {error.strerror or one_line(error)}"
        fix = "set HF_HOME to a folder on a larger disk that you may write"
    else:
        problem = f"downloading {model} failed: {one_line(error)}"
        fix = "start the program again to resume the download"
    return BackendUnavailable(problem, fix=fix)


def _http_status(error: BaseException | None) -> int | None:
    """Return the status of the hub's answer behind an error; None if the hub did not answer."""
    while error is not None and not isinstance(error, HfHubHTTPError):
        error = error.__cause__
    return getattr(getattr(error, "response", None), "status_code", None)


def _downloaded(model: str) -> str:
    """Say how much of a model the hub's cache holds that is not whole there."""
    snapshots = Path(HF_HUB_CACHE) / f"models--{model.replace('/', '--')}" / "snapshots"
    return "only partly downloaded" if any(snapshots.glob("*/*")) else "not downloaded"


def _missing_files(model: str, files: tuple[str, ...], bar: type[tqdm[Any]]) -> list[DryRunFileInfo]:
    """List what is still to be downloaded; nothing if the hub cannot be reached: what is there may be enough."""
    try:
        planned = snapshot_download(model, allow_patterns=list(files), dry_run=True, tqdm_class=bar)
    except DryRunError:
        return []
    if INDEX in files and not any(file.filename == INDEX for file in planned):
        raise BackendUnavailable(f"{model} is not a diffusers model: the hub has no {INDEX} of it", fix=WHAT_TO_GIVE)
    return [file for file in planned if file.will_download]


def _download_index(model: str, bar: type[tqdm[Any]]) -> Path:
    return Path(snapshot_download(model, allow_patterns=[INDEX], tqdm_class=bar))


def _require_disk_space(model: str, missing: list[DryRunFileInfo]) -> None:
    """Raise BackendUnavailable if the disk has no room for what is still to be downloaded."""
    if not missing:
        return
    missing_gb = sum(file.file_size or 0 for file in missing) / 1e9
    cache = Path(HF_HUB_CACHE)
    existing = next((parent for parent in (cache, *cache.parents) if parent.exists()), None)
    if existing is None:
        raise BackendUnavailable(f"{model} cannot be stored in {cache}: there is no such drive", fix="correct HF_HOME")
    free_gb = shutil.disk_usage(existing).free / 1e9
    if missing_gb + SPARE_GB > free_gb:
        raise BackendUnavailable(
            f"{model} needs {missing_gb:.0f} GB more and {existing} has {free_gb:.0f} GB free",
            fix="free some space, or set HF_HOME to a larger disk",
        )
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
