"""Event triggers: a cheer, a subscription or a raid types a line (`events` in config.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.commands.choices import one_of
from streamer.lru import LruDict
from streamer.text import clean, match_form
from streamer.types import Actor, Notice, NoticeKind, Role, Trigger

SOURCE = "events"
DUPLICATE_WITHIN_S = 60.0
"""Twitch reports one subscription by up to three events; within this time they count as one."""
REMEMBERED = 5000
PAID = (NoticeKind.CHEER, NoticeKind.SUBSCRIPTION, NoticeKind.GIFT)
_HARMLESS = str.maketrans("|｜{}", "  ()")


class EventTrigger(BaseModel):
    """One entry of ``events``: what has to happen, how much of it, and the line that it types."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    event: Annotated[NoticeKind, *one_of((*PAID, NoticeKind.RAID, NoticeKind.FOLLOW))] = Field(
        description="cheer, subscription, gift, raid or follow"
    )
    least: int = Field(
        1,
        ge=1,
        description="minimum number of bits, months, gifts or viewers; if several entries match, the highest "
        "minimum wins",
    )
    command: str = Field(
        min_length=1, description="line to type; {text} is the message, {name} the person, {count} the amount"
    )
    paid: bool | None = Field(
        None, description="true: queue with the paid requests; null: only cheers, subscriptions and gifts"
    )


class EventTriggers:
    """The table of events, and which events it has served already."""

    def __init__(self, table: Sequence[EventTrigger], prefix: str = "!") -> None:
        self._table = sorted(table, key=lambda entry: -entry.least)
        self._prefix = match_form(clean(prefix))
        self._served: LruDict[tuple[NoticeKind, str, int], float] = LruDict(REMEMBERED)
        self._count = 0

    def trigger_for(self, notice: Notice) -> Trigger | None:
        """Return the line that a notice types; None if it types nothing."""
        kind, count = notice.kind, max(1, notice.count)
        entry = next((entry for entry in self._table if entry.event is kind and count >= entry.least), None)
        if entry is None or match_form(clean(notice.text).partition(" ")[0]).startswith(self._prefix):
            # A cheer with a command in it came as a chat line, too, and that line is the trigger.
            return None
        actor = notice.actor or Actor("anonymous", "somebody", Role.VIEWER)
        if notice.actor is not None and self._is_repeated(kind, actor, count, notice.at):
            return None
        self._count += 1
        paid = kind in PAID if entry.paid is None else entry.paid
        trigger_id = f"{kind}-{actor.id}-{notice.at:.3f}-{self._count}"
        return Trigger(trigger_id, SOURCE, _fill(entry.command, notice, actor, count), actor, notice.at, paid)

    def _is_repeated(self, kind: NoticeKind, actor: Actor, count: int, now: float) -> bool:
        key = (kind, actor.id, count)
        before = self._served.get(key)
        self._served.put(key, now)
        # Following and unfollowing again and again earns one picture.
        return before is not None and (kind is NoticeKind.FOLLOW or now - before < DUPLICATE_WITHIN_S)


def _fill(line: str, notice: Notice, actor: Actor, count: int) -> str:
    # A bar separates the lines of a caption and braces mark a place: viewers' text must not add either.
    values = {"{text}": notice.text, "{name}": actor.name, "{count}": str(count)}
    for place, value in values.items():
        line = line.replace(place, value.translate(_HARMLESS))
    return line
