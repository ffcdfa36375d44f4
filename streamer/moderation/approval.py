"""Finished pictures that wait out of sight: for a moderator, or for a few seconds in which anybody may stop them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from streamer.types import Frame, ImageRequest, Lane, Role, Verdict, is_shareable, picture_key

# A bare !ok means the one picture that waits. One that came this moment cannot be the one a moderator has looked at.
SEEN_AFTER_S = 2.0
# As many as may join one that waits to be drawn; a raid of one line costs no more memory than that.
FOLLOWERS = 100


class ApprovalOptions(BaseModel):
    """When a human looks first; ``approval`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mode: Literal["off", "on", "auto"] = Field(
        "auto",
        description="off: rules alone decide; on: every viewer's picture waits; auto: it waits when the risk is high",
    )
    first_time: bool = Field(True, description="auto: hold what people ask for who never wrote in this chat before")
    delay_s: float = Field(
        0.0, ge=0, le=60, description="seconds that every other viewer's picture waits, so that !cut can stop it"
    )
    expires_s: float = Field(60.0, gt=0, description="a held picture that nobody decides on is refused after this")
    paid_expires_s: float = Field(
        600.0, gt=0, description="the same for a picture that was paid for; it is refunded then"
    )
    limit: int = Field(
        20,
        ge=1,
        le=100,
        description="how many pictures may be held; the oldest goes first, and those that were paid for last",
    )


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """One picture that waits; ``goes`` tells that it goes on air by itself at ``until`` (monotonic seconds).

    Nothing in it ever changes: who approves it approves this picture with this verdict. ``number`` is short to type.
    """

    number: int
    request: ImageRequest
    followers: tuple[ImageRequest, ...]
    frame: Frame
    verdict: Verdict
    reason: str
    since: float
    until: float
    goes: bool
    draw_s: float
    deciding: bool = False

    @property
    def requests(self) -> tuple[ImageRequest, ...]:
        """Return the request and those who joined it."""
        return (self.request, *self.followers)


class ApprovalQueue:
    """Keep what is held, oldest first. Every item leaves by exactly one of take, drop and expire."""

    def __init__(self, options: ApprovalOptions) -> None:
        self._options = options
        self._numbers = 0
        self._held: dict[str, HeldPicture] = {}

    def __len__(self) -> int:
        return len(self._held)

    def waiting(self) -> tuple[HeldPicture, ...]:
        """Return what waits, oldest first."""
        return tuple(self._held.values())

    def put(
        self, request: ImageRequest, followers: tuple[ImageRequest, ...], frame: Frame, verdict: Verdict, reason: str,
        now: float, *, goes: bool, draw_s: float = 0.0,
    ) -> list[HeldPicture]:  # fmt: skip
        """Keep a picture back; return who has to go because too many wait."""
        wait_s = self._options.delay_s if goes else self._patience_s(request)
        self._numbers = self._numbers % 99 + 1
        held = HeldPicture(self._numbers, request, followers, frame, verdict, reason, now, now + wait_s, goes, draw_s)
        self._held[request.id] = held
        # A crowd of newcomers costs nobody points that were paid, or a picture that goes on air by itself.
        waiting = sorted(self._held.values(), key=lambda one: one.goes or one.request.priority is Lane.PAID)
        crowded = [one for one in waiting if not one.deciding][: max(0, len(self) - self._options.limit)]
        return [self._held.pop(one.request.id) for one in crowded]

    def keep(self, held: HeldPicture, now: float) -> None:
        """Let what would go on air by itself wait for a human instead."""
        reason = "came in before it was paused or risky"
        until = now + self._patience_s(held.request)
        self._held[held.request.id] = replace(held, goes=False, reason=reason, since=now, until=until)

    def join(self, request: ImageRequest) -> HeldPicture | None:
        """Let a request share the fate of the same picture, if that waits here; nobody has to look at it twice."""
        for one in self._held.values():
            if (
                is_shareable(request)
                and len(one.followers) < FOLLOWERS
                and picture_key(one.request) == picture_key(request)
            ):
                self._held[one.request.id] = joined = replace(one, followers=(*one.followers, request))
                return joined
        return None

    def find(self, words: str, now: float) -> HeldPicture | None:
        """Find what a moderator means: a number, an id, a name, or nothing when only one can be meant."""
        key = words.strip().removeprefix("@").casefold()
        waiting = [one for one in self._held.values() if not one.deciding]
        if key:
            meant = [one for one in waiting if key in _handles(one)]
        else:
            meant = [one for one in waiting if not one.goes]
            if any(now - one.since < SEEN_AFTER_S for one in meant):
                return None
        return meant[0] if len(meant) == 1 else None

    def get(self, request_id: str) -> HeldPicture | None:
        """Return what waits under this request's id."""
        return self._held.get(request_id)

    def decide(self, held: HeldPicture) -> HeldPicture | None:
        """Reserve an item for the one who decides on it; None when it has left or somebody else decides already."""
        if self._held.get(held.request.id) is not held or held.deciding:
            return None
        self._held[held.request.id] = reserved = replace(held, deciding=True)
        return reserved

    def take(self, held: HeldPicture) -> bool:
        """Take an item out; False when it has left meanwhile: it was taken back while its verdict was written."""
        if self._held.get(held.request.id) is not held:
            return False
        del self._held[held.request.id]
        return True

    def drop(self, matches: Callable[[ImageRequest], bool]) -> list[ImageRequest]:
        """Take out what is taken back, even if somebody is deciding on it; the caller ends the requests."""
        dropped: list[ImageRequest] = []
        for one in list(self._held.values()):
            dropped += [follower for follower in one.followers if matches(follower)]
            if matches(one.request):
                del self._held[one.request.id]
                dropped += [one.request, *(follower for follower in one.followers if not matches(follower))]
            else:
                left = tuple(follower for follower in one.followers if not matches(follower))
                if left != one.followers:
                    self._held[one.request.id] = replace(one, followers=left)
        return dropped

    def due(self, now: float) -> list[HeldPicture]:
        """Return what goes on air by itself now; it stays until it is taken."""
        return [one for one in self._held.values() if one.goes and not one.deciding and one.until <= now]

    def expire(self, now: float) -> list[HeldPicture]:
        """Take out what waited too long for a human."""
        over = [one for one in self._held.values() if not one.goes and not one.deciding and one.until <= now]
        return [self._held.pop(one.request.id) for one in over]

    def _patience_s(self, request: ImageRequest) -> float:
        return self._options.paid_expires_s if request.priority is Lane.PAID else self._options.expires_s

    def wakeup(self) -> float | None:
        """Return when something is due next, in monotonic seconds."""
        return min((one.until for one in self._held.values() if not one.deciding), default=None)


def _handles(held: HeldPicture) -> tuple[str, ...]:
    actor = held.request.actor
    return str(held.number), held.request.id.casefold(), actor.name.casefold(), actor.id.casefold()


def approval_reason(request: ImageRequest, options: ApprovalOptions, alarm: str) -> str | None:
    """Say why a request needs a human's look, None when it needs none; ``alarm`` is why the risk is high now.

    Moderators and the streamer are humans who look.
    """
    if request.actor.role >= Role.MODERATOR or request.priority is Lane.BROADCASTER or options.mode == "off":
        return None
    if options.mode == "on":
        return "every picture waits for a moderator"
    if alarm:
        return alarm
    return "the first message in this chat" if options.first_time and request.first_time else None
