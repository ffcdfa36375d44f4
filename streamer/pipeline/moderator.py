"""What moderators decide about held pictures and people: approve, deny, cut, ban, forget."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.errors import StoreError
from streamer.integrations.waiting import wait_for_event
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.controls import Controls
from streamer.pipeline.deliver import Deliver
from streamer.pipeline.show import Show
from streamer.storage.bans import Ban
from streamer.storage.people import forgotten_words, name_key, several, unseen
from streamer.storage.privacy import SWEEP_EVERY_S
from streamer.types import Actor, Refusal, RequestState, Retraction, Role

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """What became of a decision about a person: ``text`` says it, and may be shown on air.

    ``people`` is who was meant: nobody if no such person has been seen, several if nobody can tell which one.
    """

    done: bool
    text: str
    people: tuple[Actor, ...] = ()


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Who was forgotten, and with how many requests."""

    decision: PersonDecision
    requests: int = 0


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
        show.work.set()
        return True

    def cut(self) -> int:
        """Stop every picture that would go on air by itself; return how many there were."""
        show = self._show
        coming = [held for held in show.approvals.all() if held.auto_release]
        dropped = show.approvals.drop(lambda request: any(request in held.requests for held in coming))
        show.publisher.end(dropped, RequestState.CANCELLED, "cut", "stopped before it was shown")
        show.work.set()
        return len(coming)

    async def release(self, held: HeldPicture, by: str) -> bool:
        """Put a held picture on air, unless it is taken back while its verdict is written."""
        show, approvals = self._show, self._show.approvals
        if approvals.reserve(held) is None:
            return False
        try:
            cleared = await show.air_gate.clear(held.frame, by)
        except StoreError:
            show.work.set()
            if (current := approvals.take_reserved(held.request.id)) is not None:
                reason = "the decision could not be saved"
                show.publisher.end(current.requests, RequestState.FAILED, "store", reason)
            return False
        now, current = show.now(), approvals.take_reserved(held.request.id)
        if current is None:
            return False
        if not show.stage.accepts(held.frame.layer, held.request.at):
            show.work.set()
            show.publisher.end(current.requests, RequestState.CANCELLED, "cleared", "retracted before it was shown")
            return False
        self._deliver.put_on_air(held.request, current.followers, cleared, held.draw_s, now)
        return True

    async def ban(self, words: str, by: str, minutes: float | None = None) -> PersonDecision:
        """Ban whoever an id, a login or a shown name means, for good or for minutes, and take back their requests.

        Moderators are not banned: only the platform removes those. Somebody who was never seen is banned by name.
        """
        show, seconds = self._show, None if minutes is None else minutes * 60
        meant = show.people.meant(words)
        if len(meant) > 1:
            return self._ambiguous(words, meant)
        if any(actor.role >= Role.MODERATOR for actor in meant):
            return PersonDecision(
                False, f"{show.display_person(meant[0])} is a moderator; remove that role first", meant
            )
        until = "" if minutes is None else f" for {minutes:g} min"
        if not meant:
            name = show.display_name(name_key(words))
            await self._show.bans.ban_name(words, seconds, by)
            show.publisher.mark_dirty()
            return PersonDecision(True, f"{name} is banned{until}, but nobody called so has written here yet")
        (actor,) = meant
        stored = show.bans.ban(actor, seconds, "", by)
        await self._controls.retract(Retraction("moderation", None, actor.id, show.now()))
        show.publisher.mark_dirty()
        await stored
        return PersonDecision(True, f"{show.display_person(actor)} is banned{until}", meant)

    async def unban(self, words: str) -> PersonDecision:
        """Let somebody in again who was banned, or forgotten and now wants to take part."""
        show, people = self._show, self._show.people.meant(words)
        bans = show.bans.named(words) or tuple(ban for ban in map(show.bans.of, people) if ban is not None)
        if len(bans) > 1:
            return self._ambiguous(words, tuple(_banned(ban) for ban in bans))
        for ban in bans:
            show.bans.lift(ban)
            show.strikes.forget(ban.who)
        ids = [actor.id for actor in people] if len(people) == 1 else [words.strip()]
        readmitted = [await show.privacy.readmit(actor_id) for actor_id in ids]
        show.publisher.mark_dirty()
        meant = tuple(_banned(ban) for ban in bans) or people
        name = show.display_person(meant[0]) if len(meant) == 1 else show.display_name(name_key(words), "that name")
        done = bool(bans) or any(readmitted)
        return PersonDecision(done, f"{name} may ask again" if done else f"{name} is not banned", meant)

    async def forget(self, words: str) -> Forgetting:
        """Take somebody off the air and off the disk, outputs included; an unknown name counts as an id."""
        meant = self._show.people.meant(words)
        if len(meant) > 1:
            return Forgetting(self._ambiguous(words, meant))
        actor = meant[0] if meant else unseen(words)
        count = await self._erase(actor)
        await self._finish_forgetting()
        return Forgetting(PersonDecision(True, forgotten_words(actor, known=bool(meant or count)), meant), count)

    async def forget_soon(self, actor: Actor) -> None:
        """Forget somebody here at once, and let the outputs follow: chat does not wait until they are through."""
        await self._erase(actor)
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
            await self._back_up()
            await wait_for_event(self._forgetting, SWEEP_EVERY_S)

    async def _back_up(self) -> None:
        try:
            await self._show.privacy.back_up_daily(time.time())
        except StoreError as error:
            log.warning("no backup was made today: %s", error)

    async def _erase(self, actor: Actor) -> int:
        """Forget somebody here; what they are called now stands in what they decided as moderator.

        A name that nobody vouches for takes nothing of its real owner along.
        """
        show = self._show
        names = {actor.name, actor.login} - {""} if show.people.knows(actor.id) else set()
        await self._controls.retract(Retraction("moderation", None, actor.id, show.now()))
        show.discard_drafts(lambda request: request.actor.id == actor.id)
        show.bans.forget(actor.id, names)
        show.strikes.forget(actor.id)
        request_ids = (await show.privacy.forget(actor.id, names)).request_ids
        # After a restart nobody remembers whose picture is on air, but the disk did.
        show.air(show.stage.retract(lambda request_id: request_id in request_ids, show.now()))
        show.publisher.mark_dirty()
        return len(request_ids)

    def _ambiguous(self, words: str, people: Sequence[Actor]) -> PersonDecision:
        return PersonDecision(False, several(words, people, self._show.display_name), tuple(people))

    async def _finish_forgetting(self) -> None:
        """Let the outputs forget whoever is forgotten here; what a crash interrupted is still to be done."""
        show = self._show
        for forgotten in await show.privacy.unfinished():
            show.publisher.notify(forgotten)
            await show.publisher.notified()
            await show.privacy.finish(forgotten)


def _banned(ban: Ban) -> Actor:
    """Return somebody as the list of bans knows them."""
    return Actor(ban.who, ban.name, Role.VIEWER, ban.login)
