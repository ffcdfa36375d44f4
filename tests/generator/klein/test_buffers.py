"""Static buffers hold one shape, and what is derived from the shape fits the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from streamer.generator.klein.buffers import blank_buffers
from streamer.generator.klein.model import KleinModel
from streamer.generator.klein.schedule import build_schedule
from streamer.generator.klein.shape_plan import REFERENCE_TIME, rotary_tables
from streamer.generator.klein.shapes import Shape, whole_patches
from streamer.generator.klein.vae import to_bytes

pytestmark = pytest.mark.torch

SHAPE = Shape(96, 64, 64, (80, 112))


@pytest.fixture
def model(load_model: Callable[..., Any]) -> KleinModel:
    return load_model()


def test_a_step_is_set_without_moving_memory(model: KleinModel) -> None:
    """A captured graph reads by address, so constants are copied in, never replaced."""
    buffers = blank_buffers(SHAPE, model, rotary_tables(model.transformer.pos_embed, SHAPE, model.device), None)
    places = [t.data_ptr() for t in (buffers.modulation, buffers.sigma, buffers.dt)]
    schedule = build_schedule(model.transformer, model.scheduler, SHAPE.image_tokens, 4)
    buffers.set_step(schedule, 2)
    assert [t.data_ptr() for t in (buffers.modulation, buffers.sigma, buffers.dt)] == places
    assert buffers.sigma == schedule.sigma[2]
    parts = (buffers.image_modulation, buffers.text_modulation, buffers.single_modulation, buffers.out_modulation)
    assert torch.equal(torch.cat(parts, dim=1), schedule.modulation[2:3])


def test_the_latents_are_the_picture_without_the_reference(model: KleinModel) -> None:
    """Writing the latents leaves the reference's tokens alone."""
    buffers = blank_buffers(SHAPE, model, rotary_tables(model.transformer.pos_embed, SHAPE, model.device), None)
    buffers.latents.fill_(1)
    assert buffers.tokens[:, : SHAPE.image_tokens].all()
    assert not buffers.tokens[:, SHAPE.image_tokens :].any()
    assert buffers.tokens.shape[1] == 6 * 4 + 5 * 7


def test_rotary_tables_are_those_of_the_pipeline(model: KleinModel) -> None:
    """Text, picture and reference get the coordinates that the stock pipeline gives them."""
    from diffusers import Flux2KleinPipeline

    cosines, sines = rotary_tables(model.transformer.pos_embed, SHAPE, model.device)
    picture = Flux2KleinPipeline._prepare_latent_ids(torch.zeros(1, 1, SHAPE.rows, SHAPE.columns))
    reference = Flux2KleinPipeline._prepare_image_ids([torch.zeros(1, 1, 7, 5)])
    words = Flux2KleinPipeline._prepare_text_ids(torch.zeros(1, SHAPE.text_tokens, 1))
    stock = [model.transformer.pos_embed(ids[0]) for ids in (words, picture, reference)]
    assert torch.equal(cosines, torch.cat([table[0] for table in stock]))
    assert torch.equal(sines, torch.cat([table[1] for table in stock]))
    assert reference[0, 0, 0] == REFERENCE_TIME
    assert len(cosines) == SHAPE.tokens


@pytest.mark.parametrize(
    ("asked", "made"), [((1280, 720), (1280, 720)), ((1000, 500), (992, 496)), ((10, 10), (64, 64))]
)
def test_sizes_are_rounded_down_to_whole_tokens(asked: tuple[int, int], made: tuple[int, int]) -> None:
    """As the stock pipeline does, and never below what it accepts."""
    assert whole_patches(*asked) == made


def test_bytes_are_rounded_and_clipped() -> None:
    """Minus one is black, one is white, beyond is clipped, and levels are rounded to the nearest."""
    picture = torch.tensor([-2.0, -1.0, 0.0, 1.0, 3.0]).view(1, 1, 1, 5).expand(1, 3, 1, 5)
    assert to_bytes(picture)[0, :, 0].tolist() == [0, 0, 128, 255, 255]
