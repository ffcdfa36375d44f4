"""From words to cases: every combination once, each with its backend, and mistakes with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.generator import backend_choice
from streamer.generator.benchmark.cases import Wish, cases_of
from streamer.generator.benchmark.results import Case, Skipped
from streamer.generator.models import shipped


def test_models_sizes_and_precisions_are_multiplied_and_stock_comes_first() -> None:
    wish = Wish(["sdxl-turbo"], [(512, 512), (64, 64)], ["auto", "float16"], stock=True, runs=3)
    assert [str(case) for case in cases_of(wish)] == [
        "sdxl-turbo 512x512 stock diffusers", "sdxl-turbo 512x512", "sdxl-turbo 512x512 float16",
        "sdxl-turbo 64x64 stock diffusers", "sdxl-turbo 64x64", "sdxl-turbo 64x64 float16",
    ]  # fmt: skip
    assert all(isinstance(case, Case) and case.runs == 3 for case in cases_of(wish))


def test_every_listed_model_is_drawn_at_its_own_size_by_its_own_backend() -> None:
    made = {case.model: case for case in cases_of(Wish(["all"])) if isinstance(case, Case)}
    assert {name: (case.backend, (case.width, case.height)) for name, case in made.items()} == {
        name: (row.backend, row.native) for name, row in shipped().items()
    }


def test_a_combination_that_is_asked_for_twice_is_measured_once() -> None:
    assert len(cases_of(Wish(["klein-4b", "black-forest-labs/FLUX.2-klein-4B"]))) == 1


def test_a_precision_that_the_backend_does_not_have_is_skipped_with_those_it_has() -> None:
    (skipped,) = cases_of(Wish(["sdxl-turbo"], precisions=["fp8"]))
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "this model can be drawn in auto, float32, bfloat16, float16"
    (case,) = cases_of(Wish(["klein-4b"], precisions=["fp8"]))
    assert isinstance(case, Case)


def test_the_painter_has_one_row_whatever_precisions_are_asked_for() -> None:
    (case,) = cases_of(Wish(["procedural"], precisions=["fp8", "int8"], stock=True, random=True))
    assert case == Case("procedural", "procedural", 1280, 720)


def test_random_weights_exist_only_of_models_that_can_be_built(tiny: Path) -> None:
    (case,) = cases_of(Wish(["klein-9b"], random=True))
    assert isinstance(case, Case)
    assert case.random
    (skipped,) = cases_of(Wish(["sdxs-512"], random=True))
    assert isinstance(skipped, Skipped)
    (skipped,) = cases_of(Wish([str(tiny)], random=True))
    assert isinstance(skipped, Skipped)
    assert "no builder for random weights" in skipped.reason


def test_a_folder_is_drawn_by_the_backend_that_its_index_names(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionXLPipeline"}', "utf-8")
    klein, other = cases_of(Wish([str(tiny), str(tmp_path)]))
    assert isinstance(klein, Case)
    assert isinstance(other, Case)
    assert (klein.backend, other.backend) == ("klein", "diffusers")


def test_without_models_it_is_what_the_program_would_draw_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_choice, "missing_libraries", list)
    for gpu, model in ((True, "klein-4b"), (False, "procedural")):
        monkeypatch.setattr(backend_choice, "gpu_visible", lambda gpu=gpu: gpu)
        assert [case.model for case in cases_of(Wish()) if isinstance(case, Case)] == [model]


def test_other_cards_travel_with_each_case_and_must_be_in_the_table() -> None:
    (case,) = cases_of(Wish(["klein-4b"], cards=("H200",)))
    assert isinstance(case, Case)
    assert case.cards == ("H200",)
    with pytest.raises(ConfigError, match="no Voodoo 2"):
        cases_of(Wish(["klein-4b"], cards=("Voodoo 2",)))


@pytest.mark.parametrize("word", ["sdxl-turob", "C:\\models\\sdxl", "flux.safetensors"])
def test_a_word_that_means_no_model_is_an_error_that_names_the_models(word: str) -> None:
    with pytest.raises(ConfigError, match="or one of klein-4b"):
        cases_of(Wish([word]))
