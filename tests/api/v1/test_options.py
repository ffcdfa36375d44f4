"""Sizes in the config are sizes that models draw."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from streamer.api.v1.options import PictureApiOptions, parse_size


@pytest.mark.parametrize("size", ["1024", "1000x1000", "32x32", "4096x4096", "axb", "1024X1024"])
def test_a_size_that_no_model_draws_is_refused(size: str) -> None:
    with pytest.raises(ValidationError):
        PictureApiOptions(sizes=(size,))


def test_a_size_is_width_and_height() -> None:
    assert parse_size("1280x720") == (1280, 720)
    assert PictureApiOptions(sizes=("1280x720",)).sizes == ("1280x720",)
