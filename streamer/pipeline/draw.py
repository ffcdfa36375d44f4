"""Draws the request whose turn it is, while slow text judges run concurrently."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from streamer.errors import BackendError, StoreError, Unsupported
from streamer.moderation.approval import approval_hold
from streamer.pipeline.deliver import Deliver, DrawnPicture
from streamer.pipeline.show import Show
from streamer.types import ImageRequest, Judgement, Lane, RequestState

log = logging.getLogger(__name__)


def may_draw(show: Show, request: ImageRequest) -> bool:
    """Keep viewers' pictures apart, so that each is seen; the broadcaster's own never wait."""
    if show.intake.objection(request, show.now()) is not None:
        return False
    free = request.priority is Lane.BROADCASTER or show.pacing.is_free(request.layer, show.now())
    return free and show.policy.may_draw(request)


def preempt(show: Show, request: ImageRequest) -> None:
    """Preempt a viewer's drawing if this request of the broadcaster's can start now."""
    drawn = show.active.request
    if drawn is None or show.game_mode.active:
        return
    if show.scheduler.preempts(drawn.id, request, show.active.steps_left) and may_draw(show, request):
        show.active.preempt()


class Draw:
    """Take one request through the generator, and hand its picture on."""

    def __init__(self, show: Show, deliver: Deliver) -> None:
        self._show, self._deliver = show, deliver

    def next(self) -> ImageRequest | None:
        """Return the request whose turn it is, if one may be drawn now."""
        return self._show.scheduler.next(self._show.now(), lambda request: may_draw(self._show, request))

    async def draw(self, request: ImageRequest) -> None:
        """Draw a request until its picture is on air or held, or the request has ended."""
        show, started_at = self._show, self._show.now()
        show.store.requests.set_state(request.id, RequestState.DRAWING)
        show.publisher.mark_dirty()
        with show.active.of(request):
            try:
                picture = await self._drawn(await self._with_program_view(request), started_at)
                await self._deliver.deliver(request, picture)
            except BackendError as error:
                self._fail(request, error)
            except StoreError as error:
                log.error("not shown, since its verdict cannot be stored: %s", error)
                self._deliver.end(request, RequestState.FAILED, "store", "the picture could not be saved")
            except Exception:
                # A bug that one picture brings out must not end the show for all.
                log.exception("not shown: %s", request.id)
                self._deliver.end(request, RequestState.FAILED, "program", "the picture failed, please try again")
        show.publisher.mark_dirty()

    async def _with_program_view(self, request: ImageRequest) -> ImageRequest:
        """Give a request that asks for it what viewers see, looked at now, as late as possible."""
        view = self._show.program_view
        if not request.of_program or view is None:
            return request
        return replace(request, reference=await view.picture())

    async def _drawn(self, request: ImageRequest, started_at: float) -> DrawnPicture | None:
        """Draw while slow text judges run concurrently; None when the request was cancelled."""
        show = self._show
        judging = asyncio.create_task(show.policy.judge_text(request))
        alarm = show.raid_mode.alarm(show.now())
        may_be_seen = approval_hold(request, show.config.approval, alarm) is None
        try:
            frame = await show.active.frame(request, seen=may_be_seen and not show.approvals.delays(request))
            if frame is None:
                return None
            judgements, judged_s = await self._finished(judging)
            return DrawnPicture(frame, judgements, show.now() - started_at, frame.judged_s + judged_s)
        finally:
            judging.cancel()

    async def _finished(self, judging: asyncio.Task[list[Judgement]]) -> tuple[list[Judgement], float]:
        """Wait for the text judges that are still at work; return what they found, and how long this took."""
        since = self._show.now()
        judgements = await judging
        return judgements, self._show.now() - since

    def _fail(self, request: ImageRequest, error: BackendError) -> None:
        if not self._show.active.wanted(request):
            self._deliver.stopped(request)
            return
        log.warning("not drawn: %s: %s", request.id, error)
        reason = str(error) if isinstance(error, Unsupported) else "the picture failed, please try again"
        self._deliver.end(request, RequestState.FAILED, "generator", reason)
