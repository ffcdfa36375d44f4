"""The table of models: what one word selects, and whether it fits."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from streamer.commands.options import Sampling
from streamer.generator import models
from streamer.generator.backends import diffusers, klein, openvino
from streamer.generator.models import Commercial, Fit, Model


def test_the_table_names_every_model_of_the_article_and_the_default_comes_first() -> None:
    names = list(models.shipped())
    assert names[0] == "klein-4b"
    assert {"klein-9b", "flux2-dev-turbo", "sdxl-turbo", "pixart-sigma"} <= set(names)
    assert {row.name for row in models.shipped().values()} == set(names)


@pytest.mark.parametrize("row", models.shipped().values(), ids=lambda row: row.name)
def test_a_row_is_one_that_its_backend_can_use(row: Model) -> None:
    options = {"klein": klein.Options, "diffusers": diffusers.Options, "openvino": openvino.Options}[row.backend]
    options(model=row.repository)
    assert row.sigmas is None or len(row.sigmas) == row.steps
    assert all(side % 16 == 0 for side in row.native)
    assert row.backend == "klein" or row.precision in row.memory
    assert row.backend == "klein" or 0 < row.largest_part < row.least_memory
    assert isinstance(row.commercial, Commercial)
    assert (row.arithmetic > 0) is (row.backend == "openvino")


@pytest.mark.parametrize("word", ["sdxl-turbo", "SDXL-Turbo", "stabilityai/sdxl-turbo", " sdxl-turbo "])
def test_a_model_is_found_by_its_name_or_its_repository(word: str) -> None:
    found = models.find(word)
    assert found is not None
    assert (found.name, found.sampling, found.native) == ("sdxl-turbo", Sampling(1, 0.0), (512, 512))


def test_another_word_is_no_model() -> None:
    assert models.find("klein") is None
    assert models.find("somebody/something") is None


@pytest.mark.parametrize(
    ("name", "memory_gb", "fits"),
    [
        ("klein-4b", 24.0, Fit.WHOLE),
        ("klein-4b", 8.0, Fit.WHOLE),
        ("klein-4b", 6.0, Fit.NOT),
        ("pixart-sigma", 12.0, Fit.IN_PARTS),
        ("pixart-sigma", 8.0, Fit.NOT),
        ("flux2-dev-turbo", 80.0, Fit.IN_PARTS),
        ("flux2-dev-turbo", 141.0, Fit.WHOLE),
        ("klein-4b", None, Fit.NO_GPU),
        ("sdxs-512", None, Fit.PROCESSOR),
        ("sdxs-512", 24.0, Fit.PROCESSOR),
    ],
)
def test_the_fit_follows_the_memory(name: str, memory_gb: float | None, fits: Fit) -> None:
    assert models.fit(models.shipped()[name], memory_gb) is fits


def test_an_unknown_key_of_a_row_is_refused() -> None:
    row = models.shipped()["klein-4b"].model_dump() | {"colour": "blue"}
    with pytest.raises(ValidationError, match="colour"):
        Model.model_validate(row)
