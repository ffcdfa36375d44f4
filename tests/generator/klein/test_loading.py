"""Loading takes what is used and says what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from safetensors.torch import load_file, save_file

from streamer.errors import BackendUnavailable
from streamer.generator.klein.loading import load
from streamer.generator.klein.testing import make_checkpoint
from streamer.generator.klein.text_encoder import LAYERS
from streamer.generator.klein.weights import tensor_files

pytestmark = pytest.mark.torch

TENSORS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint that a test may damage."""
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def load_from(folder: Path, decoder: Path | None = None, report: Any = lambda doing, share: None) -> Any:
    return load(
        folder,
        device=torch.device("cpu"),
        dtype=torch.float32,
        finish_block=lambda block: None,
        decoder=decoder,
        report=report,
    )


def test_only_the_layers_in_use_are_loaded(load_model: Callable[..., Any]) -> None:
    """The text model ends at the last tapped layer, without final norm and head."""
    encoder = load_model().encoder
    assert len(encoder.layers) == LAYERS
    assert not hasattr(encoder, "lm_head")
    assert not list(encoder.norm.parameters())
    assert all(p.device.type == "cpu" for p in encoder.parameters())


def test_nothing_stays_on_the_meta_device(load_model: Callable[..., Any]) -> None:
    """Every parameter and every buffer, saved or computed, has its values."""
    model = load_model()
    for part in (model.transformer, model.encoder, model.vae):
        assert not [n for n, t in [*part.named_parameters(), *part.named_buffers()] if t.is_meta]


def test_progress_goes_up_to_the_end(checkpoint: Path) -> None:
    """Each report's share is at least the one before."""
    said: list[tuple[str, float]] = []
    load_from(checkpoint, report=lambda doing, share: said.append((doing, share)))
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert {doing for doing, _ in said} == {"loading the transformer", "loading the text encoder"}
    assert shares[-1] == pytest.approx(0.95)


def test_a_split_checkpoint_is_read_by_its_index(copy: Path, checkpoint: Path) -> None:
    """Large checkpoints come in several files and an index that says what is where."""
    tensors = load_file(copy / TENSORS)
    (copy / TENSORS).unlink()
    names = sorted(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, part in shards.items():
        save_file({name: tensors[name] for name in part}, copy / "transformer" / file)
    where = {name: file for file, part in shards.items() for name in part}
    index = copy / "transformer" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": where}))
    split, whole = load_from(copy).transformer.state_dict(), load_from(checkpoint).transformer.state_dict()
    assert all(torch.equal(split[name], whole[name]) for name in whole)


def test_a_missing_tensor_is_named(copy: Path) -> None:
    """An incomplete download is told apart from a broken program."""
    tensors = load_file(copy / TENSORS)
    del tensors["proj_out.weight"]
    save_file(tensors, copy / TENSORS)
    with pytest.raises(BackendUnavailable, match=r"lacks 1 tensors, the first is proj_out\.weight"):
        load_from(copy)


def test_pickled_weights_are_not_read(copy: Path) -> None:
    """A folder with anything but safetensors is refused."""
    (copy / TENSORS).rename(copy / "transformer" / "diffusion_pytorch_model.bin")
    with pytest.raises(BackendUnavailable, match=r"has only diffusion_pytorch_model\.bin"):
        load_from(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"is_distilled": False}, "base model"),
        ({"_class_name": "StableDiffusionPipeline"}, "holds a StableDiffusionPipeline"),
    ],
)
def test_other_models_are_refused_by_name(copy: Path, change: dict[str, Any], message: str) -> None:
    """A base model or another family is refused before anything is loaded."""
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, **change}))
    with pytest.raises(BackendUnavailable, match=message):
        load_from(copy)


def test_a_folder_without_a_model_says_what_to_give(tmp_path: Path) -> None:
    """An empty folder is a mistake in config.yaml."""
    with pytest.raises(BackendUnavailable, match=r"model_index\.json is missing"):
        load_from(tmp_path)


def test_another_decoder_of_the_same_latents_is_swapped_in(checkpoint: Path, tmp_path: Path) -> None:
    """Decoder and its first convolution come from the other VAE, encoder and statistics from the checkpoint."""
    other = make_checkpoint(tmp_path / "other", seed=5)
    plain, mixed = load_from(checkpoint).vae, load_from(checkpoint, decoder=other).vae
    own = load_from(other).vae
    assert torch.equal(mixed.decoder.conv_in.weight, own.decoder.conv_in.weight)
    assert torch.equal(mixed.encoder.conv_in.weight, plain.encoder.conv_in.weight)
    assert torch.equal(mixed.bn.running_mean, plain.bn.running_mean)


def test_tensor_files_lists_what_is_there(checkpoint: Path) -> None:
    """Names map to the file that holds them."""
    files = tensor_files(checkpoint / "vae")
    assert files["bn.running_mean"].name == "diffusion_pytorch_model.safetensors"
