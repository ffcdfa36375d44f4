"""Draws the request whose turn it is, while slow text judges run concurrently."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from streamer import logs
from streamer.errors import BackendError, ContentRefused, StoreError, Unsupported
from streamer.interfaces import Lease
from streamer.moderation.approval import approval_hold
from streamer.pipeline.active_draw import OnPreview
from streamer.pipeline.deliver import Deliver, DrawnPicture
from streamer.pipeline.patience import stop_limit
from streamer.pipeline.show import Show
from streamer.types import ImageRequest, Judgement, Lane, Preview, Refusal, RequestState, Role

log = logging.getLogger(__name__)


def may_draw(show: Show, request: ImageRequest, waiting: int = 1) -> bool:
    """Keep viewers' pictures apart, so that each is seen; the broadcaster's own never wait.

    ``waiting`` is how many pictures wait for the request's layer, this one included.
    """
    if show.intake.objection(request, show.now()) is not None:
        return False
    return _free_at(show, request, waiting) <= show.now() and show.policy.may_draw(request)


def _waiting_by_layer(show: Show) -> Counter[str]:
    return Counter(request.layer for request in show.scheduler.pending())


def _free_at(show: Show, request: ImageRequest, waiting: int) -> float:
    if request.priority in (Lane.BROADCASTER, Lane.PRIVATE):
        return -math.inf
    return show.pacing.free_at(request.layer, waiting)


def preempt(show: Show, request: ImageRequest, waiting: int = 1) -> None:
    """Preempt what is being drawn if this request comes before it and can start now."""
    drawn = show.active.request
    if drawn is None or show.game_mode.closed:
        return
    if show.scheduler.preempts(drawn.id, request, show.active.steps_left) and may_draw(show, request, waiting):
        show.active.preempt()


class Draw:
    """Take one request through the generator, and hand its picture on."""

    def __init__(self, show: Show, deliver: Deliver) -> None:
        self._show, self._deliver = show, deliver

    def lane(self) -> Lane | None:
        """Return the lane of the request whose turn it is; None if none may be drawn now."""
        request = self._show.scheduler.first(self._show.now(), self._drawable())
        return None if request is None else request.priority

    def next(self) -> ImageRequest | None:
        """Take the request whose turn it is, if one may be drawn now."""
        return self._show.scheduler.next(self._show.now(), self._drawable())

    def _drawable(self) -> Callable[[ImageRequest], bool]:
        """Return what tells of each queued request whether it may be drawn now."""
        show = self._show
        show.scheduler.note_stops(show.now(), stop_limit(show))
        waiting = _waiting_by_layer(show)
        return lambda request: may_draw(show, request, waiting[request.layer])

    def wakeup(self) -> float | None:
        """Return when the next layer becomes free for a picture that waits for it, in monotonic seconds."""
        show, pending = self._show, self._show.scheduler.pending()
        waiting = _waiting_by_layer(show)
        moments = (_free_at(show, request, waiting[request.layer]) for request in pending)
        return min((moment for moment in moments if moment > show.now()), default=None)

    async def draw(self, request: ImageRequest, lease: Lease) -> None:
        """Draw a request until its picture is on air or held, or the request has ended."""
        show, started_at = self._show, self._show.now()
        show.note_drawing(request)
        with logs.about(request=request.id, channel=show.name), show.active.of(request):
            try:
                picture = await self._drawn(await self._with_program_view(request), lease, started_at)
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

    async def _drawn(self, request: ImageRequest, lease: Lease, started_at: float) -> DrawnPicture | None:
        """Draw while slow text judges run concurrently; None when the request was cancelled."""
        show = self._show
        judging = asyncio.create_task(show.policy.judge_text(request))
        try:
            frame = await show.active.frame(lease, request, self._preview_target(request))
            if frame is None:
                return None
            judgements, judged_s = await self._finished(judging)
            return DrawnPicture(frame, judgements, show.now() - started_at, frame.judged_s + judged_s)
        finally:
            judging.cancel()

    def _preview_target(self, request: ImageRequest) -> OnPreview:
        """Return where previews of a request go: to its asker alone, to the pages, or nowhere."""
        show = self._show
        if request.priority is Lane.PRIVATE:
            return self._show_privately
        hold = approval_hold(request, show.config.approval, show.raid_mode.alarm(show.now()))
        if hold is not None or show.approvals.delays(request):
            return lambda preview: None
        line = self._line(request)
        return lambda preview: show.active.publish_preview(request, preview, line)

    def _show_privately(self, preview: Preview) -> None:
        """Note a private preview; between two steps, make way for whoever's turn has come meanwhile."""
        show = self._show
        show.drafts.show_preview(preview)
        waiting = _waiting_by_layer(show)
        for request in show.queued():
            preempt(show, request, waiting[request.layer])

    def _line(self, request: ImageRequest) -> str:
        """Say for whom a picture is being drawn; nothing of the broadcaster's own."""
        if request.actor.role is Role.BROADCASTER:
            return ""
        return f"drawing for {self._show.display_name(request.actor.name)}"

    async def _finished(self, judging: asyncio.Task[list[Judgement]]) -> tuple[list[Judgement], float]:
        """Wait for the text judges that are still at work; return what they found, and how long this took."""
        since = self._show.now()
        judgements = await judging
        return judgements, self._show.now() - since

    def _fail(self, request: ImageRequest, error: BackendError) -> None:
        if not self._show.active.wanted(request):
            self._deliver.stopped(request)
            return
        if isinstance(error, ContentRefused):
            self._deliver.refuse_undrawn(request, Refusal(request.id, "generator", error.problem, "server"))
            return
        log.warning("not drawn: %s: %s", request.id, error)
        reason = str(error) if isinstance(error, Unsupported) else "the picture failed, please try again"
        self._deliver.end(request, RequestState.FAILED, "generator", reason)
