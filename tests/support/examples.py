"""One request and one frame, as most tests need them."""

from __future__ import annotations

from streamer.types import Actor, Frame, ImageRequest, Lane, RequestKind, Role, SamplingParams

REQUEST = ImageRequest(
    "r1", "bg", RequestKind.BACKGROUND, "background", "harbour", "harbour, wide", SamplingParams(1280, 720, 4, 1.0, 7),
    Actor("u1", "Ann", Role.VIEWER), Lane.CHAT, 1.0, 31.0,
)  # fmt: skip


def frame(request_id: str, layer: str = "background", data: bytes = b"jpeg") -> Frame:
    return Frame(request_id, layer, "image/jpeg", data, 1280, 720)
