"""Partial images are spread over the drawing."""

from __future__ import annotations

import json

import pytest

from streamer.api.v1 import events


@pytest.mark.parametrize(
    ("steps", "partial_images", "after"),
    [(4, 0, []), (4, 1, [2]), (4, 3, [1, 2, 3]), (28, 3, [7, 14, 21]), (1, 3, []), (2, 3, [1])],
)
def test_no_partial_image_is_sent_after_the_last_step(steps: int, partial_images: int, after: list[int]) -> None:
    assert events.partial_steps(steps, partial_images) == after


def test_an_event_has_the_name_of_its_type_and_one_line_of_json() -> None:
    written = events.event({"type": "image_edit.completed", "text": "a\nb"}).decode()
    name, data, *rest = written.split("\n")
    assert (name, rest) == ("event: image_edit.completed", ["", ""])
    assert json.loads(data.removeprefix("data: "))["text"] == "a\nb"
    assert b'"type": "error"' in events.failure({"error": {"message": "no"}})
