"""Who is banned, for a while or for good: by a moderator, or by too many refused texts in a short time."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from streamer.lru import LruDict
from streamer.storage.bans import Ban, BanRepository
from streamer.types import Actor, ImageRequest, Refusal, Role

REMEMBERED = 10_000
LONGEST_DIGITS = 6


class StrikeOptions(BaseModel):
    """When refused texts lead to a ban by themselves; ``strikes`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    limit: int = Field(3, ge=0, description="this many refused texts lead to a ban; 0: never ban")
    within_s: float = Field(600.0, gt=0, description="seconds within which they count")
    ban_s: float = Field(600.0, gt=0, description="length of the ban in seconds")


def parse_ban(words: str) -> tuple[str, float | None]:
    """Parse what follows ``!ban``: a name, and for how many minutes; None means for good."""
    name, _, minutes = words.partition(" ")
    # A number that no clock can hold means for good.
    limit = float(minutes) if minutes.isdecimal() and len(minutes) <= LONGEST_DIGITS else None
    return name.removeprefix("@").casefold(), limit


class Bans:
    """Know who is banned, by user id where it is known (an id outlives a rename), else by name."""

    def __init__(self, repository: BanRepository, wall: Callable[[], float] = time.time) -> None:
        self._repository, self._wall = repository, wall
        self._bans: dict[str, Ban] = {}

    async def restore(self) -> None:
        """Load the bans of earlier runs."""
        self._bans = {ban.who: ban for ban in await self._repository.all()}

    def all(self) -> tuple[Ban, ...]:
        """Return the bans that hold now."""
        return tuple(ban for ban in self._bans.values() if not self._is_over(ban))

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse whoever is banned, and say until when; a name that a moderator types never locks out the streamer."""
        if not self._bans or request.actor.role >= Role.MODERATOR:
            return None
        actor = request.actor
        # A ban by hand may have been typed in small letters; the ids of some platforms have capitals.
        keys = (actor.id, actor.id.casefold(), actor.name.casefold())
        ban = next((self._bans[key] for key in keys if key in self._bans), None)
        if ban is None or self._is_over(ban):
            return None
        if ban.until is None or ban.until == math.inf:
            return Refusal(request.id, "ban", "you cannot ask for pictures here")
        return Refusal(request.id, "ban", f"you can ask again in {math.ceil((ban.until - self._wall()) / 60)} min")

    def ban(self, who: str, name: str, seconds: float | None, reason: str, by: str) -> asyncio.Future[None]:
        """Ban somebody at once; the returned future is done when the ban is written down."""
        now = self._wall()
        ban = Ban(who, name, None if seconds is None else now + seconds, reason, by, now)
        self._bans[who] = ban
        return self._repository.put(ban)

    def unban(self, name_or_id: str) -> Ban | None:
        """Lift the ban of somebody; None when nobody of that name or id is banned."""
        key = name_or_id.strip().removeprefix("@").casefold()
        found = next((ban for ban in self._bans.values() if key in (ban.who.casefold(), ban.name.casefold())), None)
        if found is not None:
            del self._bans[found.who]
            self._repository.delete(found.who)
        return found

    def forget(self, who: str) -> None:
        """Drop a ban from memory; its row goes with the rest of the person's records."""
        self._bans.pop(who, None)

    def _is_over(self, ban: Ban) -> bool:
        return ban.until is not None and ban.until <= self._wall()


class Strikes:
    """Count texts that were refused for what they say; too many in a short time are a ban."""

    def __init__(self, options: StrikeOptions, bans: Bans) -> None:
        self._options, self._bans = options, bans
        self._times: LruDict[str, deque[float]] = LruDict(REMEMBERED)

    def add(self, actor: Actor, now: float) -> bool:
        """Count one; True when it was one too many, and the actor is banned."""
        if not self._options.limit or actor.role >= Role.MODERATOR:
            return False
        times = self._times.get(actor.id) or deque(maxlen=self._options.limit)
        times.append(now)
        self._times.put(actor.id, times)
        if len(times) < self._options.limit or times[0] < now - self._options.within_s:
            return False
        self._times.pop(actor.id)
        self._bans.ban(actor.id, actor.name, self._options.ban_s, "too many refused texts", "strikes")
        return True

    def forget(self, actor_id: str) -> None:
        """Count anew."""
        self._times.pop(actor_id)
