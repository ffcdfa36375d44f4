"""Finished pictures that wait out of sight for a moderator, or for a few seconds in which a moderator may stop them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from streamer.commands.picture_key import is_shareable, picture_key
from streamer.storage.people import name_key
from streamer.types import Frame, Hold, ImageRequest, Lane, Role, Verdict

# A bare !ok means the only picture that waits. A moderator cannot have looked yet at one that came this moment.
SEEN_AFTER_S = 2.0
# As many as may join a queued request; a raid of one line costs no more memory than that.
FOLLOWERS = 100


class ApprovalMode(StrEnum):
    """Whose pictures wait for a moderator."""

    OFF = "off"
    ON = "on"
    AUTO = "auto"


class ApprovalOptions(BaseModel):
    """When a human looks first; ``approval`` in config.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    mode: ApprovalMode = Field(
        ApprovalMode.AUTO,
        description="off: only the rules decide; on: hold every viewer's picture; auto: hold it when the risk is high",
    )
    first_time: bool = Field(
        True, description="auto: hold the picture if the viewer has never written in this chat before"
    )
    delay_s: float = Field(
        0.0,
        ge=0,
        le=60,
        description="seconds by which viewers' pictures that are not held are delayed, so that !cut can stop them",
    )
    expires_s: float = Field(60.0, gt=0, description="seconds after which a held picture without a decision is refused")
    paid_expires_s: float = Field(
        600.0, gt=0, description="the same for a picture that was paid for, which is then refunded"
    )
    limit: int = Field(
        20,
        ge=1,
        le=100,
        description="how many pictures may be held; beyond that the oldest is refused first, and paid ones last",
    )


@dataclass(frozen=True, slots=True)
class HeldPicture:
    """One picture that waits until ``until`` (monotonic seconds); ``auto_release`` puts it on air by itself then.

    Nothing in it ever changes: whoever approves it approves this picture with this verdict. ``number`` is short to
    type.
    """

    number: int
    request: ImageRequest
    followers: tuple[ImageRequest, ...]
    frame: Frame
    verdict: Verdict
    reason: str
    since: float
    until: float
    auto_release: bool
    draw_s: float
    deciding: bool = False

    @property
    def requests(self) -> tuple[ImageRequest, ...]:
        """Return the request and those who joined it."""
        return (self.request, *self.followers)


class ApprovalQueue:
    """Keep held pictures, oldest first. Each leaves by exactly one of take, take_reserved, drop and expire."""

    def __init__(self, options: ApprovalOptions) -> None:
        self._options = options
        self._numbers = 0
        self._held: dict[str, HeldPicture] = {}

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> tuple[HeldPicture, ...]:
        """Return every held picture, oldest first."""
        return tuple(self._held.values())

    def put(
        self, request: ImageRequest, followers: tuple[ImageRequest, ...], frame: Frame, verdict: Verdict, reason: str,
        now: float, *, auto_release: bool, draw_s: float = 0.0,
    ) -> list[HeldPicture]:  # fmt: skip
        """Hold a picture; return those that have to go because too many are held."""
        wait_s = self._options.delay_s if auto_release else self._expires_s(request)
        self._numbers = self._numbers % 99 + 1
        held = HeldPicture(
            self._numbers, request, followers, frame, verdict, reason, now, now + wait_s, auto_release, draw_s
        )
        self._held[request.id] = held
        # A crowd of newcomers pushes out neither what was paid for nor what goes on air by itself.
        by_worth = sorted(self._held.values(), key=lambda held: held.auto_release or _is_paid(held.request))
        crowded_out = [held for held in by_worth if not held.deciding][: max(0, len(self) - self._options.limit)]
        return [self._held.pop(held.request.id) for held in crowded_out]

    def require_approval(self, held: HeldPicture, now: float) -> HeldPicture:
        """Let a picture that would go on air by itself wait for a moderator instead."""
        reason = "requested before requests were paused or raid mode began"
        until = now + self._expires_s(held.request)
        waiting = replace(held, auto_release=False, reason=reason, since=now, until=until)
        self._held[held.request.id] = waiting
        return waiting

    def join(self, request: ImageRequest) -> HeldPicture | None:
        """Let a request share the result of an equal picture that is held; nobody has to look at it twice."""
        if not is_shareable(request):
            return None
        for held in self._held.values():
            if len(held.followers) < FOLLOWERS and picture_key(held.request) == picture_key(request):
                self._held[held.request.id] = joined = replace(held, followers=(*held.followers, request))
                return joined
        return None

    def find(self, words: str, now: float) -> HeldPicture | None:
        """Find the picture that a moderator means by a number, an id or a name; no words mean the only one."""
        undecided = [held for held in self._held.values() if not held.deciding]
        if key := name_key(words):
            by_kind = [[held for held in undecided if handle(held) == key] for handle in _HANDLES]
            meant = next((found for found in by_kind if found), [])
        else:
            meant = [held for held in undecided if not held.auto_release]
            if any(now - held.since < SEEN_AFTER_S for held in meant):
                return None
        return meant[0] if len(meant) == 1 else None

    def get(self, request_id: str) -> HeldPicture | None:
        """Return the held picture of a request."""
        return self._held.get(request_id)

    def reserve(self, held: HeldPicture) -> HeldPicture | None:
        """Reserve a picture for one decision; None when it has left or somebody else decides already."""
        if self._held.get(held.request.id) is not held or held.deciding:
            return None
        self._held[held.request.id] = reserved = replace(held, deciding=True)
        return reserved

    def take(self, held: HeldPicture) -> bool:
        """Take a picture out; False when it has left meanwhile, for instance because it was retracted."""
        if self._held.get(held.request.id) is not held:
            return False
        del self._held[held.request.id]
        return True

    def take_reserved(self, request_id: str) -> HeldPicture | None:
        """Take out a picture that was reserved for a decision; None when it has left meanwhile."""
        held = self._held.get(request_id)
        return held if held is not None and held.deciding and self.take(held) else None

    def drop(self, matches: Callable[[ImageRequest], bool]) -> list[ImageRequest]:
        """Take out what is retracted, even if somebody is deciding on it; the caller ends the requests."""
        dropped: list[ImageRequest] = []
        for held in self.all():
            left = tuple(follower for follower in held.followers if not matches(follower))
            dropped += [follower for follower in held.followers if matches(follower)]
            if matches(held.request):
                del self._held[held.request.id]
                dropped += [held.request, *left]
            elif left != held.followers:
                self._held[held.request.id] = replace(held, followers=left)
        return dropped

    def due(self, now: float) -> list[HeldPicture]:
        """Return the pictures that go on air by themselves now; they stay until they are taken."""
        return [held for held in self._held.values() if held.auto_release and not held.deciding and held.until <= now]

    def expire(self, now: float) -> list[HeldPicture]:
        """Take out the pictures that waited too long for a moderator."""
        over = [held for held in self.all() if not held.auto_release and not held.deciding and held.until <= now]
        return [self._held.pop(held.request.id) for held in over]

    def wakeup(self) -> float | None:
        """Return when the next picture is due, in monotonic seconds."""
        return min((held.until for held in self._held.values() if not held.deciding), default=None)

    @property
    def delay_s(self) -> float:
        """Return by how many seconds viewers' pictures are delayed."""
        return self._options.delay_s

    def delays(self, request: ImageRequest) -> bool:
        """Tell whether a picture that needs no approval waits some seconds for a moderator to stop it."""
        return self._options.delay_s > 0 and request.actor.role < Role.MODERATOR

    def _expires_s(self, request: ImageRequest) -> float:
        return self._options.paid_expires_s if _is_paid(request) else self._options.expires_s


def _is_paid(request: ImageRequest) -> bool:
    return request.priority is Lane.PAID


# By what a moderator may name a held picture, the surest first.
_HANDLES: tuple[Callable[[HeldPicture], str], ...] = (
    lambda held: str(held.number),
    lambda held: name_key(held.request.id),
    lambda held: name_key(held.request.actor.id),
    lambda held: name_key(held.request.actor.login),
    lambda held: name_key(held.request.actor.name),
)


def approval_hold(request: ImageRequest, options: ApprovalOptions, alarm: str) -> Hold | None:
    """Return why a moderator is to look at a request's picture, None when nobody has to.

    ``alarm`` is why the risk is high now; it may have grown since the request was admitted.
    """
    if request.hold is not None:
        return request.hold
    reason = approval_reason(request, options, alarm)
    return None if reason is None else Hold(request.id, "approval", reason, "approval")


def approval_reason(request: ImageRequest, options: ApprovalOptions, alarm: str) -> str | None:
    """Return why a moderator has to look at a picture, None when nobody has to; ``alarm`` is why the risk is high.

    What moderators and the broadcaster ask for needs no second look.
    """
    trusted = request.actor.role >= Role.MODERATOR or request.priority is Lane.BROADCASTER
    if trusted or options.mode is ApprovalMode.OFF:
        return None
    if options.mode is ApprovalMode.ON:
        return "every picture waits for a moderator"
    if alarm:
        return alarm
    return "the first message in this chat" if options.first_time and request.first_time else None
