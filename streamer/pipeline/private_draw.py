"""Draws a picture for its asker alone, by the show's own warm generator, and puts it on air when they say so.

A private picture waits in a lane behind all others, so that it delays no viewer's and no key's: it is drawn when nobody
else's picture may be, and its drawing stops between two steps when somebody else's turn comes. The rules read its text
and the judges look at it as at any other; then it stays in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamer.errors import StoreError
from streamer.interfaces import ReceiptOutcome
from streamer.pipeline.admit import Admit
from streamer.pipeline.controls import Controls
from streamer.pipeline.deliver import Deliver, DrawnPicture
from streamer.pipeline.drafts import KEPT_BYTES, MOST_OF_TENANTS, MOST_WAITING, TENANT_SOURCE, Draft
from streamer.pipeline.show import Show
from streamer.types import Frame, ImageRequest, Lane, Refusal, RequestState

WAITS_S = 600.0
"""How long a private picture waits for its turn; its asker can cancel it."""
ON_AIR = (RequestState.SHOWN, RequestState.SUPERSEDED, RequestState.HELD)


@dataclass(frozen=True, slots=True)
class Airing:
    """What became of a private picture that was to go on air: shown, held or refused, or why neither."""

    state: RequestState
    rule: str = ""
    reason: str = ""


class PrivateDraw:
    """Ask for private pictures, drop them, and put them on air."""

    def __init__(self, show: Show, admit: Admit, controls: Controls, deliver: Deliver) -> None:
        self._show, self._admit, self._controls, self._deliver = show, admit, controls, deliver

    def ask(self, request: ImageRequest) -> Draft:
        """Queue a picture for its asker alone, and return its draft, which may be refused already.

        ``request`` is as it would go on air, with the lane and the layer of its command.
        """
        show, now = self._show, self._show.now()
        queued = self._queue(request, now)
        if isinstance(queued, Refusal):
            self._admit.note_refusal(queued, request.actor, now)
            return show.drafts.add(request, queued)
        show.publisher.mark_dirty()  # the timer learns when it expires
        show.work.set()
        return show.drafts.add(queued)

    def _queue(self, request: ImageRequest, now: float) -> ImageRequest | Refusal:
        """Queue a request in the private lane; return it as it would go on air, or why it is refused."""
        if (objection := self._objection(request)) is not None:
            return objection
        checked = self._admit.run_steps(request, now, self._admit.steps_of_draft())
        if not isinstance(checked, ImageRequest):
            return checked if isinstance(checked, Refusal) else Refusal(request.id, "queue", "it could not be queued")
        private = replace(checked, priority=Lane.PRIVATE, layer="", expires_at=now + WAITS_S)
        return self._show.scheduler.submit(private, now).refusal or checked

    async def draw(self, request: ImageRequest) -> Draft | None:
        """Ask for a picture and wait until it is drawn or has ended; None when somebody discards it meanwhile."""
        return await self._show.drafts.ended(self.ask(request).request.id)

    def discard(self, draft_id: str) -> bool:
        """Cancel a draft that waits or is being drawn, and forget its picture; False when there is none."""
        show = self._show
        if show.drafts.get(draft_id) is None:
            return False
        show.discard_drafts(lambda request: request.id == draft_id)
        return True

    async def put_on_air(self, draft: Draft, frame: Frame) -> Airing:
        """Put the picture of a draft on air as the asker's own request: past rules, judges and approval.

        A picture that was on air already is shown again.
        """
        if draft.aired:
            return await self._show_again(draft)
        now = self._show.now()
        request = replace(draft.request, at=now, expires_at=now + WAITS_S)
        match self._admit.run_steps(request, now, self._admit.steps_to_air()):
            case Refusal() as refusal:
                self._admit.note_refusal(refusal, request.actor, now)
                return Airing(RequestState.REFUSED, refusal.rule, refusal.reason)
            case ImageRequest() as request:
                self._show.drafts.set_aired(request.id, True)
                airing = await self._air(request, draft, frame, now)
                self._show.drafts.set_aired(request.id, airing.state in ON_AIR)
                return airing
        raise AssertionError("these steps join nothing")

    async def _air(self, request: ImageRequest, draft: Draft, frame: Frame, now: float) -> Airing:
        receipt = await self._admit.enter(request, now)
        if receipt.outcome is ReceiptOutcome.REFUSED:
            return Airing(RequestState.FAILED, receipt.rule, receipt.reason)
        # What it took to draw it is no part of the way on air.
        shown = replace(frame, layer=request.layer, drew_s=0.0, judged_s=0.0)
        try:
            await self._deliver.decide(request, DrawnPicture(shown, draft.judgements, 0.0, 0.0))
        except StoreError:
            self._deliver.end(request, RequestState.FAILED, "store", "the picture could not be saved")
        row = await self._show.store.requests.get(request.id)
        return Airing(RequestState.FAILED) if row is None else Airing(row.state, row.rule, row.hold or row.reason)

    async def _show_again(self, draft: Draft) -> Airing:
        if await self._controls.show_again(draft.request.id):
            return Airing(RequestState.SHOWN)
        if self._show.approvals.get(draft.request.id) is not None:
            return Airing(RequestState.HELD, "approval", "it waits for a moderator")
        return Airing(RequestState.CANCELLED, "picture", "it was taken off the air meanwhile, or is no longer kept")

    def _objection(self, request: ImageRequest) -> Refusal | None:
        """Refuse what would take too much memory; tenants and the streamer take no places from each other."""
        of_tenants = request.source == TENANT_SOURCE
        waiting = self._show.drafts.waiting(of_tenants=of_tenants)
        size = sum(draft.size for draft in waiting) + len(request.reference or b"")
        if len(waiting) < (MOST_OF_TENANTS if of_tenants else MOST_WAITING) and size <= KEPT_BYTES:
            return None
        return Refusal(request.id, "queue", f"{len(waiting)} private pictures wait already; wait, or cancel some")
