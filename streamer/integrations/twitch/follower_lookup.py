"""Looks up who follows the channel: followers wear no badge, so each person costs an API call, made beside the chat."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import replace

from streamer.errors import TwitchError
from streamer.integrations.twitch.helix import Helix
from streamer.interfaces import SourceEvent
from streamer.lru import LruDict
from streamer.types import Role, Trigger

TIMEOUT_S = 1.0
"""How long a message may wait for the answer; after that its author counts as a viewer."""
FOLLOWER_TTL_S = 3600.0
NON_FOLLOWER_TTL_S = 120.0
"""Shorter: somebody who does not follow may start at any time."""
MAX_LOOKUPS, PER_S = 120, 60.0
MAX_CONCURRENT = 8


class FollowerLookup:
    """Caches answers by user id; ``tasks`` are the messages that wait for the look-up of their author."""

    def __init__(self, helix: Helix, timeout_s: float = TIMEOUT_S) -> None:
        self._helix, self._timeout_s = helix, timeout_s
        self._channel_id = ""
        self._cache: LruDict[str, tuple[bool, float]] = LruDict(20_000)
        self._lookups: deque[float] = deque(maxlen=MAX_LOOKUPS)
        self.tasks: set[asyncio.Task[None]] = set()

    def set_channel(self, channel_id: str) -> None:
        """Set the channel whose followers count; until then nobody is looked up."""
        self._channel_id = channel_id

    def add(self, user_id: str, now: float) -> None:
        """Store that a user follows now."""
        self._cache.put(user_id, (True, now))

    def follows(self, user_id: str, now: float) -> bool | None:
        """Return the cached answer; None when there is none or it is too old."""
        cached = self._cache.get(user_id)
        if cached is None or now - cached[1] > (FOLLOWER_TTL_S if cached[0] else NON_FOLLOWER_TTL_S):
            return None
        return cached[0]

    async def pass_on(self, trigger: Trigger, out: asyncio.Queue[SourceEvent]) -> None:
        """Put a trigger out with its author's role: at once when the role is known, else after the look-up."""
        now = time.monotonic()
        follows = self.follows(trigger.actor.id, now)
        if trigger.actor.role is not Role.VIEWER or follows is False or not self._may_look_up(now, follows):
            await out.put(trigger)
        elif follows:
            await out.put(_as_follower(trigger))
        else:
            self._lookups.append(now)
            task = asyncio.create_task(self._look_up(trigger, out), name="twitch-follower")
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _may_look_up(self, now: float, follows: bool | None) -> bool:
        if follows is not None:
            return True
        full = len(self._lookups) == MAX_LOOKUPS and now - self._lookups[0] < PER_S
        return bool(self._channel_id) and not full and len(self.tasks) < MAX_CONCURRENT

    async def _look_up(self, trigger: Trigger, out: asyncio.Queue[SourceEvent]) -> None:
        user_id = trigger.actor.id
        try:
            async with asyncio.timeout(self._timeout_s):
                params = {"broadcaster_id": self._channel_id, "user_id": user_id}
                follows = bool((await self._helix.get("channels/followers", params)).get("data"))
            self._cache.put(user_id, (follows, time.monotonic()))
        except (TimeoutError, TwitchError):
            follows = False
        await out.put(_as_follower(trigger) if follows else trigger)


def _as_follower(trigger: Trigger) -> Trigger:
    return replace(trigger, actor=replace(trigger.actor, role=Role.FOLLOWER))
