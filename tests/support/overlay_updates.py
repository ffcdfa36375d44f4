"""Layers, and updates for them, as the tests of the hub use them."""

from __future__ import annotations

from streamer.overlay.layer_options import LayerOptions
from streamer.types import Frame, Preview
from tests.support.cleared_frames import cleared

LAYERS = {
    "background": LayerOptions(use="background"),
    "meme": LayerOptions(use="popup", z=10),
    "quiet": LayerOptions(use="popup", previews=False, toast=False),
}


def frame(request_id: str, layer: str = "background") -> Frame:
    return cleared(Frame(request_id, layer, "image/jpeg", b"picture of " + request_id.encode(), 1280, 720))


def preview(request_id: str, layer: str = "background", step: int = 1) -> Preview:
    return Preview(request_id, layer, step, 4, "image/jpeg", b"tiny", 32, 18)
