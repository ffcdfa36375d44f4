"""Whatever stands between a model's name and its folder is explained, if possible before anything is downloaded."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("huggingface_hub")

from huggingface_hub.errors import DryRunError, LocalEntryNotFoundError, OfflineModeIsEnabled

from streamer.errors import BackendUnavailable
from streamer.generator.klein.download import explain_hub_errors, find_checkpoint, warn_about_licence

pytestmark = pytest.mark.torch

HUB_ID = "somebody/FLUX.2-klein-4B"


@dataclass
class File:
    """One file of a dry run."""

    file_size: int
    will_download: bool


def silent(doing: str, share: float) -> None:
    """Report to nobody."""


def hub(monkeypatch: pytest.MonkeyPatch, files: list[File] | Exception, folder: Path) -> list[dict[str, Any]]:
    """Stand in for the hub's client; return the requests that it gets."""
    asked: list[dict[str, Any]] = []

    def snapshot_download(model: str, **how: Any) -> Any:
        asked.append(how)
        if not how.get("dry_run"):
            bar = how["tqdm_class"](total=200, unit="B")
            for _ in range(4):
                bar.update(50)
            return str(folder)
        if isinstance(files, Exception):
            raise files
        return files

    monkeypatch.setattr("streamer.generator.klein.download.snapshot_download", snapshot_download)
    return asked


def test_a_local_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    """No hub is asked for a folder that exists."""
    assert find_checkpoint(str(tmp_path), silent) == tmp_path


def test_a_download_fetches_what_is_used_and_reports_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The second copy of the transformer at the top of the repository stays there."""
    asked = hub(monkeypatch, [File(1000, True)], tmp_path)
    said: list[tuple[str, float]] = []
    assert find_checkpoint(HUB_ID, lambda doing, share: said.append((doing, share))) == tmp_path
    assert "transformer/*.safetensors" in asked[-1]["allow_patterns"]
    assert not [pattern for pattern in asked[-1]["allow_patterns"] if pattern.startswith("*")]
    assert [share for _, share in said] == [0.25, 0.5, 0.75, 1.0]


def test_a_full_disk_is_told_before_the_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is still to be fetched is compared with what is free."""
    asked = hub(monkeypatch, [File(10**15, True), File(10**15, False)], tmp_path)
    with pytest.raises(BackendUnavailable, match="needs 1000000 GB more"):
        find_checkpoint(HUB_ID, silent)
    assert all(how.get("dry_run") for how in asked)


def test_without_the_hub_what_is_downloaded_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offline, the size cannot be asked for; the cache decides."""
    hub(monkeypatch, DryRunError("offline"), tmp_path)
    assert find_checkpoint(HUB_ID, silent) == tmp_path


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LocalEntryNotFoundError("no"), "is not downloaded, and the hub cannot be reached"),
        (OfflineModeIsEnabled("no"), "is not downloaded, and the hub cannot be reached"),
        (OSError(28, "No space left on device"), "cannot be stored"),
    ],
)
def test_each_fault_names_its_fix(error: Exception, message: str) -> None:
    """What the client raises becomes a sentence with a fix."""
    with pytest.raises(BackendUnavailable, match=message) as caught, explain_hub_errors(HUB_ID):
        raise error
    assert caught.value.fix


@pytest.mark.parametrize(("status", "message"), [(403, "gated"), (404, "the hub has no model")])
def test_gates_and_typing_errors_are_told_apart(status: int, message: str) -> None:
    """A gated model asks for its licence and a token, an unknown one for its name."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    kind = GatedRepoError if status == 403 else RepositoryNotFoundError
    error = kind.__new__(kind)
    with pytest.raises(BackendUnavailable, match=message) as caught, explain_hub_errors(HUB_ID):
        raise error
    assert "HF_TOKEN" in caught.value.fix


def test_a_name_that_is_neither_is_told() -> None:
    """A single word is no hub id."""
    with pytest.raises(BackendUnavailable, match="there is no folder klein"):
        find_checkpoint("klein", silent)


@pytest.mark.parametrize(("model", "warned"), [("x/FLUX.2-klein-9B", True), ("x/FLUX.2-klein-4B", False)])
def test_the_licence_is_told_first(model: str, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The 9B may not be used on a monetised stream, the 4B may."""
    with caplog.at_level(logging.WARNING):
        warn_about_licence(model)
    assert ("Non-Commercial" in caplog.text) is warned
