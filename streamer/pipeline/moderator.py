"""What moderators decide about held pictures and people: approve, deny, cut, ban, forget."""

from __future__ import annotations

import asyncio
import logging
import time

from streamer.errors import StoreError
from streamer.integrations.waiting import wait_for_event
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.controls import Controls
from streamer.pipeline.deliver import Deliver
from streamer.pipeline.people import key_of
from streamer.pipeline.show import Show
from streamer.storage.privacy import SWEEP_EVERY_S
from streamer.types import Actor, Refusal, RequestState, Retraction, Role

log = logging.getLogger(__name__)


class ModeratorActions:
    """Decide about held pictures, and about people."""

    def __init__(self, show: Show, controls: Controls, deliver: Deliver) -> None:
        self._show, self._controls, self._deliver = show, controls, deliver
        self._forgetting = asyncio.Event()

    async def approve(self, request_id: str, by: str, verdict_id: str | None = None) -> bool:
        """Put a held picture on air; ``verdict_id``, if given, names the very picture that was looked at.

        False when it does not wait any more, when another one is meant, or when it was taken back meanwhile.
        """
        held = self._show.approvals.get(request_id)
        if held is None or verdict_id not in (None, held.verdict.id):
            return False
        return await self.release(held, by)

    async def deny(self, request_id: str, by: str) -> bool:
        """Refuse a held picture; False when it does not wait any more."""
        show = self._show
        held = show.approvals.get(request_id)
        if held is None or not show.approvals.take(held):
            return False
        show.air_gate.record_objection(Refusal(request_id, f"moderator {by}", "denied"))
        refusal = Refusal(request_id, "approval", "a moderator denied it")
        show.results.note(held.request, show.now(), refusal)
        show.publisher.end(held.requests, RequestState.REFUSED, refusal.rule, refusal.reason)
        return True

    def cut(self) -> int:
        """Stop every picture that would go on air by itself; return how many there were."""
        coming = [held for held in self._show.approvals.all() if held.auto_release]
        dropped = self._show.approvals.drop(lambda request: any(request in held.requests for held in coming))
        self._show.publisher.end(dropped, RequestState.CANCELLED, "cut", "stopped before it was shown")
        return len(coming)

    async def release(self, held: HeldPicture, by: str) -> bool:
        """Put a held picture on air, unless it is taken back while its verdict is written."""
        show, approvals = self._show, self._show.approvals
        if approvals.reserve(held) is None:
            return False
        try:
            cleared = await show.air_gate.clear(held.frame, by)
        except StoreError:
            if (current := approvals.take_reserved(held.request.id)) is not None:
                reason = "the decision could not be saved"
                show.publisher.end(current.requests, RequestState.FAILED, "store", reason)
            return False
        now, current = show.now(), approvals.take_reserved(held.request.id)
        if current is None:
            return False
        if not show.stage.accepts(held.frame.layer, held.request.at):
            show.publisher.end(current.requests, RequestState.CANCELLED, "cleared", "retracted before it was shown")
            return False
        self._deliver.put_on_air(held.request, current.followers, cleared, held.draw_s, now)
        return True

    async def ban(self, name_or_id: str, by: str, minutes: float | None = None) -> str | None:
        """Ban somebody, for good or for minutes, and take back what they asked for; return the name.

        None when it is a moderator: only the platform removes those.
        """
        show, key = self._show, key_of(name_or_id)
        actor = show.people.find(key) or Actor(key, key, Role.VIEWER)
        if actor.role >= Role.MODERATOR:
            return None
        stored = show.bans.ban(actor.id, actor.name, None if minutes is None else minutes * 60, "", by)
        await self._controls.retract(Retraction("moderation", None, actor.id, show.now()))
        show.publisher.mark_dirty()
        await stored
        return actor.name

    async def unban(self, name_or_id: str) -> bool:
        """Let somebody in again who was banned, or forgotten and now wants to take part."""
        show = self._show
        found = show.bans.unban(name_or_id)
        if found is not None:
            show.strikes.forget(found.who)
        actor = show.people.find(name_or_id)
        remembered = actor is not None and await show.privacy.readmit(actor.id)
        show.publisher.mark_dirty()
        return found is not None or remembered

    async def forget(self, actor_id: str) -> int:
        """Take somebody off the air and off the disk, outputs included; return how many requests those were."""
        count = await self._erase(actor_id)
        await self._finish_forgetting()
        return count

    async def forget_soon(self, actor: Actor) -> None:
        """Forget somebody here at once, and let the outputs follow: chat does not wait until they are through."""
        await self._erase(actor.id, actor.name)
        self._forgetting.set()

    async def sweep(self) -> None:
        """Erase what has been kept long enough, and finish what was to be forgotten: now, when asked, and hourly."""
        while True:
            self._forgetting.clear()
            try:
                await self._finish_forgetting()
                await self._show.privacy.sweep(time.time())
            except StoreError as error:
                log.error("nothing was erased: %s", error)
            await wait_for_event(self._forgetting, SWEEP_EVERY_S)

    async def _erase(self, actor_id: str, name: str = "") -> int:
        """Forget somebody here; ``name`` is what they are called now, and stands in what they decided as moderator."""
        show = self._show
        await self._controls.retract(Retraction("moderation", None, actor_id, show.now()))
        show.bans.forget(actor_id)
        show.strikes.forget(actor_id)
        request_ids = (await show.privacy.forget(actor_id, name)).request_ids
        # After a restart nobody remembers whose picture is on air, but the disk did.
        show.air(show.stage.retract(lambda request_id: request_id in request_ids, show.now()))
        show.publisher.mark_dirty()
        return len(request_ids)

    async def _finish_forgetting(self) -> None:
        """Let the outputs forget whoever is forgotten here; what a crash interrupted is still to be done."""
        show = self._show
        for forgotten in await show.privacy.unfinished():
            show.publisher.notify(forgotten)
            await show.publisher.notified()
            await show.privacy.finish(forgotten)
