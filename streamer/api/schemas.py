"""The JSON that goes into and out of the HTTP API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamer.errors import shell_line
from streamer.interfaces import Health, Receipt
from streamer.moderation.approval import HeldPicture
from streamer.pipeline.metrics import Percentiles
from streamer.pipeline.moderator import PersonDecision
from streamer.pipeline.status import ShowStatus
from streamer.storage.bans import Ban
from streamer.text import clean
from streamer.types import Actor, ImageRequest, Role


def _plain(key: str) -> str:
    # Ids appear in addresses and in the log.
    if "/" in key or "\\" in key or " " in key or not key.isprintable():
        raise ValueError("must not contain spaces, slashes or invisible characters")
    return key


Key = AfterValidator(_plain)

ShownActor = Callable[[Actor], Actor]
"""Gives somebody the name and login that may be shown."""


class ActorIn(BaseModel):
    """The person in whose name a trigger comes; the caller's token vouches for it. ``login`` may be left out."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(min_length=1, max_length=64), Key] = "api"
    name: Annotated[str, Field(min_length=1, max_length=64)] = "api"
    login: Annotated[str, Field(max_length=64)] = ""
    role: str = "broadcaster"

    def actor(self, *, vouched: bool = True) -> Actor:
        """Return the actor that the pipeline uses; raise ValueError for an unknown role.

        Unless a moderator's token vouches for the id, it gets a prefix, and there is no login: otherwise the key of a
        deck could get a viewer banned, take their place in the queue, or delete their data.
        """
        if self.role.upper() not in Role.__members__:
            known = ", ".join(role.name.lower() for role in Role)
            raise ValueError(f"actor.role: there is no role '{self.role}'; known: {known}")
        role, name = Role[self.role.upper()], clean(self.name) or "api"
        return Actor(self.id, name, role, clean(self.login)) if vouched else Actor(f"http:{self.id}", name, role)


class TriggerIn(BaseModel):
    """A line that does exactly what a chat line does; with an ``id`` a retry is harmless."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    actor: ActorIn = ActorIn()
    id: Annotated[str, Field(max_length=128), Key] | None = None


class BanIn(BaseModel):
    """Whom to ban: an id, a login or a shown name; without ``minutes`` the ban has no end."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    who: Annotated[str, Field(min_length=1, max_length=64)]
    minutes: Annotated[float | None, Field(gt=0, le=1_000_000)] = None


class PersonOut(BaseModel):
    """Who was meant; ``seen`` is false, and ``who`` what was asked for, if nobody called so has written here yet."""

    who: str
    name: str
    login: str
    seen: bool
    text: str


class ForgottenOut(BaseModel):
    """How many requests of somebody were deleted; ``text`` names the person."""

    requests: int
    text: str


class ReceiptOut(BaseModel):
    """What became of a trigger."""

    id: str
    outcome: str
    rule: str
    reason: str


class ButtonOut(BaseModel):
    """A named trigger: a GET of ``address`` presses it; ``shortcut`` is a command for desktop shortcuts."""

    name: str
    address: str
    shortcut: str


class HealthOut(BaseModel):
    """The state of one part."""

    name: str
    state: str
    detail: str


class RequestOut(BaseModel):
    """A request that waits or is being drawn; ``wait_s`` is in how many seconds it is expected on air."""

    id: str
    command: str
    layer: str
    text: str
    actor: str
    actor_id: str
    login: str
    role: str
    lane: str
    wait_s: float | None = None


class PercentilesOut(BaseModel):
    """Recent durations of one pipeline step, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float


class HeldOut(BaseModel):
    """A held picture; send ``verdict`` to approve it. With ``goes`` it goes on air by itself when the time is up."""

    number: int
    request: RequestOut
    reason: str
    verdict: str
    seconds_left: float
    goes: bool


class BanOut(BaseModel):
    """Somebody who is banned; ``minutes_left`` is null for a ban without end."""

    who: str
    name: str
    login: str
    minutes_left: float | None
    reason: str


class StatusOut(BaseModel):
    """Everything a control panel shows; ``newcomer_waits`` is the wait of a new request in seconds, by layer."""

    version: str
    paused: bool
    panicked: bool
    style: str | None
    generator: HealthOut
    active: Mapping[str, str]
    sources: list[HealthOut]
    pages: int
    drawing: RequestOut | None
    pending: list[RequestOut]
    newcomer_waits: Mapping[str, float] = {}
    on_air: Mapping[str, str | None]
    timings: Mapping[str, PercentilesOut]
    held: list[HeldOut] = []
    alarm: str = ""
    bans: list[BanOut] = []


class StoredRequestOut(BaseModel):
    """A request of the history; times are seconds since the epoch."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    command: str
    layer: str
    text: str
    prompt: str
    width: int
    height: int
    seed: int
    actor_name: str
    asked_at: float
    state: str
    rule: str
    reason: str
    ended_at: float | None
    draw_ms: float | None
    total_ms: float | None


class PictureOut(BaseModel):
    """A picture of the history; its bytes are at /api/v1/pictures/{id}/image."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    layer: str
    media_type: str
    width: int
    height: int
    shown_at: float
    text: str
    actor_name: str


def receipt(value: Receipt) -> ReceiptOut:
    """Convert a receipt."""
    return ReceiptOut(id=value.trigger_id, outcome=value.outcome, rule=value.rule, reason=value.reason)


def button(name: str, url: str, token: str) -> ButtonOut:
    """Build the two ways to press a named trigger: an address, and a command for desktop shortcuts.

    ``url`` leads to the program; a name may contain whatever means something in an address or a shell.
    """
    address = f"{url}/trigger/{quote(name, safe='')}"
    shortcut = ["curl", "-s", "-X", "POST", "-H", f"Authorization: Bearer {token}", address]
    return ButtonOut(name=name, address=f"{address}?token={quote(token, safe='')}", shortcut=shell_line(shortcut))


def health(value: Health) -> HealthOut:
    """Convert the health of a part."""
    return HealthOut(name=value.name, state=str(value.state), detail=value.detail)


def request(value: ImageRequest, shown: ShownActor, wait_s: float | None = None) -> RequestOut:
    """Convert a waiting request, under the name that may be shown of whoever asked."""
    actor = shown(value.actor)
    return RequestOut(
        id=value.id, command=value.command, layer=value.layer, text=value.text, actor=actor.name,
        actor_id=actor.id,
        login=actor.login,
        role=actor.role.name.lower(), lane=value.priority.name.lower(),
        wait_s=wait_s,
    )  # fmt: skip


def percentiles(value: Percentiles) -> PercentilesOut:
    """Convert the durations of one pipeline step."""
    return PercentilesOut(count=value.count, p50=value.p50, p95=value.p95, p99=value.p99)


def held(value: HeldPicture, shown: ShownActor, now: float) -> HeldOut:
    """Convert a held picture, without its bytes; ``now`` is time.monotonic() seconds."""
    return HeldOut(
        number=value.number, request=request(value.request, shown), reason=value.reason, verdict=value.verdict.id,
        seconds_left=max(0.0, value.until - now), goes=value.auto_release,
    )  # fmt: skip


def person(decision: PersonDecision, who: str) -> PersonOut:
    """Convert a decision about a person; ``who`` is what was asked for."""
    if not decision.people:
        return PersonOut(who=who, name=who, login="", seen=False, text=decision.text)
    (actor,) = decision.people
    return PersonOut(who=actor.id, name=actor.name, login=actor.login, seen=True, text=decision.text)


def bans(values: Iterable[Ban], now: float) -> list[BanOut]:
    """Convert the bans; ``now`` is seconds since the epoch."""
    return [
        BanOut(who=ban.who, name=ban.name, login=ban.login, reason=ban.reason,
               minutes_left=None if ban.until is None else max(0.0, ban.until - now) / 60)
        for ban in values
    ]  # fmt: skip


def status(state: ShowStatus, version: str, shown: ShownActor) -> StatusOut:
    """Convert the status of the whole show; ``shown`` gives people the names under which they may be seen."""
    return StatusOut(
        version=version,
        paused=state.paused,
        panicked=state.panicked,
        style=state.style,
        generator=health(state.generator),
        active=state.active,
        sources=[health(source) for source in state.sources],
        pages=state.pages,
        drawing=request(state.drawing, shown) if state.drawing else None,
        pending=[request(waiting, shown, state.waits[waiting.id]) for waiting in state.pending],
        newcomer_waits=state.newcomer_waits,
        on_air=state.on_air,
        timings={step: percentiles(durations) for step, durations in state.timings.items()},
        held=[held(picture, shown, time.monotonic()) for picture in state.held],
        alarm=state.alarm,
        bans=bans((_under_shown_name(ban, shown) for ban in state.bans), time.time()),
    )


def _under_shown_name(ban: Ban, shown: ShownActor) -> Ban:
    actor = shown(Actor(ban.who, ban.name, Role.VIEWER, ban.login))
    return replace(ban, name=actor.name, login=actor.login)
