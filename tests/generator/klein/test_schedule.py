"""The noise schedule is diffusers' own."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")


from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu

from streamer.generator.klein.schedule import sigmas_of, time_shift
from streamer.generator.klein.testing import make_pipeline

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("tokens", [16, 1024, 2304, 3600, 4096, 4300, 4301, 8160])
@pytest.mark.parametrize("steps", [1, 2, 4, 8, 50])
def test_the_shift_is_the_stock_one(tokens: int, steps: int) -> None:
    """Both sides of the 4,300 tokens where the formula changes."""
    assert time_shift(tokens, steps) == pytest.approx(compute_empirical_mu(tokens, steps), rel=1e-12)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(1024, (1, 0.9581, 0.8840, 0.7175, 0)), (4096, (1, 0.9674, 0.9081, 0.7672, 0))],
)
def test_known_noise_levels(tokens: int, expected: tuple[float, ...]) -> None:
    """Four steps at 512x512 and 1024x1024."""
    sigmas, _ = sigmas_of(make_pipeline().scheduler, tokens, 4)
    assert sigmas.tolist() == pytest.approx(expected, abs=1e-4)
