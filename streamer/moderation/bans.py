"""Who is kept out for a while or for good: by a moderator, or by too many refused texts in a short time."""

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

    limit: int = Field(3, ge=0, description="this many refused texts lead to a ban; 0 never does")
    within_s: float = Field(600.0, gt=0, description="time within which they count")
    ban_s: float = Field(600.0, gt=0, description="how long the ban lasts")


def typed(words: str) -> tuple[str, float | None]:
    """Read what stands behind ``!ban``: whom, and for how many minutes; None is for good."""
    who, _, minutes = words.partition(" ")
    # A number that no clock can hold means for good.
    limit = float(minutes) if minutes.isdecimal() and len(minutes) <= LONGEST_DIGITS else None
    return who.removeprefix("@").casefold(), limit


class Bans:
    """Know who is out, by user id where it is known (an id outlives a rename), else by name."""

    def __init__(self, records: BanRepository, options: StrikeOptions, wall: Callable[[], float] = time.time) -> None:
        self._records, self._options, self._wall = records, options, wall
        self._bans: dict[str, Ban] = {}
        self._strikes: LruDict[str, deque[float]] = LruDict(REMEMBERED)

    async def restore(self) -> None:
        """Take up the bans of earlier runs."""
        self._bans = {ban.who: ban for ban in await self._records.all()}

    def all(self) -> tuple[Ban, ...]:
        """List who is out now."""
        return tuple(ban for ban in self._bans.values() if not self._over(ban))

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Refuse who is out, and say until when; a name that a moderator types never locks the streamer's keys."""
        if not self._bans or request.actor.role >= Role.MODERATOR:
            return None
        actor = request.actor
        # Who is banned by hand may be written in small letters, ids of some platforms are not.
        names = (actor.id, actor.id.casefold(), actor.name.casefold())
        ban = next((self._bans[one] for one in names if one in self._bans), None)
        if ban is None or self._over(ban):
            return None
        if ban.until is None or ban.until == math.inf:
            return Refusal(request.id, "ban", "you cannot ask for pictures here")
        return Refusal(request.id, "ban", f"you can ask again in {math.ceil((ban.until - self._wall()) / 60)} min")

    def ban(self, who: str, name: str, seconds: float | None, reason: str, by: str) -> asyncio.Future[None]:
        """Keep somebody out at once; the result is there when it is written down."""
        now = self._wall()
        ban = Ban(who, name, None if seconds is None else now + seconds, reason, by, now)
        self._bans[who] = ban
        return self._records.put(ban)

    def unban(self, words: str) -> Ban | None:
        """Let in whom the words name by id or name; None when nobody of that name is out."""
        key = words.strip().removeprefix("@").casefold()
        found = next((one for one in self._bans.values() if key in (one.who.casefold(), one.name.casefold())), None)
        if found is not None:
            del self._bans[found.who]
            self._strikes.pop(found.who)
            self._records.delete(found.who)
        return found

    def forget(self, who: str) -> None:
        """Know nothing of somebody any more; their ban goes with the rest of their records."""
        self._bans.pop(who, None)
        self._strikes.pop(who)

    def strike(self, actor: Actor, now: float) -> bool:
        """Count a text that was refused for what it says; tell whether that was one too many."""
        if not self._options.limit or actor.role >= Role.MODERATOR:
            return False
        strikes = self._strikes.get(actor.id) or deque(maxlen=self._options.limit)
        strikes.append(now)
        self._strikes.put(actor.id, strikes)
        if len(strikes) < self._options.limit or strikes[0] < now - self._options.within_s:
            return False
        self._strikes.pop(actor.id)
        self.ban(actor.id, actor.name, self._options.ban_s, "too many refused texts", "strikes")
        return True

    def _over(self, ban: Ban) -> bool:
        return ban.until is not None and ban.until <= self._wall()
