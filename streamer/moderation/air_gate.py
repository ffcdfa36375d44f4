"""A picture that may go on air: it carries the id of its stored verdict and the seal of the one door that made it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

from streamer import __version__
from streamer.storage.store import Store
from streamer.types import Frame, Hold, Judgement, Outcome, Refusal, Verdict


class Capability:
    """An identity, nothing more: whoever holds it can clear pictures for the hub that made it."""


@dataclass(frozen=True, slots=True)
class ClearedFrame(Frame):
    """A frame with its verdict. Without the hub's own seal it is as good as none."""

    verdict_id: str = ""
    seal: Capability | None = field(default=None, repr=False, compare=False)


def clear_frame(frame: Frame, verdict_id: str, seal: Capability) -> ClearedFrame:
    """Clear a frame; the verdict must have been stored before."""
    if not verdict_id:
        raise ValueError("a picture needs a verdict before it is cleared")
    values = {one.name: getattr(frame, one.name) for one in fields(Frame)}
    return ClearedFrame(**values, verdict_id=verdict_id, seal=seal)


class AirGate:
    """Write the verdict, then clear the picture; holds the only copy of the hub's seal."""

    def __init__(self, store: Store, seal: Capability, wall: Callable[[], float] = time.time) -> None:
        self._store, self._seal, self._wall = store, seal, wall

    async def admit(self, frame: Frame, judge: str, judgements: Sequence[Judgement] = ()) -> ClearedFrame:
        """Store that ``judge`` lets the picture on air, with what others found, and clear it.

        Raises StoreError when the verdict cannot be stored: then there is nothing to show. A clear or a panic may
        come before this returns: ask again whether the picture is still wanted.
        """
        verdict = self.verdict(frame.request_id, judge, Outcome.ALLOW, "")
        await self._store.audit.record([*self._of(frame.request_id, judgements), verdict])
        return clear_frame(frame, verdict.id, self._seal)

    def object(self, objection: Refusal | Hold, judgements: Sequence[Judgement] = ()) -> Verdict:
        """Note soon that a picture or a text was held or refused; return the verdict."""
        outcome = Outcome.BLOCK if isinstance(objection, Refusal) else Outcome.HOLD
        verdict = self.verdict(objection.request_id, objection.rule, outcome, objection.code)
        self._store.audit.record([*self._of(objection.request_id, judgements), verdict])
        return verdict

    async def again(self, picture_id: str) -> ClearedFrame | None:
        """Clear a kept picture anew, by the verdict that it had; None without picture or verdict."""
        frame = await self._store.pictures.frame(picture_id)
        verdict_id = await self._store.audit.allowing_verdict(picture_id)
        return clear_frame(frame, verdict_id, self._seal) if frame is not None and verdict_id is not None else None

    def verdict(self, request_id: str, judge: str, outcome: Outcome, code: str, version: str = __version__) -> Verdict:
        """Make a verdict of this moment."""
        return Verdict(secrets.token_hex(8), request_id, judge, outcome, code, version, self._wall())

    def _of(self, request_id: str, judgements: Sequence[Judgement]) -> list[Verdict]:
        return [self.verdict(request_id, one.judge, one.outcome, one.code, one.version) for one in judgements]
