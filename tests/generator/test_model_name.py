from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import BackendUnavailable
from streamer.generator.model_name import hub_id, local_folder


@pytest.mark.parametrize("model", ["owner/name", "o/n-1_2.x", " owner/name ", "https://huggingface.co/owner/name/"])
def test_an_id_of_the_hub_is_no_folder(model: str) -> None:
    assert local_folder(model) is None


@pytest.mark.parametrize(
    "address",
    [
        "owner/name",
        " owner/name/ ",
        "https://huggingface.co/owner/name",
        "https://hf.co/owner/name/tree/main",
        "http://www.huggingface.co/owner/name?library=diffusers",
    ],
)
def test_the_address_of_a_models_page_is_its_id(address: str) -> None:
    assert hub_id(address) == "owner/name"


def test_a_folder_is_itself_also_below_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "klein").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert local_folder(f" {tmp_path / 'klein'}/ ") == local_folder("~/klein") == tmp_path / "klein"


@pytest.mark.parametrize(
    "model",
    [
        "", ".klein", "./klein", "../klein", "klein", "a/b/c", "owner/na me", "owner/..", "a--b/c", "owner/name-",
        "~nobody-of-this-name/klein", "o/" + "n" * 96, "https://example.com/owner/name", "models\\klein",
    ],
)  # fmt: skip
def test_what_is_neither_is_told_without_asking_the_hub(model: str) -> None:
    with pytest.raises(BackendUnavailable, match="there is no folder") as caught:
        local_folder(model)
    assert model in str(caught.value)
    assert "hub id (owner/name)" in caught.value.fix


@pytest.mark.parametrize("model", ["C:\\models\\my klein", "C:/models/my klein"])
def test_a_windows_path_on_another_system_is_written_as_wsl_mounts_it(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(BackendUnavailable, match="that is a Windows path") as caught:
        local_folder(model)
    assert caught.value.fix == "in WSL write /mnt/c/models/my klein"
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(BackendUnavailable, match="there is no folder"):
        local_folder(model)


def test_one_file_is_no_model_and_the_folder_around_it_is_named(tmp_path: Path) -> None:
    part = tmp_path / "transformer" / "weights.safetensors"
    part.parent.mkdir()
    part.touch()
    with pytest.raises(BackendUnavailable, match=r"weights\.safetensors is one file"):
        local_folder(str(part))
    (tmp_path / "model_index.json").touch()
    with pytest.raises(BackendUnavailable) as caught:
        local_folder(str(part))
    assert caught.value.fix == f"give {tmp_path}"


def test_a_name_of_a_file_is_no_hub_id() -> None:
    with pytest.raises(BackendUnavailable, match="is one file"):
        local_folder("models/klein.safetensors")
