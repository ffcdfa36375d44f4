"""Who follows the channel: followers wear no badge, so the API is asked, once a person and never in chat's way."""

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

WAIT_S = 1.0
"""How long a line may wait for the answer; after that its author counts as a viewer."""
KEPT_S = 3600.0
STRANGER_S = 120.0
"""Somebody who does not follow may begin to at any time."""
AT_MOST, PER_S = 120, 60.0
UNDER_WAY = 8


class FollowerLookup:
    """Answers by user id, kept for a time; ``tasks`` are the lines that wait for their author to be looked up."""

    def __init__(self, helix: Helix, wait_s: float = WAIT_S) -> None:
        self._helix, self._wait_s = helix, wait_s
        self._channel_id = ""
        self._known: LruDict[str, tuple[bool, float]] = LruDict(20_000)
        self._asked: deque[float] = deque(maxlen=AT_MOST)
        self.tasks: set[asyncio.Task[None]] = set()

    def channel(self, channel_id: str) -> None:
        """Say whose followers are meant; before that everybody is a viewer."""
        self._channel_id = channel_id

    def saw(self, user_id: str, now: float) -> None:
        """Note that somebody has begun to follow."""
        self._known.put(user_id, (True, now))

    def follows(self, user_id: str, now: float) -> bool | None:
        """Tell what is known; None when nothing is, or what was known is too old."""
        known = self._known.get(user_id)
        if known is None or now - known[1] > (KEPT_S if known[0] else STRANGER_S):
            return None
        return known[0]

    async def pass_on(self, trigger: Trigger, out: asyncio.Queue[SourceEvent]) -> None:
        """Put a trigger out with its author's role: at once when that is known, else when Twitch has said it."""
        now = time.monotonic()
        follows = self.follows(trigger.actor.id, now)
        if trigger.actor.role is not Role.VIEWER or follows is False or not self._may_ask(now, follows):
            await out.put(trigger)
        elif follows:
            await out.put(_follower(trigger))
        else:
            self._asked.append(now)
            looking = asyncio.create_task(self._look_up(trigger, out), name="twitch-follower")
            self.tasks.add(looking)
            looking.add_done_callback(self.tasks.discard)

    def _may_ask(self, now: float, follows: bool | None) -> bool:
        if follows is not None:
            return True
        full = len(self._asked) == AT_MOST and now - self._asked[0] < PER_S
        return bool(self._channel_id) and not full and len(self.tasks) < UNDER_WAY

    async def _look_up(self, trigger: Trigger, out: asyncio.Queue[SourceEvent]) -> None:
        user_id = trigger.actor.id
        try:
            async with asyncio.timeout(self._wait_s):
                asked = {"broadcaster_id": self._channel_id, "user_id": user_id}
                found = (await self._helix.get("channels/followers", asked)).get("data")
            self._known.put(user_id, (bool(found), time.monotonic()))
        except (TimeoutError, TwitchError):
            found = None
        await out.put(_follower(trigger) if found else trigger)


def _follower(trigger: Trigger) -> Trigger:
    return replace(trigger, actor=replace(trigger.actor, role=Role.FOLLOWER))
