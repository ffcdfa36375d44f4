"""From a model's name to its networks: which decoder, which folder, and what is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("openvino")

from streamer.errors import BackendUnavailable
from streamer.generator import models
from streamer.generator.klein import download
from streamer.generator.openvino.loading import find_model, load_pipeline, source_of
from streamer.generator.openvino.runtime import Processor
from streamer.generator.openvino.testing import make_tiny_decoder
from tests.support.model_hub import COMMIT, REPOSITORY

pytestmark = pytest.mark.torch


def nothing(_doing: str, _share: float) -> None:
    return None


@pytest.fixture
def turbo(checkpoint_of: Callable[[str], Path]) -> Path:
    return checkpoint_of("sd-turbo")


@pytest.fixture
def copy(turbo: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(turbo, tmp_path / "model"))


def test_a_folder_is_a_model_that_the_table_does_not_list(turbo: Path) -> None:
    found = find_model(str(turbo), nothing)
    assert (found.folder, found.row) == (turbo, None)


def test_the_full_decoder_is_the_model_s_own_and_another_tiny_one_is_taken_where_it_is_named(
    turbo: Path, tmp_path: Path
) -> None:
    found = find_model(str(turbo), nothing)
    assert source_of(found, "full", nothing).vae == turbo / "vae"
    make_tiny_decoder().save_pretrained(tmp_path / "taesd")
    assert source_of(found, str(tmp_path / "taesd"), nothing).vae == tmp_path / "taesd"


def test_a_model_whose_own_decoder_is_tiny_needs_no_other(checkpoint_of: Callable[[str], Path]) -> None:
    folder = checkpoint_of("sdxs")
    assert source_of(find_model(str(folder), nothing), "tiny", nothing).vae == folder / "vae"


def test_nothing_but_the_parts_that_draw_is_downloaded(turbo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    def snapshot_download(_model: str, allow_patterns: list[str], **_how: object) -> str:
        asked.extend(allow_patterns)
        return str(turbo)

    monkeypatch.setattr(download, "snapshot_download", snapshot_download)
    monkeypatch.setattr(download, "_missing_files", lambda *_: [])
    found = find_model("sd-turbo", nothing)
    assert (found.name, found.row) == ("sd-turbo", models.shipped()["sd-turbo"])
    assert "unet/*.fp16.safetensors" in asked
    assert not any(pattern in ("unet/*.safetensors", "*.safetensors") for pattern in asked)


def test_half_a_download_without_a_network_names_what_is_missing(
    turbo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's client, offline, returns what is there of a snapshot."""
    cached = tmp_path / "models--owner--name" / "snapshots" / COMMIT
    shutil.copytree(turbo, cached, ignore=shutil.ignore_patterns("unet"))
    monkeypatch.setattr(download, "snapshot_download", lambda *_arguments, **_how: str(cached))
    monkeypatch.setattr(download, "_missing_files", lambda *_: [])
    with pytest.raises(BackendUnavailable, match=r"unet.config\.json is missing; go online and start again"):
        find_model(REPOSITORY, nothing)


def test_another_family_is_named(copy: Path) -> None:
    index = copy / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": "FluxPipeline"}))
    with pytest.raises(BackendUnavailable, match="is a FluxPipeline") as caught:
        find_model(str(copy), nothing)
    assert "sdxs-512" in caught.value.fix


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("unet/diffusion_pytorch_model.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git"),
        ("text_encoder/model.safetensors", b"", r"text_encoder.model\.safetensors is empty"),
        ("vae/config.json", None, r"vae.config\.json is missing"),
        ("tokenizer/tokenizer.json", None, "has no tokenizer"),
    ],
)
def test_a_bad_file_is_one_sentence(copy: Path, file: str, content: bytes | None, says: str) -> None:
    (copy / file).unlink()
    if content is not None:
        (copy / file).write_bytes(content)
    with pytest.raises(BackendUnavailable, match=says) as caught:
        find_model(str(copy), nothing)
    assert caught.value.fix


def test_a_config_that_does_not_fit_its_weights_is_one_sentence(copy: Path, tmp_path: Path) -> None:
    config = copy / "text_encoder" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"hidden_size": "wide"}))
    source = source_of(find_model(str(copy), nothing), "full", nothing)
    with pytest.raises(BackendUnavailable, match=r"text_encoder cannot be used"):
        load_pipeline(source, Processor("float32", 1), "int8", tmp_path / "home", nothing)
