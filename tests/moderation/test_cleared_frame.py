"""A cleared picture is the frame it was made of, with its verdict."""

from __future__ import annotations

import pytest

from streamer.moderation.air_gate import Capability, clear_frame
from tests.support.examples import frame


def test_a_cleared_picture_keeps_everything_of_its_frame() -> None:
    cleared = clear_frame(frame("r1"), "v1", Capability())
    assert (cleared.request_id, cleared.layer, cleared.data, cleared.verdict_id) == ("r1", "background", b"jpeg", "v1")


def test_nothing_is_cleared_without_a_verdict() -> None:
    with pytest.raises(ValueError, match="verdict"):
        clear_frame(frame("r1"), "", Capability())
