"""Automations: which named trigger runs when an event happens (`when` in config.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.types import Notice, NoticeKind

_SCENE_PREFIX = "scene "


def _checked_event(event: str) -> str:
    kinds = [kind.value for kind in NoticeKind]
    is_scene = event.startswith(_SCENE_PREFIX) and event.removeprefix(_SCENE_PREFIX).strip() != ""
    if event not in kinds and not is_scene:
        raise ValueError(f"unknown event '{event}'; use one of {', '.join(kinds)}, or scene NAME")
    return event


Automations = Mapping[Annotated[str, AfterValidator(_checked_event)], Annotated[str, Field(min_length=1)]]
"""From a kind of notice, or ``scene NAME``, to the named trigger or the line that it runs."""


def automation_for(automations: Mapping[str, str], notice: Notice) -> str | None:
    """Return what a notice runs; the entry of one scene comes before the entry of every scene."""
    of_this_scene = automations.get(_SCENE_PREFIX + notice.text) if notice.kind is NoticeKind.SCENE else None
    return of_this_scene or automations.get(notice.kind.value)
