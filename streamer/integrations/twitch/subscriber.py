"""Subscribes a new EventSub session to everything that is wanted; one that is refused never stops the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from streamer.errors import LoginError, MissingScope, TwitchError
from streamer.integrations.twitch.helix import Helix
from streamer.integrations.twitch.subscriptions import Subscription, lacking
from streamer.integrations.twitch.tokens import AccessToken
from streamer.lru import LruDict

log = logging.getLogger(__name__)

PATH = "eventsub/subscriptions"


class SessionGone(Exception):
    """The session ended while it was being subscribed to."""


class Subscriber:
    """``on`` is what is subscribed, ``off`` what is not and why; ``sessions`` are those of this run, for tidying up."""

    def __init__(self, helix: Helix) -> None:
        self._helix = helix
        self._sessions: LruDict[str, None] = LruDict(100)
        self.on: set[str] = set()
        self.off: dict[Subscription, str] = {}

    def moved(self, session_id: str) -> None:
        """Note the session in which the subscriptions live on."""
        self._sessions.put(session_id, None)

    def begin(
        self, wants: Sequence[Subscription], session_id: str, access: AccessToken, channel_id: str
    ) -> list[Subscription]:
        """Start afresh in a new session; return what this login allows."""
        self._sessions.put(session_id, None)
        why = {one: lacking(one, access.scopes, access.user_id == channel_id) for one in wants}
        self.on, self.off = set(), {one: said for one, said in why.items() if said}
        return [one for one in wants if one not in self.off]

    async def create(
        self, wants: Sequence[Subscription], session_id: str, access: AccessToken, channel_id: str
    ) -> list[Subscription]:
        """Subscribe, to the first one first and then to the others at once; return what may work later.

        SessionGone and LoginError: only a new session helps.
        """
        again = [one for one in wants[:1] if await self._try(one, session_id, access, channel_id)]
        async with asyncio.TaskGroup() as tasks:
            others = {one: tasks.create_task(self._try(one, session_id, access, channel_id)) for one in wants[1:]}
        return [*again, *(one for one, trying in others.items() if trying.result())]

    async def _try(self, one: Subscription, session_id: str, access: AccessToken, channel_id: str) -> bool:
        """Create one subscription; True when it should be tried again later."""
        condition = one.conditions(channel_id, access.user_id)
        try:
            await self._create(one, condition, session_id)
        except LoginError:
            raise
        except MissingScope as error:
            self.off[one] = error.problem
        except TwitchError as error:
            return self._failed(one, error)
        else:
            self.on.add(one.kind)
            self.off.pop(one, None)
        return False

    def _failed(self, one: Subscription, error: TwitchError) -> bool:
        if error.status == 400 and "session" in error.problem:
            raise SessionGone(error.problem) from error
        if one not in self.off:
            log.warning("twitch: no %s: %s", one.kind, error)
        self.off[one] = error.problem
        # Limits pass once Twitch has forgotten dead sessions; 4xx will say the same again.
        return error.status in (0, 429) or error.status >= 500

    async def _create(self, one: Subscription, condition: Mapping[str, str], session_id: str) -> None:
        body = {
            "type": one.kind,
            "version": one.version,
            "condition": condition,
            "transport": {"method": "websocket", "session_id": session_id},
        }
        try:
            await self._helix.post(PATH, json=body)
        except TwitchError as error:
            if error.status == 409:
                # Left over from a session that ended badly: it would leave this one deaf. Twitch names it since 2026.
                await self._remove(one, condition, error.body)
            elif error.status == 429:
                await self._tidy_up(session_id)
            else:
                raise
            await self._helix.post(PATH, json=body)

    async def _remove(self, one: Subscription, condition: Mapping[str, str], body: Mapping[str, Any]) -> None:
        data = body.get("data")
        named = body.get("id") or (data[0].get("id") if isinstance(data, list) and data else None)
        ids = [str(named)] if named else []
        if not ids:
            listed = await self._helix.get(PATH, {"type": one.kind})
            ids = [str(old["id"]) for old in listed.get("data", ()) if old.get("condition") == dict(condition)]
        for old_id in ids:
            await self._forget(old_id)

    async def _tidy_up(self, session_id: str) -> None:
        """Remove what is left of this run's earlier sessions, which count against the limits."""
        listed = await self._helix.get(PATH)
        for old in listed.get("data", ()):
            session = str((old.get("transport") or {}).get("session_id"))
            if session != session_id and session in self._sessions:
                await self._forget(str(old["id"]))

    async def _forget(self, subscription_id: str) -> None:
        try:
            await self._helix.delete(PATH, {"id": subscription_id})
        except TwitchError as error:
            if error.status != 404:  # somebody was faster
                raise
