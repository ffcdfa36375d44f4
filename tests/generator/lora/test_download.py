"""A LoRA on the hub is downloaded as models are: one file, and what stands between is said by option."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("huggingface_hub")

from huggingface_hub.errors import DryRunError, LocalEntryNotFoundError

from streamer.errors import BackendUnavailable
from streamer.generator.lora.download import find_lora
from streamer.types import Lora
from tests.support.lora_files import FLUX2_4B, write_tensors

pytestmark = pytest.mark.torch


@dataclass
class File:
    """One file of a dry run."""

    filename: str
    file_size: int = 1
    will_download: bool = True


def silent(doing: str, share: float) -> None:
    """Report to nobody."""


def hub(monkeypatch: pytest.MonkeyPatch, folder: Path, names: list[str], *, offline: bool = False) -> list[list[str]]:
    """Stand in for the hub's client with these files; return the patterns of what is downloaded."""
    fetched: list[list[str]] = []

    def snapshot_download(model: str, allow_patterns: list[str], dry_run: bool = False, **how: Any) -> Any:
        if dry_run and offline:
            raise DryRunError("no network")
        if not names:
            raise LocalEntryNotFoundError("nothing here")
        if dry_run:
            return [File(name) for name in names]
        if not how.get("local_files_only"):
            fetched.append(allow_patterns)
        return str(folder)

    monkeypatch.setattr("streamer.generator.klein.download.snapshot_download", snapshot_download)
    return fetched


@pytest.mark.parametrize("offline", [False, True])
def test_the_only_file_of_a_repository_is_meant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: bool) -> None:
    """Without its name, also offline once it is there; files below folders do not count."""
    path = write_tensors(tmp_path / "ink.safetensors", FLUX2_4B)
    fetched = hub(monkeypatch, tmp_path, ["ink.safetensors", "old/ink.safetensors"], offline=offline)
    assert find_lora(Lora("someone/ink"), silent).path == path
    assert fetched == [["ink.safetensors"]]


def test_one_of_several_files_is_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing else of the repository is."""
    path = write_tensors(tmp_path / "b.safetensors", FLUX2_4B)
    fetched = hub(monkeypatch, tmp_path, ["a.safetensors", "b.safetensors"])
    assert find_lora(Lora("someone/ink/b.safetensors"), silent).path == path
    assert fetched == [["b.safetensors"]]
    with pytest.raises(BackendUnavailable, match=r"^styles\.ink\.lora: someone/ink has 2 files: a\.safetensors, b"):
        find_lora(Lora("someone/ink", 1.0, "styles.ink.lora"), silent)
    assert fetched == [["b.safetensors"]]


def test_what_the_hub_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is not in the repository, and a repository that cannot be reached."""
    hub(monkeypatch, tmp_path, ["a.safetensors"])
    with pytest.raises(BackendUnavailable, match=r"o: someone/ink has no file c\.safetensors"):
        find_lora(Lora("someone/ink/c.safetensors", 1.0, "o"), silent)
    hub(monkeypatch, tmp_path, [], offline=True)
    with pytest.raises(BackendUnavailable, match="o: someone/ink is not downloaded, and the hub cannot be reached"):
        find_lora(Lora("someone/ink", 1.0, "o"), silent)


def test_a_file_here_needs_no_hub(tmp_path: Path) -> None:
    """It is read where it is."""
    path = write_tensors(tmp_path / "ink.safetensors", FLUX2_4B)
    assert find_lora(Lora(str(path)), silent).path == path
