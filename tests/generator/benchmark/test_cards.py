"""The table of cards: found by the names that CUDA gives, and plausible in itself."""

from __future__ import annotations

import pytest

from streamer.errors import ConfigError
from streamer.generator.benchmark import cards


@pytest.mark.parametrize(
    ("name", "memory_gb", "bfloat16", "gb_s"),
    [
        ("NVIDIA H100 80GB HBM3", 85.0, 989, 3350),
        ("NVIDIA H100 PCIe", 85.0, 756, 2000),
        ("NVIDIA H200", 150.7, 989, 4800),
        ("NVIDIA A100-SXM4-80GB", 85.1, 312, 2039),
        ("NVIDIA A100-SXM4-40GB", 42.3, 312, 1555),
        ("NVIDIA A100 80GB PCIe", 85.1, 312, 1935),
        ("NVIDIA L40S", 47.7, 362, 864),
        ("NVIDIA GeForce RTX 4090", 25.3, 165.2, 1008),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", 17.1, 88.2, 672),
        ("NVIDIA GeForce RTX 3060", 12.6, 25.5, 360),
        ("NVIDIA GeForce RTX 3060", 8.4, 25.5, 240),
    ],
)
def test_a_card_is_found_by_its_name_and_memory(name: str, memory_gb: float, bfloat16: float, gb_s: float) -> None:
    card = cards.find(name, memory_gb)
    assert card is not None
    assert (card.tflops["bfloat16"], card.gb_s) == (bfloat16, gb_s)


@pytest.mark.parametrize(
    "name", ["NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 3060", "Tesla K80", "NVIDIA GeForce RTX 4090 D"]
)
def test_another_chip_under_a_similar_name_is_not_taken_for_a_card_of_the_table(name: str) -> None:
    assert cards.find(name, 16.9) is None


def test_a_card_is_named_without_its_memory_in_any_capitals() -> None:
    assert cards.named("a100-sxm4-80gb").gb_s == 2039
    assert cards.named("NVIDIA GeForce RTX 3060").gb_s == 360
    with pytest.raises(ConfigError, match=r"--card: the table of cards has no Voodoo 2; write it as CUDA does"):
        cards.named("Voodoo 2")


def test_a_card_that_lacks_a_type_multiplies_in_the_next_best() -> None:
    assert cards.named("A100-SXM4-80GB").rate("fp8") == ("int8", 624)
    assert cards.named("T4").rate("bfloat16") == ("float16", 65)
    assert cards.named("H200").rate("float64") is None


def test_no_card_multiplies_wide_numbers_faster_than_narrow_ones() -> None:
    for card in cards.shipped():
        rates = card.tflops
        assert rates["float32"] < rates["float16"], card.name
        assert rates["float16"] < rates["int8"], card.name
        assert rates.get("bfloat16", rates["float16"]) == rates["float16"], card.name
        assert rates["float16"] <= rates.get("fp8", rates["int8"]) <= rates["int8"], card.name
