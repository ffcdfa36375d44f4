"""From a model's name to a pipeline: which files, which precision, whole or in parts, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")

import torch
from diffusers import StableDiffusionXLPipeline
from peft import LoraConfig, get_peft_model_state_dict

from streamer.errors import BackendUnavailable
from streamer.generator import models
from streamer.generator.backends.diffusers import Options, create
from streamer.generator.pipelines.calls import PictureJob, call_pipeline
from streamer.generator.pipelines.loading import (
    Checkpoint,
    denoiser_of,
    find_pipeline,
    load_pipeline,
    part_sizes,
    precision_of,
)
from streamer.generator.pipelines.testing import make_checkpoint, make_pipeline

pytestmark = pytest.mark.torch

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def sdxl(checkpoint_of: Callable[[str], Path]) -> Path:
    return checkpoint_of("sdxl")


def test_a_folder_is_a_model_that_the_table_does_not_list(sdxl: Path) -> None:
    found = find_pipeline(str(sdxl), lambda doing, share: None)
    assert (found.folder, found.row, found.lora) == (sdxl, None, None)


def test_the_size_of_the_parts_is_read_from_the_headers(sdxl: Path) -> None:
    pipeline = make_pipeline("sdxl")
    numbers = sum(parameter.numel() for parameter in denoiser_of(pipeline).parameters())
    assert part_sizes(sdxl, 2)["unet"] == pytest.approx(numbers * 2 / 1e9)
    assert set(part_sizes(sdxl, 2)) == {"unet", "vae", "text_encoder", "text_encoder_2"}


def test_the_files_of_a_variant_are_used_where_the_table_names_one(tmp_path: Path) -> None:
    row = models.shipped()["sdxl-turbo"]
    folder = make_checkpoint(tmp_path / "model", "sdxl", variant="fp16")
    pipeline, in_parts = load_pipeline(Checkpoint(row.name, folder, row), CPU, "float32", 0.0)
    assert denoiser_of(pipeline).dtype == torch.float32
    assert not in_parts


@pytest.mark.parametrize(
    ("model", "requested", "device", "precision"),
    [
        ("sdxl-turbo", "auto", CUDA, "bfloat16"),
        ("pixart-sigma", "auto", CUDA, "bfloat16"),
        (None, "auto", CUDA, "bfloat16"),
        ("sdxl-turbo", "float16", CUDA, "float16"),
        ("sdxl-turbo", "auto", CPU, "float32"),
    ],
)
def test_the_precision_is_the_models_own_unless_it_is_asked_for(
    model: str | None, requested: str, device: torch.device, precision: str
) -> None:
    row = models.find(model) if model else None
    assert precision_of(Checkpoint("it", Path(), row), requested, device) == precision  # type: ignore[arg-type]


def test_a_model_whose_largest_part_does_not_fit_is_refused_before_it_is_loaded(sdxl: Path) -> None:
    with pytest.raises(BackendUnavailable, match="needs at least 2 GB on the GPU, which has 1 GB"):
        load_pipeline(Checkpoint("it", sdxl), CUDA, "float16", 1.0)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (None, "model_index.json is missing"),
        ("{", "model_index.json is not JSON"),
        ('{"_class_name": "FluxFromTheFuturePipeline"}', "which diffusers .* does not have"),
    ],
    ids=["missing", "broken", "unknown"],
)
def test_a_folder_that_is_no_pipeline_is_named_with_the_way_out(
    index: str | None, says: str, sdxl: Path, tmp_path: Path
) -> None:
    shutil.copytree(sdxl, tmp_path / "model")
    file = tmp_path / "model" / "model_index.json"
    file.unlink() if index is None else file.write_text(index)
    with pytest.raises(BackendUnavailable, match=says) as caught:
        load_pipeline(Checkpoint("it", tmp_path / "model"), CPU, "float32", 0.0)
    assert caught.value.fix


@pytest.mark.parametrize(
    "file", ["scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json", "unet/config.json"]
)
def test_a_missing_file_is_named_before_anything_is_loaded(file: str, sdxl: Path, tmp_path: Path) -> None:
    shutil.copytree(sdxl, tmp_path / "model")
    (tmp_path / "model" / file).unlink()
    for load in (
        lambda: load_pipeline(Checkpoint("it", tmp_path / "model"), CPU, "float32", 0.0),
        lambda: create(Options(model=str(tmp_path / "model"), device="cpu")),
    ):
        with pytest.raises(BackendUnavailable, match=rf"{Path(file).name} is missing; download or copy"):
            load()


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("unet/config.json", {"block_out_channels": "wide"}),
        ("vae/config.json", {"latent_channels": -1}),
        ("scheduler/scheduler_config.json", {"beta_start": "x"}),
        ("text_encoder/config.json", {"hidden_size": "x"}),
    ],
)
def test_what_the_libraries_cannot_read_is_one_sentence(
    file: str, change: dict[str, object], sdxl: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copytree(sdxl, tmp_path / "model")) / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BackendUnavailable, match=f"the files in {tmp_path / 'model'} cannot be used: ") as caught:
        load_pipeline(Checkpoint("it", tmp_path / "model"), CPU, "float32", 0.0)
    assert "\n" not in str(caught.value)


def test_the_index_names_the_pipeline_that_is_loaded(sdxl: Path) -> None:
    pipeline, _ = load_pipeline(Checkpoint("it", sdxl), CPU, "float32", 0.0)
    assert type(pipeline).__name__ == json.loads((sdxl / "model_index.json").read_text())["_class_name"]


def test_a_models_lora_is_merged_into_its_weights(sdxl: Path, tmp_path: Path) -> None:
    adapted = make_pipeline("sdxl")
    adapted.unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    StableDiffusionXLPipeline.save_lora_weights(
        tmp_path, unet_lora_layers=get_peft_model_state_dict(adapted.unet), weight_name="turbo.safetensors"
    )
    job = PictureJob("a fox", 96, 64, 2, 0.0, 7)
    loaded, _ = load_pipeline(Checkpoint("it", sdxl, None, tmp_path / "turbo.safetensors"), CPU, "float32", 0.0)
    merged, wanted, plain = (
        call_pipeline(pipeline, job, lambda _step, _latents: None)
        for pipeline in (loaded, adapted, make_pipeline("sdxl"))
    )
    torch.testing.assert_close(merged, wanted, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(merged, plain, atol=1e-2)
    assert not any("lora" in name for name, _ in denoiser_of(loaded).named_modules()), "nothing is added per step"
