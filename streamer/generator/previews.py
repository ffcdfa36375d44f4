"""How large a preview may be: it goes out before anybody has judged the picture, so it depends on who asked."""

from __future__ import annotations

from dataclasses import replace

from streamer.types import ImageRequest, Role

BLURRED_PX = 32
"""Longest side at which nothing in a picture can be recognised; the limit for everybody who is not trusted."""
TRUSTED = Role.MODERATOR
"""Whom the streamer trusts to ask for nothing that must not be seen; keys and the panel are the broadcaster's."""


def sized(request: ImageRequest, blurred_px: int, trusted_px: int) -> ImageRequest:
    """Write into a request how large its previews may be, whatever it said before."""
    longest = trusted_px if request.actor.role >= TRUSTED else min(blurred_px, BLURRED_PX)
    return replace(request, preview_px=longest)
