"""Notices that a crowd has come to make trouble, tightens by itself and relaxes by itself."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from streamer.lru import LruDict
from streamer.types import ImageRequest, Lane, Notice, NoticeKind, Refusal, Role

WINDOW_S = 30.0
LOOK_EVERY_S = 1.0
CROWD = 10
"""Shares of fewer askers than this say nothing."""


class RaidModeOptions(BaseModel):
    """What counts as a raid and what follows; ``raid`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    viewers: int = Field(
        20,
        ge=0,
        description="a raid of this many viewers starts it at once; 0 ignores raids. Shield Mode always starts it",
    )
    newcomers: float = Field(
        0.4,
        gt=0,
        le=1,
        description="share of first-time chatters, among ten or more people who ask within half a minute, "
        "that starts it",
    )
    alike: float = Field(0.5, gt=0, le=1, description="share of one and the same text among them that starts it")
    blocks: int = Field(3, ge=1, description="number of texts refused for what they say within a minute that starts it")
    calm_s: float = Field(120.0, gt=0, description="it ends when nothing of this happened for so long")
    everyone_s: float = Field(3.0, ge=0, description="seconds between two requests of the whole chat while it lasts")


@dataclass(frozen=True, slots=True)
class RaidModeChange:
    """The alarm was raised (``on``) or is over; ``text`` says it to people."""

    on: bool
    text: str


class RaidMode:
    """Watch who asks what; the alarm is a sentence, empty while all is calm. Times are monotonic seconds."""

    def __init__(self, options: RaidModeOptions) -> None:
        self._options = options
        # One entry a person: whoever floods must not push the others out of sight.
        self._asked: LruDict[str, tuple[float, bool, int]] = LruDict(300)
        self._blocks: deque[float] = deque(maxlen=options.blocks)
        self._why, self._until = "", -math.inf
        self._shield = self._announced = False
        self._looked_at, self._unseen = -math.inf, False
        self._free_at = -math.inf

    def alarm(self, now: float) -> str:
        """Say why the risk is high, or nothing."""
        return self._why if self._shield or now < self._until else ""

    def hear(self, notice: Notice, now: float) -> None:
        """Take a raid or Shield Mode for what it is."""
        if notice.kind is NoticeKind.RAID and 0 < self._options.viewers <= notice.count:
            self._raise(f"a raid of {notice.count}", now)
        elif notice.kind is NoticeKind.SHIELD_ON:
            self._shield = True
            self._raise("Shield Mode is on", now)
        elif notice.kind is NoticeKind.SHIELD_OFF:
            self._shield, self._until = False, now

    def asked(self, request: ImageRequest, now: float) -> None:
        """Note that somebody of chat asks, whatever becomes of it."""
        if request.priority is not Lane.CHAT:
            return
        self._asked.put(request.actor.id, (now, request.first_time, hash(request.text.casefold())))
        self._unseen = True
        self._look(now)

    def blocked(self, now: float) -> None:
        """Note that a text was refused for what it says."""
        self._blocks.append(now)
        if len(self._blocks) == self._options.blocks and self._blocks[0] > now - 60:
            self._raise(f"{len(self._blocks)} refused texts within a minute", now)

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Slow all of chat down while the alarm is on; moderators never."""
        if now >= self._free_at or not self._slows(request, now):
            return None
        wait_s = math.ceil(self._free_at - now)
        return Refusal(request.id, "raid", f"very many are asking, ready again in {wait_s} s")

    def passed(self, request: ImageRequest, now: float) -> None:
        """Let the next one of chat wait, now that nobody else objects to this one."""
        if self._slows(request, now):
            self._free_at = now + self._options.everyone_s

    def turn(self, now: float) -> RaidModeChange | None:
        """Return what is to be announced: each change once."""
        self._look(now)
        on = bool(self.alarm(now))
        if on is self._announced:
            return None
        self._announced = on
        return RaidModeChange(on, f"raid mode: {self._why}" if on else "raid mode is over")

    def wakeup(self) -> float | None:
        """Return when the alarm is over by itself, or when there is something to look at."""
        if self._unseen:
            return self._looked_at + LOOK_EVERY_S
        return self._until if self._announced and not self._shield else None

    def _slows(self, request: ImageRequest, now: float) -> bool:
        return request.priority is Lane.CHAT and request.actor.role < Role.MODERATOR and bool(self.alarm(now))

    def _look(self, now: float) -> None:
        # Once a second is soon enough, and costs a flood nothing; a burst is over by then and still looked at.
        if self._unseen and now - self._looked_at >= LOOK_EVERY_S:
            self._unseen, self._looked_at = False, now
            if why := self._suspicion(now):
                self._raise(why, now)

    def _raise(self, why: str, now: float) -> None:
        if not self.alarm(now):
            self._why = why
        self._until = max(self._until, now + self._options.calm_s)

    def _suspicion(self, now: float) -> str:
        people = [(first, text) for at, first, text in self._asked.values() if at > now - WINDOW_S]
        if len(people) < CROWD:
            return ""
        if sum(first for first, _ in people) >= self._options.newcomers * len(people):
            return "many first-time chatters"
        ((_, most),) = Counter(text for _, text in people).most_common(1)
        return "many ask for the same" if most >= self._options.alike * len(people) else ""
