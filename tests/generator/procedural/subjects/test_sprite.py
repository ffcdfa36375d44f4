"""Drawings as pixels."""

from __future__ import annotations

from streamer.generator.procedural.subjects.sprite import sprite, sticker


def test_a_sprite_is_trimmed_to_its_ink() -> None:
    pixels = sprite("1f989", 120)
    assert pixels.shape[0] == 120
    alpha = pixels[..., 3]
    assert all(edge.any() for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))
    assert alpha[0, 0] == 0


def test_a_sticker_is_outlined_in_white_and_transparent_around() -> None:
    pixels = sticker("1f34e", 200)
    assert pixels.shape[0] == 200
    assert pixels[0, 0, 3] == 0
    middle = pixels[100]
    first = middle[middle[:, 3] == 255][0]
    assert first[:3].min() > 240
