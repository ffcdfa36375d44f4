"""What moderators decide about people and held pictures: approve, deny, cut, ban; and what happens by itself."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace

from streamer.errors import StoreError
from streamer.interfaces import Receipt, ReceiptOutcome
from streamer.lru import LruDict
from streamer.moderation.admission import Admission
from streamer.moderation.approval import HeldPicture
from streamer.moderation.bans import Bans, typed
from streamer.moderation.raid_mode import RaidMode
from streamer.pipeline.controls import REMEMBERED, Controls, ShowParts
from streamer.pipeline.reply_throttle import ReplyThrottle
from streamer.pipeline.status import ShowStatus
from streamer.storage.privacy import SWEEP_EVERY_S, Privacy
from streamer.types import (
    Actor,
    Answer,
    ImageRequest,
    Notice,
    NoticeKind,
    Refusal,
    Refused,
    RequestState,
    Retraction,
    Role,
    StageAction,
    StageCommand,
    Toast,
    Trigger,
)
from streamer.waiting import wait_for_event

log = logging.getLogger(__name__)

NOTED_EVERY_S = 0.05
DECISIONS = frozenset({StageAction.APPROVE, StageAction.DENY, StageAction.BAN, StageAction.UNBAN})
# Answers are toasts on the overlay, besides.
ANSWERS_S, ANSWERS_BURST = 2.0, 3


class ModeratorActions(Controls):
    """The verbs about people and held pictures, on the state of the show."""

    def __init__(self, parts: ShowParts, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parts, clock)
        self._bans = Bans(parts.store.bans, parts.strikes)
        self._raid = RaidMode(parts.raid)
        self._throttle = ReplyThrottle()
        self._noted_at = -math.inf
        self._people: LruDict[str, Actor] = LruDict(REMEMBERED)
        self._by_id: LruDict[str, Actor] = LruDict(REMEMBERED)
        self._answers, self._erasures = ReplyThrottle(ANSWERS_S, ANSWERS_BURST), ReplyThrottle(0.0)
        self._forgetting = asyncio.Event()
        self._privacy = Privacy(parts.store, parts.privacy)
        guards = (self._intake_objection, self._bans.objection, self._privacy.objection)
        self._admission = Admission(guards, parts.policy, self._raid, parts.approval)

    async def _obey(self, command: StageCommand) -> Receipt:
        """Do what is about people or held pictures; the rest is the stage's."""
        action = command.action
        if self._is_a_flood(command):
            return Receipt(command.trigger_id, ReceiptOutcome.REFUSED, "cooldown", "that was answered a moment ago")
        if action in (StageAction.APPROVE, StageAction.DENY):
            await self._decide(command)
        elif action is StageAction.CUT:
            self.cut()
        elif action is StageAction.BAN:
            self._say(command, await self._ban_typed(command))
        elif action is StageAction.FORGETME:
            await self._forget(command.actor.id, command.actor.name)
            self._forgetting.set()  # chat is not kept waiting until the outputs have looked through their folders
            # Not on the overlay: who wants to be forgotten does not want to be shown.
            self._air.tell(Answer(command.trigger_id, command.source, command.actor, "everything of yours is deleted"))
        elif action is StageAction.UNBAN:
            found = await self.unban(command.text)
            who = self._presentable(command.text, "that name")
            self._say(command, f"{who} may ask again" if found else f"nobody called {who} is banned")
        else:
            return await super()._obey(command)
        return Receipt(command.trigger_id, ReceiptOutcome.DONE)

    def state(self) -> ShowStatus:
        """Gather what a panel shows."""
        return replace(
            super().state(), held=self._holds.waiting(), alarm=self._raid.alarm(self._clock()), bans=self._bans.all()
        )

    async def approve(self, request_id: str, by: str, verdict_id: str | None = None) -> bool:
        """Put a held picture on air; ``verdict_id`` names the very picture that was looked at, if given.

        False when it does not wait any more, when another one is meant, or when it was taken back meanwhile.
        """
        held = self._holds.get(request_id)
        if held is None or verdict_id not in (None, held.verdict.id):
            return False
        return await self._release(held, by)

    async def deny(self, request_id: str, by: str) -> bool:
        """Refuse a held picture."""
        held = self._holds.get(request_id)
        if held is None or not self._holds.take(held):
            return False
        self._door.object(Refusal(request_id, f"moderator {by}", "denied"))
        refusal = Refusal(request_id, "approval", "a moderator decided against it")
        self._repeats.note(held.request, self._clock(), refusal)
        self._air.end(held.requests, RequestState.REFUSED, refusal.rule, refusal.reason)
        return True

    def cut(self) -> int:
        """Stop every picture that would go on air by itself; return how many there were."""
        going = [held for held in self._holds.waiting() if held.goes]
        dropped = self._holds.drop(lambda request: any(request in held.requests for held in going))
        self._air.end(dropped, RequestState.CANCELLED, "cut", "stopped before it was shown")
        return len(going)

    async def _release(self, held: HeldPicture, by: str) -> bool:
        """Let a held picture through the door, unless it is taken back while its verdict is written."""
        reserved = self._holds.decide(held)
        if reserved is None:
            return False
        try:
            cleared = await self._door.admit(held.frame, by)
        except StoreError:
            left = self._holds.get(held.request.id)
            if left is not None and left.deciding and self._holds.take(left):
                self._air.end(left.requests, RequestState.FAILED, "store", "the decision could not be written down")
            return False
        now = self._clock()
        current = self._holds.get(held.request.id)
        if current is None or not current.deciding or not self._holds.take(current):
            return False
        if not self._parts.stage.accepts(held.frame.layer, held.request.at):
            self._air.end(current.requests, RequestState.CANCELLED, "cleared", "taken back before it was shown")
            return False
        self._put_on_air(held.request, current.followers, cleared, held.draw_s, now)
        return True

    async def ban(self, who: str, by: str, minutes: float | None = None) -> str | None:
        """Keep somebody out, for good or for minutes, and take back what they asked for; return the name.

        ``who`` is an id or a name. None when it is a moderator: those are the platform's to remove.
        """
        key = who.strip().removeprefix("@").casefold()
        actor = self._known(key) or Actor(key, key, Role.VIEWER)
        if actor.role >= Role.MODERATOR:
            return None
        stored = self._bans.ban(actor.id, actor.name, None if minutes is None else minutes * 60, "", by)
        await self.retract(Retraction("moderation", None, actor.id, self._clock()))
        self._air.touch()
        await stored
        return actor.name

    def _is_a_flood(self, command: StageCommand) -> bool:
        """Tell whether viewers ask for answers faster than anybody reads them, or to be forgotten twice at once."""
        actor, now = command.actor, self._clock()
        if actor.role >= Role.MODERATOR:
            return False
        if command.action is StageAction.FORGETME:
            return not self._erasures.takes(actor.id, now)
        return command.action in (StageAction.QUEUE, StageAction.HELP) and not self._answers.takes(
            actor.id + command.action, now
        )

    def _known(self, key: str) -> Actor | None:
        return self._people.get(key) or self._by_id.get(key)

    async def unban(self, who: str) -> bool:
        """Let somebody in again who was banned, or forgotten and now wants to take part."""
        found = self._bans.unban(who)
        actor = self._known(who.strip().removeprefix("@").casefold())
        remembered = actor is not None and await self._privacy.readmit(actor.id)
        self._air.touch()
        return found is not None or remembered

    async def forget(self, actor_id: str) -> int:
        """Take somebody off the air and off the disk, outputs included; return how many requests those were."""
        count = await self._forget(actor_id)
        await self._finish_forgetting()
        return count

    async def _forget(self, actor_id: str, name: str = "") -> int:
        """Forget somebody here; ``name`` is what they are called now: it stands in what they decided as a moderator."""
        await self.retract(Retraction("moderation", None, actor_id, self._clock()))
        self._bans.forget(actor_id)
        ids = (await self._privacy.forget(actor_id, name)).request_ids
        # After a restart nobody remembers whose picture is on air, but the disk did.
        self._show(self._parts.stage.retract(lambda request_id: request_id in ids, self._clock()))
        self._air.touch()
        return len(ids)

    async def _finish_forgetting(self) -> None:
        """Let the outputs forget who is forgotten here; a program that ended in between finds them still to be done."""
        for one in await self._privacy.unfinished():
            self._air.tell(one)
            await self._air.told()
            await self._privacy.finish(one)

    async def _sweep(self) -> None:
        """Out: what has been kept long enough or is not to be kept, forgotten: now, when asked, and every hour."""
        while True:
            self._forgetting.clear()
            try:
                await self._finish_forgetting()
                await self._privacy.sweep(time.time())
            except StoreError as error:
                log.error("nothing was forgotten: %s", error)
            await wait_for_event(self._forgetting, SWEEP_EVERY_S)

    async def _ban_typed(self, command: StageCommand) -> str:
        who, limit = typed(command.text)
        if not who:
            return "say whom: a name, and for how many minutes if not for good"
        name = await self.ban(who, command.actor.name, limit)
        if name is None:
            return f"{self._presentable(who)} is a moderator"
        name = self._presentable(name)
        return f"{name} is banned" if limit is None else f"{name} is banned for {limit:g} min"

    async def _decide(self, command: StageCommand) -> None:
        """Approve or deny what the words name; say so when it is not clear what they mean."""
        held = self._holds.find(command.text, self._clock())
        if held is None:
            names = (f"{one.number} {self._presentable(one.request.actor.name)}" for one in self._holds.waiting())
            waiting = ", ".join(names) or "nothing"
            self._answer(command, Toast(command.trigger_id, f"say which one: waiting is {waiting}"))
        elif command.action is StageAction.APPROVE:
            await self._release(held, f"moderator {command.actor.name}")
        else:
            await self.deny(held.request.id, command.actor.name)

    def _say(self, command: StageCommand, text: str) -> None:
        self._answer(command, Toast(command.trigger_id, text))

    def _intake_objection(self, request: ImageRequest, now: float) -> Refusal | None:
        return self._intake.objection(request)

    def _asked(self, request: ImageRequest, now: float) -> None:
        """Remember who asks: moderators speak of names, bans hold ids."""
        self._people.put(request.actor.name.casefold(), request.actor)
        self._by_id.put(request.actor.id.casefold(), request.actor)
        self._raid.asked(request, now)

    def _refuse(self, refusal: Refusal, trigger: Trigger) -> Receipt:
        """Turn a trigger away; what it says may count against the one who typed it."""
        now = self._clock()
        if refusal.code or refusal.rule == "words":
            self._strike(trigger.actor, now)
            if now - self._noted_at >= NOTED_EVERY_S:
                # The disk of a flood: strikes, alarm and metrics count every one, the audit has as many as can be read.
                self._noted_at = now
                self._door.object(refusal)
        self._air.refuse(refusal)
        if self._throttle.tells(trigger, now):
            self._air.tell(Refused(trigger, refusal))
        return Receipt(refusal.request_id, ReceiptOutcome.REFUSED, refusal.rule, refusal.reason)

    def _strike(self, actor: Actor, now: float) -> None:
        if actor.role < Role.MODERATOR:
            self._raid.blocked(now)
        if self._bans.strike(actor, now):
            self._air.touch()

    def _announce(self, now: float) -> None:
        """Say once that raid mode is on, and once that it is over."""
        if (turn := self._raid.turn(now)) is not None:
            kind = NoticeKind.RAID_MODE_ON if turn.on else NoticeKind.RAID_MODE_OFF
            self._air.publish(Toast("", turn.text, seconds=6.0))
            self._air.tell(Notice("streamer", kind, now, text=turn.text))
