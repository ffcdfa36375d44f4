"""Who is banned, for a while or for good: by a moderator, or by too many refused texts in a short time."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from streamer.lru import LruDict
from streamer.storage.bans import Ban, BanRepository
from streamer.storage.people import keys_of, name_key
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
    name, _, minutes = words.strip().partition(" ")
    # A number that no clock can hold means for good.
    limit = float(minutes) if minutes.isdecimal() and len(minutes) <= LONGEST_DIGITS else None
    return name, limit


class Bans:
    """Know who is banned: by user id where it is known (an id outlives a rename), else by whatever was typed."""

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
        ban = self.of(request.actor)
        if ban is None or self._is_over(ban):
            return None
        self._bind(ban, request.actor)
        if ban.until is None or ban.until == math.inf:
            return Refusal(request.id, "ban", "you cannot ask for pictures here")
        return Refusal(request.id, "ban", f"you can ask again in {math.ceil((ban.until - self._wall()) / 60)} min")

    def of(self, actor: Actor) -> Ban | None:
        """Return the ban that means somebody, also one that is over."""
        if (bound := self._bans.get(actor.id)) is not None:
            return bound
        by_name = (self._bans.get(key) for key in keys_of(actor))
        return next((ban for ban in by_name if ban is not None and not ban.seen), None)

    def named(self, words: str) -> tuple[Ban, ...]:
        """Return the bans that an id, a login or a shown name means: several if people share a shown name."""
        key, bans = name_key(words), tuple(self._bans.values())
        by_kind = (
            [ban for ban in bans if key == name_key(ban.who)], [ban for ban in bans if key == name_key(ban.login)],
            [ban for ban in bans if key == name_key(ban.name)],
        )  # fmt: skip
        return tuple(next((found for found in by_kind if found), ()))

    def ban(self, actor: Actor, seconds: float | None, reason: str, by: str) -> asyncio.Future[None]:
        """Ban somebody who has written here; the returned future is done when the ban is written down."""
        return self._put(actor.id, actor.name, seconds, reason, by, login=actor.login, seen=True)

    def ban_name(self, words: str, seconds: float | None, by: str) -> asyncio.Future[None]:
        """Ban whoever comes with an id, a login or a shown name; the future is done when this is written down."""
        return self._put(name_key(words), name_key(words), seconds, "", by)

    def lift(self, ban: Ban) -> None:
        """Let somebody ask again."""
        del self._bans[ban.who]
        self._repository.delete(ban.who)

    def forget(self, actor_id: str, names: Collection[str] = ()) -> None:
        """Drop bans from memory; their rows go with the rest of the person's records."""
        for who in (actor_id, *map(name_key, names)):
            self._bans.pop(who, None)

    def _put(
        self, who: str, name: str, seconds: float | None, reason: str, by: str, *, login: str = "", seen: bool = False
    ) -> asyncio.Future[None]:
        now = self._wall()
        ban = Ban(who, name, None if seconds is None else now + seconds, reason, by, now, login, seen)
        self._bans[who] = ban
        return self._repository.put(ban)

    def _bind(self, ban: Ban, actor: Actor) -> None:
        """Let a ban by login hold for the person who came with it, whatever they are called later."""
        if not ban.seen and actor.login and ban.who == name_key(actor.login):
            self.lift(ban)
            bound = replace(ban, who=actor.id, name=actor.name, login=actor.login, seen=True)
            self._bans[actor.id] = bound
            self._repository.put(bound)

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
        self._bans.ban(actor, self._options.ban_s, "too many refused texts", "strikes")
        return True

    def forget(self, actor_id: str) -> None:
        """Count anew."""
        self._times.pop(actor_id)
