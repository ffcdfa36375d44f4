"""Decides what becomes of a finished picture: refused, held for a moderator, or on air."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.lru import LruDict
from streamer.moderation.admission import combine_verdicts
from streamer.moderation.air_gate import ClearedFrame
from streamer.moderation.approval import approval_hold
from streamer.pipeline.metrics import PipelineStep
from streamer.pipeline.show import Show
from streamer.types import Answer, Frame, Hold, ImageRequest, Judgement, Lane, Refusal, RequestState, Role, Toast

log = logging.getLogger(__name__)

AIRING = 500
# Overhead is measured on requests that were drawn at once: waiting for a turn is intended, and no overhead.
AT_ONCE_S = 0.05


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A finished picture: what text judges found, and seconds from the start to now, and spent on judges alone."""

    frame: Frame
    judgements: Sequence[Judgement]
    draw_s: float
    judged_s: float


class Deliver:
    """Refuse, hold or show a finished picture."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._airing: LruDict[str, tuple[float, float | None]] = LruDict(AIRING)

    async def deliver(self, request: ImageRequest, picture: DrawnPicture | None) -> None:
        """Bring a request to its end by its picture; None when it was cancelled meanwhile."""
        show = self._show
        if picture is None or not show.active.wanted(request):
            self.stopped(request)
        elif request.priority is Lane.PRIVATE:
            self._keep_private(request, picture)
        else:
            self._measure(request, picture, show.now())
            await self.decide(request, picture)

    async def decide(self, request: ImageRequest, picture: DrawnPicture) -> None:
        """Refuse, hold or show a picture by what rules and judges found."""
        show, now = self._show, self._show.now()
        hold = approval_hold(request, show.config.approval, show.raid_mode.alarm(now))
        looked = show.policy.look(request, picture.frame, now)
        match combine_verdicts(request, hold, looked, picture.judgements):
            case Refusal() as refusal:
                self._refuse(request, refusal, picture, now)
            case None if not show.approvals.delays(request):
                judged = [*picture.judgements, *picture.frame.judgements]
                cleared = await show.air_gate.clear(picture.frame, "policy", judged)
                self._air_if_wanted(request, cleared, picture, now)
            case objection:
                self._hold(request, picture, objection)

    def put_on_air(
        self, request: ImageRequest, followers: Sequence[ImageRequest], cleared: ClearedFrame, draw_s: float, now: float
    ) -> None:
        """Show a cleared picture, say for whom it was drawn, and end everybody who asked for it."""
        show = self._show
        show.air(show.stage.show(cleared, request.seconds, request.at, now))
        if request.actor.role is not Role.BROADCASTER:
            show.publisher.publish(Toast(request.id, f"drawn for {show.display_name(request.actor.name)}"))
        show.results.note(request, now)
        show.pacing.keep(cleared.layer, request.id, now)
        show.store.pictures.keep(request, cleared, cleared.verdict_id)
        show.publisher.end_shown(request, followers, draw_s * 1000, (now - request.at) * 1000)

    def note_painted(self, request_id: str, at: float) -> None:
        """Note that a page has painted a picture, at ``at`` (monotonic seconds)."""
        if (times := self._airing.pop(request_id)) is None:
            return
        asked_at, own_s = times
        self._show.metrics.took(PipelineStep.PAINT, at - asked_at)
        if own_s is not None:
            self._show.metrics.took(PipelineStep.OVERHEAD, at - asked_at - own_s)
        self._show.publisher.mark_dirty()

    def stopped(self, request: ImageRequest) -> None:
        """End a cancelled request; one that was only preempted waits again as if it had never begun."""
        show = self._show
        if not show.active.waits_again(request):
            self.end(request, RequestState.CANCELLED, "cleared", "retracted before it was shown")
            return
        log.info("preempted by a request that comes first: %s", request.id)
        show.note_preempted(request)

    def refuse_undrawn(self, request: ImageRequest, refusal: Refusal) -> None:
        """Refuse what whoever draws will not draw; it is no strike, since others draw their line elsewhere."""
        show = self._show
        show.air_gate.record_objection(refusal)
        if request.priority is not Lane.PRIVATE:
            show.results.note(request, show.now(), refusal)
        self.end(request, RequestState.REFUSED, refusal.rule, refusal.reason)

    def end(self, request: ImageRequest, state: RequestState, rule: str, reason: str) -> None:
        """End what was being drawn, and everybody who joined it."""
        self._show.end([request, *self._finish(request)], state, rule, reason)

    def _finish(self, request: ImageRequest) -> tuple[ImageRequest, ...]:
        return self._show.scheduler.finish(request.id)

    def _keep_private(self, request: ImageRequest, picture: DrawnPicture) -> None:
        """Give a private picture to its asker, unless a rule or a judge refuses it."""
        show, judged = self._show, [*picture.judgements, *picture.frame.judgements]
        looked = show.policy.look(request, picture.frame, show.now())
        match combine_verdicts(request, request.hold, looked, picture.judgements):
            case Refusal() as refusal:
                show.air_gate.record_objection(refusal, judged)
                self.end(request, RequestState.REFUSED, refusal.rule, refusal.reason)
            case hold:
                self._finish(request)
                show.drafts.finish(request.id, picture.frame, picture.judgements, picture.draw_s, hold)

    def _measure(self, request: ImageRequest, picture: DrawnPicture, now: float) -> None:
        show = self._show
        show.active.draw_times.note(request, picture.draw_s)
        show.metrics.took(PipelineStep.QUEUE, now - picture.draw_s - request.at)
        show.metrics.took(PipelineStep.DRAW, picture.draw_s)
        show.metrics.judged([*picture.judgements, *picture.frame.judgements])
        if picture.judgements or picture.frame.judgements:
            show.metrics.took(PipelineStep.JUDGE, picture.judged_s)

    def _refuse(self, request: ImageRequest, refusal: Refusal, picture: DrawnPicture, now: float) -> None:
        self._show.air_gate.record_objection(refusal, [*picture.judgements, *picture.frame.judgements])
        self._show.strike(request.actor, now)
        self._show.results.note(request, now, refusal)
        self.end(request, RequestState.REFUSED, refusal.rule, refusal.reason)

    def _air_if_wanted(
        self, request: ImageRequest, cleared: ClearedFrame, picture: DrawnPicture, drawn_at: float
    ) -> None:
        """Show a picture whose verdict is stored, unless it was taken back while that was written."""
        show = self._show
        if not show.active.wanted(request):
            self.stopped(request)
            return
        if show.hub.pages.count:
            at_once = drawn_at - request.at - picture.draw_s < AT_ONCE_S
            own_s = picture.frame.drew_s + picture.judged_s
            self._airing.put(request.id, (request.at, own_s if at_once else None))
        if picture.frame.left_out_words:
            show.publisher.notify(shortened_answer(request))
        self.put_on_air(request, self._finish(request), cleared, picture.draw_s, drawn_at)
        show.metrics.took(PipelineStep.DELIVER, show.now() - drawn_at)

    def _hold(self, request: ImageRequest, picture: DrawnPicture, hold: Hold | None) -> None:
        """Keep a picture out of sight: for a moderator, or (without a hold) for its seconds of delay."""
        show, frame, now = self._show, picture.frame, self._show.now()
        reason = hold or Hold(request.id, "delay", "goes on air in a moment", "delay")
        verdict = show.air_gate.record_objection(reason, [*picture.judgements, *frame.judgements])
        followers = self._finish(request)
        crowded_out = show.approvals.put(
            request, followers, frame, verdict, reason.reason, now, auto_release=hold is None,
            draw_s=picture.draw_s,
        )  # fmt: skip
        if hold is None:
            show.pacing.keep(frame.layer, request.id, now + show.approvals.delay_s)
            show.store.requests.set_state(request.id, RequestState.HELD)
        else:
            show.publisher.notify(held_answer(request))
            show.store.requests.hold([one.id for one in (request, *followers)], reason.reason)
        show.hub.publish(Refusal(request.id, reason.rule, reason.reason))  # removes its previews from the pages
        show.end_held(crowded_out)


def held_answer(request: ImageRequest) -> Answer:
    """Tell whoever asked that a moderator looks at the picture first."""
    return Answer(request.id, request.source, request.actor, "your picture waits for a moderator")


def shortened_answer(request: ImageRequest) -> Answer:
    """Tell whoever asked that the model did not read all of it: they see a picture of fewer words than they typed."""
    text = "your text is longer than the model reads, so its last words were left out"
    return Answer(request.id, request.source, request.actor, text)
