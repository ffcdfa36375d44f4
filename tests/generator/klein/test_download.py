"""Whatever stands between a model's name and its folder is explained, if possible before anything is downloaded."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("huggingface_hub")

from huggingface_hub.errors import DryRunError, LocalEntryNotFoundError, OfflineModeIsEnabled

from streamer.errors import BackendUnavailable
from streamer.generator.klein.checkpoint_files import check_checkpoint
from streamer.generator.klein.download import explain_hub_errors, find_checkpoint, warn_about_licence
from tests.support.model_hub import REPOSITORY, Mode, serving

pytestmark = pytest.mark.torch

NO_HUB = "http://127.0.0.1:9"
HUB_ID = "somebody/FLUX.2-klein-4B"


@dataclass
class File:
    """One file of a dry run."""

    file_size: int
    will_download: bool
    filename: str = "model_index.json"


def ask(endpoint: str, home: Path) -> str:
    """Look for the repository in a process of its own, since the client reads its variables once; return what is said.

    That is the folder, or the problem and its fix.
    """
    code = (
        "from streamer.errors import BackendUnavailable\n"
        "from streamer.generator.klein.checkpoint_files import require_distilled\n"
        "from streamer.generator.klein.download import CHECKPOINT_FILES, find_checkpoint\n"
        f"try: print(find_checkpoint({REPOSITORY!r}, lambda *_: None, CHECKPOINT_FILES, require_distilled))\n"
        "except BackendUnavailable as error: print(error)\n"
    )
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, **settings, "PYTHONPATH": path, "NO_PROXY": "127.0.0.1"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert run.stdout.count("\n") == 1, run.stderr
    return run.stdout.strip()


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


def test_a_full_disk_is_enough_for_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model that is downloaded needs no room."""
    hub(monkeypatch, [File(10**15, False)], tmp_path)
    assert find_checkpoint(HUB_ID, silent) == tmp_path


def test_a_drive_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """HF_HOME may name the letter of a disk that was taken away."""
    hub(monkeypatch, [File(1, True)], tmp_path)
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with pytest.raises(BackendUnavailable, match="there is no such drive; correct HF_HOME"):
        find_checkpoint(HUB_ID, silent)


def test_without_the_hub_what_is_downloaded_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offline, the size cannot be asked for; the cache decides."""
    hub(monkeypatch, DryRunError("offline"), tmp_path)
    assert find_checkpoint(HUB_ID, silent) == tmp_path


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LocalEntryNotFoundError("no"), "is not downloaded, and the hub cannot be reached"),
        (OfflineModeIsEnabled("no"), "is not downloaded, and the hub cannot be reached"),
        (OSError(28, "No space left on device"), "cannot be stored: No space left on device; set HF_HOME"),
        (TimeoutError(), "downloading .* failed: TimeoutError"),
        (RuntimeError("Data processing error: x\ny"), "failed: RuntimeError: Data processing error: x; start the pro"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "no"), "downloading .* failed"),
    ],
)
def test_each_fault_names_its_fix(error: Exception, message: str) -> None:
    """What the client raises becomes a sentence with a fix."""
    with pytest.raises(BackendUnavailable, match=message) as caught, explain_hub_errors(HUB_ID):
        raise error
    assert caught.value.fix
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("status", "message"), [(403, "gated"), (404, "the hub has no such model")])
def test_gates_and_typing_errors_are_told_apart(status: int, message: str) -> None:
    """A gated model asks for its licence and a token, an unknown one for its name."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    kind = GatedRepoError if status == 403 else RepositoryNotFoundError
    error = kind.__new__(kind)
    with pytest.raises(BackendUnavailable, match=message) as caught, explain_hub_errors(HUB_ID):
        raise error
    assert "HF_TOKEN" in caught.value.fix


@pytest.mark.parametrize(("model", "warned"), [("x/FLUX.2-klein-9B", True), ("x/FLUX.2-klein-4B", False)])
def test_the_licence_is_told_first(model: str, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The 9B may not be used on a monetised stream, the 4B may."""
    with caplog.at_level(logging.WARNING):
        warn_about_licence(model)
    assert ("Non-Commercial" in caplog.text) is warned


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        (Mode.GATED, f"{REPOSITORY} is gated, and this account has not accepted its licence; accept it at https://"),
        (Mode.GATED_WITHOUT_ACCOUNT, f"{REPOSITORY} is gated"),
        (Mode.PRIVATE, f"there is no folder {REPOSITORY} here, and the hub has no such model, or it is private; check"),
        (Mode.WRONG_TOKEN, f"the hub refuses access to {REPOSITORY} (401); correct HF_TOKEN"),
        (Mode.LIMITED_TOKEN, f"the hub refuses access to {REPOSITORY} (403); correct HF_TOKEN"),
        (Mode.BROKEN, f"{REPOSITORY} is not downloaded, and the hub fails (500); go online once"),
        (Mode.UNREACHABLE, f"{REPOSITORY} is not downloaded, and the hub cannot be reached; go online once"),
        (Mode.WITHOUT_INDEX, f"{REPOSITORY} is not a diffusers model: the hub has no model_index.json of it; give the"),
        (Mode.BROKEN_VAE, f"downloading {REPOSITORY} failed: HfHubHTTPError: Server error '503 Service Unavailable'"),
    ],
)
def test_the_real_client_is_understood(mode: Mode, sentence: str, checkpoint: Path, tmp_path: Path) -> None:
    with serving(checkpoint, mode) as hub:
        assert ask(hub.url, tmp_path).startswith(sentence)


def test_the_real_client_downloads_and_the_next_start_needs_no_hub(checkpoint: Path, tmp_path: Path) -> None:
    with serving(checkpoint, Mode.WHOLE) as hub:
        folder = ask(hub.url, tmp_path)
    assert Path(folder, "vae", "config.json").read_bytes() == (checkpoint / "vae/config.json").read_bytes()
    assert ask(NO_HUB, tmp_path) == folder


def test_half_a_download_without_a_network_is_said_to_be_half(checkpoint: Path, tmp_path: Path) -> None:
    with serving(checkpoint, Mode.BROKEN_VAE) as hub:
        ask(hub.url, tmp_path)
    says = f"{REPOSITORY} is only partly downloaded, and the hub cannot be reached; go online once to download it"
    assert ask(NO_HUB, tmp_path).startswith(says)


def test_of_another_pipeline_nothing_but_its_index_is_downloaded(checkpoint: Path, tmp_path: Path) -> None:
    sdxl = Path(shutil.copytree(checkpoint, tmp_path / "sdxl"))
    (sdxl / "model_index.json").write_text('{"_class_name": "StableDiffusionXLPipeline"}')
    with serving(sdxl, Mode.WHOLE) as hub:
        assert "holds a StableDiffusionXLPipeline; the klein backend draws" in ask(hub.url, tmp_path)
    assert hub.fetched == ["model_index.json"]


def test_a_damaged_file_of_the_cache_comes_again_once_it_is_deleted_as_told(checkpoint: Path, tmp_path: Path) -> None:
    with serving(checkpoint, Mode.WHOLE) as hub:
        folder = Path(ask(hub.url, tmp_path))
        weights = folder / "vae/diffusion_pytorch_model.safetensors"
        with weights.open("r+b") as file:
            file.truncate(1000)
        with pytest.raises(BackendUnavailable, match="is cut off") as caught:
            check_checkpoint(folder)
        told = re.search(r"delete (\S+), go online", caught.value.fix)
        assert told is not None
        Path(told[1]).unlink()
        ask(hub.url, tmp_path)
    check_checkpoint(folder)
