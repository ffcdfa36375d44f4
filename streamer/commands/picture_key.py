"""Which requests are for the same picture, and which of them may share one."""

from __future__ import annotations

from streamer.types import Caption, ImageRequest, Lane, Lora, RequestKind, Role

PictureKey = tuple[str, RequestKind, str, str, int, int, int, float, Caption | None, bytes | None, tuple[Lora, ...]]


def picture_key(request: ImageRequest) -> PictureKey:
    """Return what is equal for two requests of the same picture; the seed always differs and does not count.

    A private picture is like no other: its asker may have chosen the seed.
    """
    params = request.params
    sampling = (params.width, params.height, params.num_inference_steps, params.guidance_scale)
    private_id = request.id if request.priority is Lane.PRIVATE else ""
    asked = (private_id, request.kind, request.layer, request.prompt)
    return (*asked, *sampling, request.caption, request.reference, request.loras)


def is_shareable(request: ImageRequest) -> bool:
    """Tell whether a request may share the picture, or the refusal, of an earlier one with the same key.

    Viewers' requests do, unless they were paid for or are about what is on stream; moderators may want a new picture.
    """
    viewer = request.priority is Lane.CHAT and request.actor.role < Role.MODERATOR
    return viewer and not request.of_program
