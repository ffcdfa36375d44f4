"""A cleared picture is the frame it was made of, with its verdict."""

from __future__ import annotations

import pytest

from streamer.cleared import Seal, sealed
from tests.test_store import frame


def test_a_cleared_picture_keeps_everything_of_its_frame() -> None:
    cleared = sealed(frame("r1"), "v1", Seal())
    assert (cleared.request_id, cleared.layer, cleared.data, cleared.verdict_id) == ("r1", "background", b"jpeg", "v1")


def test_nothing_is_cleared_without_a_verdict() -> None:
    with pytest.raises(ValueError, match="verdict"):
        sealed(frame("r1"), "", Seal())
