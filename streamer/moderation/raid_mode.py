"""Detects hate raids and applies stricter limits until the chat is calm."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from streamer.lru import LruDict
from streamer.text import match_form
from streamer.types import ImageRequest, Lane, Notice, NoticeKind, Refusal, Role

WINDOW_S = 30.0
LOOK_EVERY_S = 1.0
CROWD = 10
"""Fewer askers than this say nothing about shares."""


class RaidModeOptions(BaseModel):
    """What counts as a raid and what follows; ``raid`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    viewers: int = Field(
        20, ge=0, description="a raid with this many viewers starts it; 0 ignores raids. Shield Mode always starts it"
    )
    newcomers: float = Field(
        0.4,
        gt=0,
        le=1,
        description="share of first-time chatters that starts it, among ten or more people who ask within half a "
        "minute",
    )
    alike: float = Field(0.5, gt=0, le=1, description="share of identical texts among them that starts it")
    blocks: int = Field(3, ge=1, description="number of texts refused for their content within a minute that starts it")
    calm_s: float = Field(120.0, gt=0, description="it ends after this many seconds without any of these")
    everyone_s: float = Field(3.0, ge=0, description="seconds between two requests of the whole chat while it lasts")


@dataclass(frozen=True, slots=True)
class RaidModeChange:
    """Raid mode went on or off; ``text`` says so to people."""

    on: bool
    text: str


class RaidMode:
    """Watch who asks for what. The alarm is a sentence, empty while all is calm; times are monotonic seconds."""

    def __init__(self, options: RaidModeOptions) -> None:
        self._options = options
        # One entry per person, so that one who floods does not push the others out.
        self._asked: LruDict[str, tuple[float, bool, int]] = LruDict(300)
        self._blocks: deque[float] = deque(maxlen=options.blocks)
        self._reason, self._until = "", -math.inf
        self._shield = self._announced = False
        self._looked_at, self._has_news = -math.inf, False
        self._free_at = -math.inf

    def alarm(self, now: float) -> str:
        """Return why the risk is high, empty when it is not."""
        return self._reason if self._shield or now < self._until else ""

    def observe(self, notice: Notice, now: float) -> None:
        """Raise the alarm on a large raid and while Shield Mode is on."""
        if notice.kind is NoticeKind.RAID and 0 < self._options.viewers <= notice.count:
            self._raise(f"a raid of {notice.count}", now)
        elif notice.kind is NoticeKind.SHIELD_ON:
            self._shield = True
            self._raise("Shield Mode is on", now)
        elif notice.kind is NoticeKind.SHIELD_OFF:
            self._shield, self._until = False, now

    def note_request(self, request: ImageRequest, now: float) -> None:
        """Note that a chatter asks for something, whether or not it is admitted."""
        if request.priority is not Lane.CHAT:
            return
        self._asked.put(request.actor.id, (now, request.first_time, hash(match_form(request.text))))
        self._has_news = True
        self._look(now)

    def note_blocked(self, now: float) -> None:
        """Note that a text was refused for what it says."""
        self._blocks.append(now)
        if len(self._blocks) == self._options.blocks and self._blocks[0] > now - 60:
            self._raise(f"{len(self._blocks)} refused texts within a minute", now)

    def objection(self, request: ImageRequest, now: float) -> Refusal | None:
        """Slow all of chat down while the alarm is on; moderators never."""
        if now >= self._free_at or not self._slows(request, now):
            return None
        wait_s = math.ceil(self._free_at - now)
        return Refusal(request.id, "raid", f"chat is very busy, try again in {wait_s} s")

    def note_passed(self, request: ImageRequest, now: float) -> None:
        """Start the wait of the next chatter, now that nothing else objects to this one."""
        if self._slows(request, now):
            self._free_at = now + self._options.everyone_s

    def change(self, now: float) -> RaidModeChange | None:
        """Return a change that is to be announced; each is returned once."""
        self._look(now)
        on = bool(self.alarm(now))
        if on is self._announced:
            return None
        self._announced = on
        return RaidModeChange(on, f"raid mode: {self._reason}" if on else "raid mode is over")

    def wakeup(self) -> float | None:
        """Return when the alarm ends by itself, or when there is something to look at."""
        if self._has_news:
            return self._looked_at + LOOK_EVERY_S
        return self._until if self._announced and not self._shield else None

    def _slows(self, request: ImageRequest, now: float) -> bool:
        return request.priority is Lane.CHAT and request.actor.role < Role.MODERATOR and bool(self.alarm(now))

    def _look(self, now: float) -> None:
        # Once a second is soon enough and cheap in a flood; a burst that is over by then is still looked at.
        if self._has_news and now - self._looked_at >= LOOK_EVERY_S:
            self._has_news, self._looked_at = False, now
            if reason := self._suspicion(now):
                self._raise(reason, now)

    def _raise(self, reason: str, now: float) -> None:
        if not self.alarm(now):
            self._reason = reason
        self._until = max(self._until, now + self._options.calm_s)

    def _suspicion(self, now: float) -> str:
        people = [(first, text) for at, first, text in self._asked.values() if at > now - WINDOW_S]
        if len(people) < CROWD:
            return ""
        if sum(first for first, _ in people) >= self._options.newcomers * len(people):
            return "many first-time chatters"
        ((_, most),) = Counter(text for _, text in people).most_common(1)
        return "many identical requests" if most >= self._options.alike * len(people) else ""
