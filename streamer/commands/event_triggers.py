"""What happens on a platform besides chat (a cheer, a subscription, a raid) may type a line: which, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from streamer.lru import LruDict
from streamer.types import Actor, Notice, NoticeKind, Role, Trigger

SOURCE = "events"
SAME_S = 60.0
"""Twitch tells of one subscription by up to three events; this long they count as one."""
REMEMBERED = 5000
BOUGHT = ("cheer", "subscription", "gift")


class EventTrigger(BaseModel):
    """One entry of ``events``: what has to happen, how much of it, and the line that it types."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    event: Literal["cheer", "subscription", "gift", "raid", "follow"] = Field(description="what happens")
    least: int = Field(1, ge=1, description="bits, months, gifts or viewers; the entry with the highest that fits wins")
    command: str = Field(min_length=1, description="line to type; {text}, {name} and {count} may stand in it")
    paid: bool | None = Field(None, description="waits in the lane of those who paid; null: cheers, subs and gifts do")


class EventTriggers:
    """The table, and who was served already."""

    def __init__(self, table: Sequence[EventTrigger], prefix: str = "!") -> None:
        self._table = sorted(table, key=lambda one: -one.least)
        self._prefix = prefix
        self._served: LruDict[tuple[str, str, int], float] = LruDict(REMEMBERED)
        self._number = 0

    def trigger(self, notice: Notice) -> Trigger | None:
        """Say what a notice types; None when it types nothing."""
        kind, count = notice.kind.value, max(1, notice.count)
        found = next((one for one in self._table if one.event == kind and count >= one.least), None)
        if found is None or notice.text.lstrip().startswith(self._prefix):
            # Whoever cheers with a command gets what it says; that came as a chat line.
            return None
        actor = notice.actor or Actor("anonymous", "somebody", Role.VIEWER)
        if notice.actor is not None and self._is_repeated(kind, actor, count, notice.at):
            return None
        self._number += 1
        paid = kind in BOUGHT if found.paid is None else found.paid
        trigger_id = f"{kind}-{actor.id}-{notice.at:.3f}-{self._number}"
        return Trigger(trigger_id, SOURCE, _filled(found.command, notice, actor, count), actor, notice.at, paid)

    def _is_repeated(self, kind: str, actor: Actor, count: int, now: float) -> bool:
        key = (kind, actor.id, count)
        before = self._served.get(key)
        self._served.put(key, now)
        # Following and unfollowing again and again earns one picture.
        return before is not None and (kind == NoticeKind.FOLLOW or now - before < SAME_S)


def _filled(line: str, notice: Notice, actor: Actor, count: int) -> str:
    # The bar parts the lines of a caption: what viewers write must not move them.
    values = {"{text}": notice.text, "{name}": actor.name, "{count}": str(count)}
    for place, value in values.items():
        line = line.replace(place, value.replace("|", " ").replace("{", "(").replace("}", ")"))
    return line
