"""Tensors lie side by side in few blocks, and copies are copies."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from streamer.generator.lora import main_memory
from streamer.generator.lora.main_memory import MainMemory

pytestmark = pytest.mark.torch


def test_places_are_filled_before_another_block_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small tensor goes where a large one left room; one that is larger than a block gets its own."""
    monkeypatch.setattr(main_memory, "BLOCK", 4096)
    memory = MainMemory()
    sizes = [3000, 2000, 600, 5000, 1, 2048]
    places = [memory.place(size) for size in sizes]
    assert [len(place) for place in places] == sizes
    assert memory.nbytes == 4096 + 4096 + 8192
    for number, place in enumerate(places):
        place.fill_(number)
    assert all(bool((place == number).all()) for number, place in enumerate(places))
    assert (places[2].data_ptr() - places[0].data_ptr()) % main_memory.ALIGNMENT == 0


def test_a_block_holds_numbers_of_any_type() -> None:
    """Bytes are read as what was put there."""
    place = MainMemory().place(24).view(torch.float32).view(2, 3)
    place.copy_(torch.arange(6).view(2, 3))
    assert place.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_copy_is_a_copy() -> None:
    """Without a GPU, too."""
    tensor = torch.arange(4.0)
    memory = MainMemory()
    kept = memory.keep(tensor)
    tensor.zero_()
    assert kept.tolist() == [0, 1, 2, 3]
    assert memory.nbytes == 0
