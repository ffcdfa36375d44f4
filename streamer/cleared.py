"""A picture that may go on air: it carries the id of its stored verdict and the seal of the one door that made it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from streamer.types import Frame


class Seal:
    """An identity, nothing more: whoever holds it can clear pictures for the hub that made it."""


@dataclass(frozen=True, slots=True)
class Cleared(Frame):
    """A frame with its verdict. Without the hub's own seal it is as good as none."""

    verdict_id: str = ""
    seal: Seal | None = field(default=None, repr=False, compare=False)


def sealed(frame: Frame, verdict_id: str, seal: Seal) -> Cleared:
    """Clear a frame; the verdict must have been stored before."""
    if not verdict_id:
        raise ValueError("a picture needs a verdict before it is cleared")
    values = {one.name: getattr(frame, one.name) for one in fields(Frame)}
    return Cleared(**values, verdict_id=verdict_id, seal=seal)
