"""Ends what has waited or stood on air for its time, and releases delayed pictures."""

from __future__ import annotations

from streamer.moderation.approval import HeldPicture, approval_hold
from streamer.pipeline.moderator import ModeratorActions
from streamer.pipeline.patience import stop_limit
from streamer.pipeline.show import Show
from streamer.types import Notice, NoticeKind, Toast


class Timekeeper:
    """Do what is due at a moment, and know when the next thing is due."""

    def __init__(self, show: Show, moderator: ModeratorActions) -> None:
        self._show, self._moderator = show, moderator

    async def tick(self, now: float) -> None:
        """Expire queued requests and pictures whose air time is over, and release delayed pictures."""
        show = self._show
        show.scheduler.note_stops(now, stop_limit(show))
        show.end_queued(show.scheduler.expire(now))
        show.wait_notices.tell(show.display_names(one.actor for one in show.wait_notices.due(now)))
        show.air(show.stage.expire(now))
        self._announce_raid_mode(now)
        show.end_held(show.approvals.expire(now))
        for held in show.approvals.due(now):
            await self._release(held, now)

    def wakeup(self, now: float) -> float | None:
        """Return the next moment at which something is due, in monotonic seconds."""
        show = self._show
        moments = (
            show.scheduler.wakeup(now), show.stage.wakeup(), show.approvals.wakeup(), show.raid_mode.wakeup(),
            show.wait_notices.wakeup(),
        )  # fmt: skip
        return min((moment for moment in moments if moment is not None), default=None)

    async def _release(self, held: HeldPicture, now: float) -> None:
        show = self._show
        alarm = show.raid_mode.alarm(now)
        if show.intake.objection(held.request, now) or approval_hold(held.request, show.config.approval, alarm):
            # Requests were closed, or the risk has grown, since it was asked for: now a human has to look.
            waiting = show.approvals.require_approval(held, now)
            show.store.requests.hold([request.id for request in waiting.requests], waiting.reason)
            show.work.set()
            show.publisher.mark_dirty()
        else:
            await self._moderator.release(held, "delay")

    def _announce_raid_mode(self, now: float) -> None:
        """Say once that raid mode is on, and once that it is over."""
        if (change := self._show.raid_mode.change(now)) is not None:
            kind = NoticeKind.RAID_MODE_ON if change.on else NoticeKind.RAID_MODE_OFF
            self._show.publisher.publish(Toast("", change.text, seconds=6.0))
            self._show.publisher.notify(Notice("streamer", kind, now, text=change.text))
