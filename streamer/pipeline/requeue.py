"""Queues again after a restart what was still waiting, in order and once; what was being drawn is drawn again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from streamer.pipeline.pipeline import Channel
from streamer.pipeline.show import Show
from streamer.storage.requests import InterruptedRequest
from streamer.triggers.replay import SOURCE as REPLAY
from streamer.types import Actor, Hold, ImageRequest, Lane, Refusal, RequestState, Role, Trigger

log = logging.getLogger(__name__)

FRESH_S = 120.0
"""Whoever asked this long ago may still look at the stream."""
SEEN_WITHIN_S = 900.0
"""As long ago, a trigger may come again under the same id: a client that got no answer tries again."""


async def requeue(channel: Channel, interrupted: Iterable[InterruptedRequest]) -> None:
    """Queue the requests of one channel that the end of the last run left open; await it before anybody can ask."""
    show = channel.show
    for trigger_id, source in await show.store.requests.asked_since(show.clock.wall() - SEEN_WITHIN_S):
        if source != REPLAY:  # a recording brings its ids again
            channel.admit.note_seen(trigger_id)
    own = (one for one in interrupted if one.row.channel == show.store.keys.channel)
    count = sum(_queue_again(channel, one) for one in own)
    if count:
        log.info("%d requests from before the restart wait again", count)


def _queue_again(channel: Channel, interrupted: InterruptedRequest) -> bool:
    """Queue one request again; False when it ends instead."""
    show, now, row = channel.show, channel.show.now(), interrupted.row
    request = _rebuilt(show, interrupted, now)
    if request is None:
        reason = "the program was restarted, and this command is gone"
        show.store.requests.end([row.id], RequestState.EXPIRED, rule="restart", reason=reason)
        return False
    channel.admit.note_seen(interrupted.redemption.id if interrupted.redemption else request.id)
    if show.intake.panicked:
        show.publisher.end([request], RequestState.CANCELLED, "panic", "pictures were switched off")
        return False
    result = channel.admit.run_steps(request, now, channel.admit.steps_after_restart())
    refusal = _submitted(show, result, now) if isinstance(result, ImageRequest) else result
    if isinstance(refusal, Refusal):
        show.publisher.end([request], RequestState.REFUSED, refusal.rule, refusal.reason)
        return False
    return True


def _submitted(show: Show, request: ImageRequest, now: float) -> Refusal | None:
    submission = show.scheduler.submit(request, now)
    show.end_queued(submission.ended)
    if submission.refusal is None:
        show.lineage.note(request.id, request.actor.id)
        show.store.requests.set_state(request.id, RequestState.QUEUED)
        show.publisher.mark_dirty()
    return submission.refusal


def _rebuilt(show: Show, interrupted: InterruptedRequest, now: float) -> ImageRequest | None:
    """Make the request anew from its row, by the commands of now; None when its command is gone.

    It has all its time again: while the program was away, the show could not draw. Whoever a moderator was to look at
    is looked at again.
    """
    row = interrupted.row
    actor = Actor(row.actor_id, row.actor_name, Role(row.role), row.actor_login)
    trigger = Trigger(
        row.id, row.source, f"{show.commands.prefix}{row.command} {row.text}", actor, now - interrupted.age_s,
        row.lane == Lane.PAID, row.first_time, interrupted.redemption,
    )  # fmt: skip
    request = show.commands.interpret(trigger)
    if not isinstance(request, ImageRequest):
        return None
    hold = Hold(row.id, "approval", row.hold, "restart") if row.hold else None
    # The prompt may have a style around it that is off now.
    template = row.prompt.replace(request.words, "{text}", 1) if "{text}" in request.template else row.prompt
    return replace(
        request, prompt=row.prompt, template=template, expires_at=now + request.expires_at - request.at, hold=hold
    )
