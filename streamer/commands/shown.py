"""What can be read on air of a request: whoever draws letters takes them from here, and the text filter reads it all.

Nothing changes a text after it was judged: capitals, the join of two captions and the beginning of a long text are made
here, before.
"""

from __future__ import annotations

from typing import Literal

from streamer.commands.bidi import display_order
from streamer.text import capitals, excerpt
from streamer.types import Caption, ImageRequest

EXCERPT = 80
"""Characters of a text that a picture letters or a list shows, at most."""

CaptionPart = Literal["top", "bottom", "both"]


def caption_text(caption: Caption, part: CaptionPart, *, upper: bool) -> str:
    """Return a part of a caption as a layout draws it."""
    text = {"top": caption.top, "bottom": caption.bottom, "both": f"{caption.top} {caption.bottom}".strip()}[part]
    return capitals(text) if upper else text


def lettered(request: ImageRequest) -> str:
    """Return what a painter may write into the picture."""
    return excerpt(request.words or request.prompt, EXCERPT)


def listed(request: ImageRequest) -> str:
    """Return what a list of pictures says about this one."""
    caption = request.caption
    parts = (request.words, caption.top, caption.bottom) if caption is not None else (request.words,)
    return excerpt(" | ".join(filter(None, parts)), EXCERPT) or request.command


def shown_texts(request: ImageRequest) -> list[str]:
    """Return everything that can be read on air, also in the order of display if that differs."""
    texts = [lettered(request), listed(request)] if request.words else [lettered(request)]
    if request.caption is not None:
        parts: tuple[CaptionPart, ...] = ("top", "bottom", "both")
        texts += [caption_text(request.caption, part, upper=upper) for part in parts for upper in (False, True)]
    return list(dict.fromkeys(form for text in dict.fromkeys(texts) for form in (text, display_order(text)) if form))
