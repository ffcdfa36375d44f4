"""Creates the subscriptions of an EventSub session; one that fails never stops the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from streamer.errors import LoginError, MissingScope, TwitchError
from streamer.integrations.twitch.helix import Helix
from streamer.integrations.twitch.subscriptions import Subscription, why_unavailable
from streamer.integrations.twitch.tokens import AccessToken
from streamer.lru import LruDict

log = logging.getLogger(__name__)

PATH = "eventsub/subscriptions"


class SessionGone(Exception):
    """The session ended while it was being subscribed to."""


class Subscriber:
    """``active`` holds the types that are subscribed, ``off`` the subscriptions that are not, each with the reason."""

    def __init__(self, helix: Helix) -> None:
        self._helix = helix
        # The sessions of this run, whose leftovers may be removed.
        self._sessions: LruDict[str, None] = LruDict(100)
        self.active: set[str] = set()
        self.off: dict[Subscription, str] = {}

    def add_session(self, session_id: str) -> None:
        """Store the session to which the subscriptions carried over."""
        self._sessions.put(session_id, None)

    def start_session(
        self, wanted: Sequence[Subscription], session_id: str, access: AccessToken, channel_id: str
    ) -> list[Subscription]:
        """Forget the previous session; return the subscriptions that this login allows."""
        self._sessions.put(session_id, None)
        own_login = access.user_id == channel_id
        reasons = {subscription: why_unavailable(subscription, access.scopes, own_login) for subscription in wanted}
        self.active, self.off = set(), {subscription: reason for subscription, reason in reasons.items() if reason}
        return [subscription for subscription in wanted if subscription not in self.off]

    async def create(
        self, wanted: Sequence[Subscription], session_id: str, access: AccessToken, channel_id: str
    ) -> list[Subscription]:
        """Create the first subscription, then the others concurrently; return those that may work later.

        Raises SessionGone or LoginError when only a new session helps.
        """
        retry = [first for first in wanted[:1] if await self._try(first, session_id, access, channel_id)]
        async with asyncio.TaskGroup() as tasks:
            others = {
                other: tasks.create_task(self._try(other, session_id, access, channel_id)) for other in wanted[1:]
            }
        return [*retry, *(other for other, attempt in others.items() if attempt.result())]

    async def _try(self, subscription: Subscription, session_id: str, access: AccessToken, channel_id: str) -> bool:
        """Create one subscription; True when it should be tried again later."""
        condition = subscription.condition(channel_id, access.user_id)
        try:
            await self._create(subscription, condition, session_id)
        except LoginError:
            raise
        except MissingScope as error:
            self.off[subscription] = error.problem
        except TwitchError as error:
            return self._failed(subscription, error)
        else:
            self.active.add(subscription.kind)
            self.off.pop(subscription, None)
        return False

    def _failed(self, subscription: Subscription, error: TwitchError) -> bool:
        if error.status == 400 and "session" in error.problem:
            raise SessionGone(error.problem) from error
        if subscription not in self.off:
            log.warning("twitch: no %s: %s", subscription.kind, error)
        self.off[subscription] = error.problem
        # Limits pass once Twitch has dropped dead sessions; other 4xx answers would only repeat.
        return error.status in (0, 429) or error.status >= 500

    async def _create(self, subscription: Subscription, condition: Mapping[str, str], session_id: str) -> None:
        body = {
            "type": subscription.kind,
            "version": subscription.version,
            "condition": condition,
            "transport": {"method": "websocket", "session_id": session_id},
        }
        try:
            await self._helix.post(PATH, json=body)
        except TwitchError as error:
            if error.status == 409:
                # Left over from a session that ended badly, and would leave this one without events. Twitch returns
                # its id since 2026.
                await self._remove_conflicting(subscription, condition, error.body)
            elif error.status == 429:
                await self._remove_leftovers(session_id)
            else:
                raise
            await self._helix.post(PATH, json=body)

    async def _remove_conflicting(
        self, subscription: Subscription, condition: Mapping[str, str], body: Mapping[str, Any]
    ) -> None:
        data = body.get("data")
        conflicting_id = body.get("id") or (data[0].get("id") if isinstance(data, list) and data else None)
        ids = [str(conflicting_id)] if conflicting_id else []
        if not ids:
            listed = await self._helix.get(PATH, {"type": subscription.kind})
            ids = [str(old["id"]) for old in listed.get("data", ()) if old.get("condition") == dict(condition)]
        for old_id in ids:
            await self._delete(old_id)

    async def _remove_leftovers(self, session_id: str) -> None:
        """Remove the subscriptions of this run's earlier sessions, which count against the limits."""
        listed = await self._helix.get(PATH)
        for old in listed.get("data", ()):
            session = str((old.get("transport") or {}).get("session_id"))
            if session != session_id and session in self._sessions:
                await self._delete(str(old["id"]))

    async def _delete(self, subscription_id: str) -> None:
        try:
            await self._helix.delete(PATH, {"id": subscription_id})
        except TwitchError as error:
            if error.status != 404:  # already gone
                raise
