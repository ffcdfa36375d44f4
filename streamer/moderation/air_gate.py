"""The only gate to the air: a frame passes when its verdict is stored, and nothing else can reach the hub."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

from streamer import __version__
from streamer.storage.store import Store
from streamer.types import Frame, Hold, Judgement, Outcome, Refusal, Verdict


class Capability:
    """An identity, nothing more: whoever holds it can clear frames for the hub that made it."""


@dataclass(frozen=True, slots=True)
class ClearedFrame(Frame):
    """A frame with the id of its stored verdict. The hub takes it only with the hub's own capability."""

    verdict_id: str = ""
    capability: Capability | None = field(default=None, repr=False, compare=False)


def clear_frame(frame: Frame, verdict_id: str, capability: Capability) -> ClearedFrame:
    """Clear a frame; the verdict must have been stored before."""
    if not verdict_id:
        raise ValueError("a picture needs a verdict before it is cleared")
    values = {each.name: getattr(frame, each.name) for each in fields(Frame)}
    return ClearedFrame(**values, verdict_id=verdict_id, capability=capability)


class AirGate:
    """Store the verdict, then clear the frame; holds the only copy of the hub's capability."""

    def __init__(self, store: Store, capability: Capability, wall: Callable[[], float] = time.time) -> None:
        self._store, self._capability, self._wall = store, capability, wall

    async def clear(self, frame: Frame, judge: str, judgements: Sequence[Judgement] = ()) -> ClearedFrame:
        """Store that ``judge`` lets the picture on air, with what others found, and clear it.

        Raises StoreError when the verdict cannot be stored: then there is nothing to show. A clear or a panic may
        come before this returns, so ask again whether the picture is still wanted.
        """
        verdict = self.verdict(frame.request_id, judge, Outcome.ALLOW, "")
        await self._store.audit.record([*self._verdicts(frame.request_id, judgements), verdict])
        return clear_frame(frame, verdict.id, self._capability)

    async def clear_again(self, picture_id: str) -> ClearedFrame | None:
        """Clear a stored picture by the verdict that it had; None without a picture or a verdict."""
        frame = await self._store.pictures.frame(picture_id)
        verdict_id = await self._store.audit.allowing_verdict(picture_id)
        if frame is None or verdict_id is None:
            return None
        return clear_frame(frame, verdict_id, self._capability)

    def record_objection(self, objection: Refusal | Hold, judgements: Sequence[Judgement] = ()) -> Verdict:
        """Store soon that a picture or a text was held or refused; return the verdict."""
        outcome = Outcome.BLOCK if isinstance(objection, Refusal) else Outcome.HOLD
        verdict = self.verdict(objection.request_id, objection.rule, outcome, objection.code)
        self._store.audit.record([*self._verdicts(objection.request_id, judgements), verdict])
        return verdict

    def verdict(self, request_id: str, judge: str, outcome: Outcome, code: str, version: str = __version__) -> Verdict:
        """Make a verdict of this moment."""
        return Verdict(secrets.token_hex(8), request_id, judge, outcome, code, version, self._wall())

    def _verdicts(self, request_id: str, judgements: Sequence[Judgement]) -> list[Verdict]:
        return [
            self.verdict(request_id, judgement.judge, judgement.outcome, judgement.code, judgement.version)
            for judgement in judgements
        ]
