"""One case in this process: what fits, what is drawn with, and what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.generator.benchmark import measure, random_weights
from streamer.generator.benchmark.device import DrawingDevice, device_of
from streamer.generator.benchmark.measure import CannotMeasureError, measure_backend, require_fit
from streamer.generator.benchmark.results import Case
from streamer.generator.models import Fit


@pytest.mark.parametrize(
    ("case", "memory_gb", "reason"),
    [
        (Case("klein-4b", "klein", 64, 64), None, Fit.NO_GPU.value),
        (Case("klein-9b", "klein", 64, 64, stock=True), 12.9, "needs 20.6 GB of GPU memory, and the card has 12.9 GB"),
        (Case("pixart-sigma", "diffusers", 64, 64, random=True), 12.9, "needs 13 GB"),
        (Case("z-image-turbo", "diffusers", 64, 64), 8.6, "needs 23 GB"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_loaded(case: Case, memory_gb: float | None, reason: str) -> None:
    with pytest.raises(CannotMeasureError, match=reason):
        require_fit(case, memory_gb)


def test_what_fits_whole_or_in_parts_or_decides_that_itself_is_tried() -> None:
    require_fit(Case("klein-4b", "klein", 64, 64), 8.6)
    require_fit(Case("pixart-sigma", "diffusers", 64, 64), 12.9)
    require_fit(Case("/somewhere/else", "klein", 64, 64), None)
    require_fit(Case("sdxs-512", "openvino", 64, 64), None)


def test_every_picture_of_klein_reads_its_prompt_and_nothing_warms_up_behind_the_clock() -> None:
    options = measure.options_for(Case("klein-9b", "klein", 64, 64), "klein-9b", DrawingDevice("card", None, 80.0))
    assert options == {
        "model": "black-forest-labs/FLUX.2-klein-9B", "precision": "auto", "prompts_remembered": 0,
        "warm_in_background": False, "device": "auto",
    }  # fmt: skip
    assert measure.options_for(Case("sd-turbo", "openvino", 64, 64), "sd-turbo", DrawingDevice("processor")) == {
        "model": "sd-turbo"
    }


def test_a_model_is_drawn_with_as_many_steps_as_it_is_made_for() -> None:
    assert measure.sampling_of(Case("z-image-turbo", "diffusers", 64, 64)).steps == 9
    assert measure.sampling_of(Case("/a/folder", "klein", 64, 64)).steps == 4
    assert measure.sampling_of(Case("/a/folder", "diffusers", 64, 64)).steps == 28


def test_a_backend_that_drew_smaller_pictures_for_lack_of_memory_has_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamer.generator.backends.procedural import ProceduralBackend

    monkeypatch.setattr(ProceduralBackend, "active", lambda _self: {"memory": "smaller pictures, plain PyTorch"})
    case = Case("procedural", "procedural", 64, 64, runs=1)
    with pytest.raises(CannotMeasureError, match="it drew smaller pictures"):
        measure_backend(case, device_of("procedural"), lambda doing, share: None)


@pytest.mark.torch
def test_a_stock_pipeline_and_the_program_draw_the_same_case(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "UNCOUNTED", 0)
    told: list[str] = []
    case = Case(str(tiny), "klein", 64, 64, runs=1)
    ours = measure.measure(case, lambda doing, share: told.append(doing))
    stock = measure.measure(Case(str(tiny), "klein", 64, 64, stock=True, runs=1), lambda doing, share: None)
    assert "loading the transformer" in told
    assert ours.floor is not None
    assert stock.floor is None
    assert stock.active == {"engine": "stock diffusers", "precision": "float32"}
    assert ours.steps == stock.steps == 4


@pytest.mark.torch
def test_a_folder_that_cannot_be_loaded_is_a_reason(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_bytes((tiny / "model_index.json").read_bytes())
    with pytest.raises(CannotMeasureError, match="is missing"):
        measure.measure(Case(str(tmp_path), "klein", 64, 64), lambda doing, share: None)


@pytest.mark.torch
def test_a_listed_model_with_random_weights_goes_all_the_way_without_a_download(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(random_weights, "KLEIN", {"klein-4b": "tiny"})
    monkeypatch.setattr(measure, "UNCOUNTED", 0)
    device = DrawingDevice("CPU", torch.device("cpu"))
    case = Case("klein-4b", "klein", 64, 64, "int8", random=True, runs=1)
    row = measure_backend(case, device, lambda doing, share: None)
    assert row.case is case
    assert row.active["eight_bit_layers"] != "0"
    assert row.tflop == pytest.approx(
        measure_backend(Case(str(tiny), "klein", 64, 64, "int8", runs=1), device, lambda doing, share: None).tflop
    )
