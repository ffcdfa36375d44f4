"""Automations: which named trigger runs when an event happens (`when` in config.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.commands.named_triggers import SCENE, _occasion
from streamer.types import Notice, NoticeKind

Automations = Mapping[Annotated[str, AfterValidator(_occasion)], Annotated[str, Field(min_length=1)]]
"""What is pressed when something happens: a kind of notice, or ``scene NAME``."""


def automation_for(when: Mapping[str, str], notice: Notice) -> str | None:
    """Return what to press on a notice; a scene's own entry comes before the one for every scene."""
    own = when.get(SCENE + notice.text) if notice.kind is NoticeKind.SCENE else None
    return own or when.get(notice.kind.value)
