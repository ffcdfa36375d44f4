"""A model is converted once; what is not whole is made again, and what cannot be made is one sentence."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("openvino")

from diffusers import AutoencoderKL, AutoencoderTiny

from streamer.errors import BackendUnavailable
from streamer.generator.openvino import convert
from streamer.generator.openvino.convert import NETWORK, PARTS, Source, autoencoder_class, converted, is_whole

pytestmark = pytest.mark.torch

Usage = namedtuple("Usage", "total used free")


def nothing(_doing: str, _share: float) -> None:
    return None


@pytest.fixture
def sdxs(checkpoint_of: Callable[[str], Path]) -> Source:
    folder = checkpoint_of("sdxs")
    return Source(folder, folder / "vae")


def test_a_model_is_converted_once_and_again_for_other_weights_or_where_something_is_missing(
    sdxs: Source, home: Path, tmp_path: Path
) -> None:
    reports = list[str]()
    folder = converted(sdxs, "int8", home, lambda doing, share: reports.append(doing))
    assert reports == [f"converting the {part.replace('_', ' ')}" for part in PARTS]
    assert converted(sdxs, "int8", home, lambda doing, share: pytest.fail(doing)) == folder
    network = shutil.copytree(folder, tmp_path / "copy") / "unet" / NETWORK.replace(".xml", ".bin")
    assert is_whole(tmp_path / "copy")
    network.write_bytes(network.read_bytes()[:-100])
    assert not is_whole(tmp_path / "copy")


def test_damaged_files_are_made_again_and_those_of_other_weights_give_way(
    sdxs: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The smallest network alone: how they are kept is the same for all.
    monkeypatch.setattr(convert, "_CONVERTERS", {"text_encoder": convert._CONVERTERS["text_encoder"]})
    folder = converted(sdxs, "int8", tmp_path, nothing)
    weights = folder / "text_encoder" / NETWORK.replace(".xml", ".bin")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    assert converted(sdxs, "int8", tmp_path, nothing) == folder
    assert weights.read_bytes() == whole
    other = converted(sdxs, "float16", tmp_path, nothing)
    assert [path.name for path in tmp_path.iterdir()] == [other.name]
    assert (other / "text_encoder" / weights.name).stat().st_size > len(whole)


def test_a_start_that_was_broken_off_leaves_nothing_that_looks_whole(
    sdxs: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(_source: Source) -> object:
        raise KeyboardInterrupt

    whole = convert._CONVERTERS["text_encoder"]
    monkeypatch.setattr(convert, "_CONVERTERS", {"text_encoder": whole, "unet": broken_off})
    with pytest.raises(KeyboardInterrupt):
        converted(sdxs, "int8", tmp_path, nothing)
    assert [path.suffix for path in tmp_path.iterdir()] == [".partial"]
    monkeypatch.setattr(convert, "_CONVERTERS", {"text_encoder": whole})
    assert is_whole(converted(sdxs, "int8", tmp_path, nothing))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_is_one_sentence(sdxs: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100, 100, 0))
    with pytest.raises(BackendUnavailable, match=r"cannot be stored.* 0\.0 GB are free") as caught:
        converted(sdxs, "int8", tmp_path, nothing)
    assert "STREAMER_HOME" in caught.value.fix


def test_a_folder_that_cannot_be_written_is_one_sentence(sdxs: Source, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackendUnavailable, match="cannot be stored"):
        converted(sdxs, "int8", tmp_path / "file" / "openvino", nothing)


def test_both_kinds_of_autoencoders_are_told_apart(checkpoint_of: Callable[[str], Path]) -> None:
    assert autoencoder_class(checkpoint_of("sdxs") / "vae") is AutoencoderTiny
    assert autoencoder_class(checkpoint_of("sd-turbo") / "vae") is AutoencoderKL
