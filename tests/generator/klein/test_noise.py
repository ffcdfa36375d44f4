"""A seed means the same noise everywhere, and the noise is Gaussian."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from streamer.generator.klein.noise import gaussian, noise_of, philox

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


def test_the_words_are_those_of_philox() -> None:
    """The published known answer of philox4x32-10 for counter and key zero."""
    words = philox(0, torch.zeros(1, dtype=torch.int64))
    assert [int(word) for word in words] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_the_numbers_are_gaussian() -> None:
    """Mean, spread, skew and tails of a quarter million are those of a normal distribution."""
    drawn = gaussian(20, 1 << 18, CPU)
    assert abs(float(drawn.mean())) < 0.01
    assert abs(float(drawn.std()) - 1) < 0.01
    assert abs(float((drawn**3).mean())) < 0.03
    assert abs(float((drawn**4).mean()) - 3) < 0.06
    assert 4 < float(drawn.abs().max()) < 6
    shares = torch.histc(drawn, 4, -2, 2) / len(drawn)
    assert torch.allclose(shares, torch.tensor([0.1359, 0.3413, 0.3413, 0.1359]), atol=0.005)


def test_neighbours_have_nothing_in_common() -> None:
    """Numbers beside one another, and the same place under the next seed, do not correlate."""
    drawn, other = gaussian(7, 1 << 16, CPU), gaussian(8, 1 << 16, CPU)
    for lag in (1, 2, 3, 4, 64):
        assert abs(float((drawn[lag:] * drawn[:-lag]).mean())) < 0.02
    assert abs(float((drawn * other).mean())) < 0.02


def test_a_seed_is_all_there_is_to_it() -> None:
    """The same seed gives the same noise, whatever the size after it; large seeds count in full."""
    assert torch.equal(gaussian(5, 101, CPU), gaussian(5, 400, CPU)[:101])
    assert not torch.equal(gaussian(5, 64, CPU), gaussian(5 + 2**32, 64, CPU))
    made = noise_of(5, 128, 4, 6, torch.bfloat16, CPU)
    assert made.shape == (1, 128, 4, 6)
    assert made.dtype == torch.bfloat16
    assert torch.equal(made.flatten(), gaussian(5, 128 * 24, CPU).bfloat16())
