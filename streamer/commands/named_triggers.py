"""Named triggers: what a hotkey, a deck button, a pad or an automation does (`named_triggers` in config.yaml)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from streamer.commands.choices import one_of
from streamer.types import Actor, KeyPress, Role, StageAction, StageCommand, Trigger

PRESSABLE = (
    StageAction.UNDO, StageAction.REDO, StageAction.CLEAR, StageAction.PAUSE, StageAction.RESUME, StageAction.PANIC,
    StageAction.NEXT, StageAction.FREE, StageAction.WARM, StageAction.CUT,
)  # fmt: skip
"""Actions that need no further words; each is a name as well, unless config.yaml gives that name another meaning."""

SAME_PRESS_S = 0.15
"""A second press of a name within this time is the same press: decks send twice, pads bounce."""

# Doing these twice is doing them once, so no press of them is taken for a bounce.
_IDEMPOTENT = frozenset({
    StageAction.CLEAR, StageAction.PANIC, StageAction.RESUME, StageAction.NEXT, StageAction.WARM, StageAction.CUT,
})  # fmt: skip


class TypingKind(StrEnum):
    """How a named trigger chooses the line that it types."""

    COMMAND = "command"
    PROMPT = "prompt"
    RANDOM = "random"
    CYCLE = "cycle"


_Kind = TypingKind | StageAction
_REQUIRED: Mapping[_Kind, str] = {
    TypingKind.COMMAND: "line", TypingKind.PROMPT: "prompt", TypingKind.RANDOM: "lines", TypingKind.CYCLE: "lines"
}  # fmt: skip
_OPTIONAL: Mapping[_Kind, str] = {
    TypingKind.PROMPT: "command", StageAction.UNDO: "layer", StageAction.REDO: "layer", StageAction.CLEAR: "layer"
}  # fmt: skip


class NamedTrigger(BaseModel):
    """One entry of ``named_triggers``; a bare line in the file is the kind ``command``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[_Kind, *one_of((*TypingKind, *PRESSABLE))] = Field(
        description="command (one line), prompt, cycle (in turn), random (never twice in a row), undo, redo, "
        "clear, pause, resume, panic, next, free, warm or cut"
    )
    line: str | None = Field(None, min_length=1, description="line to type; for kind command")
    prompt: str | None = Field(None, min_length=1, description="what to draw; for kind prompt")
    command: str = Field(
        "bg", min_length=1, description="command of the table below that draws the prompt; left out: bg"
    )
    lines: tuple[str, ...] = Field((), description="lines to choose from; for kinds cycle and random")
    layer: str | None = Field(
        None,
        min_length=1,
        description="which layer; for kinds undo, redo and clear; left out: the newest, and for clear every layer",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> NamedTrigger:
        required = _REQUIRED.get(self.kind)
        if required is not None and not getattr(self, required):
            raise ValueError(f"{required} is missing; kind {self.kind} needs it")
        allowed = {"kind", required, _OPTIONAL.get(self.kind)}
        if extra := sorted(self.model_fields_set - allowed):
            raise ValueError(f"kind {self.kind} does not use {', '.join(extra)}; remove it")
        return self


def _with_kind(value: object) -> object:
    return {"kind": TypingKind.COMMAND, "line": value} if isinstance(value, str) else value


NamedTriggerTable = Mapping[
    str, Annotated[NamedTrigger, BeforeValidator(_with_kind, json_schema_input_type=str | NamedTrigger)]
]


class NamedTriggers:
    """Turn presses into triggers and stage commands; ``seed`` makes the random choices repeatable."""

    def __init__(self, triggers: Mapping[str, NamedTrigger], prefix: str = "!", seed: int | None = None) -> None:
        self._triggers = {action.value: NamedTrigger(kind=action) for action in PRESSABLE} | dict(triggers)
        self._prefix = prefix
        rng = random.Random(seed)
        self._choosers = {name: _chooser(trigger, rng) for name, trigger in triggers.items() if trigger.lines}
        self._pressed_at: dict[str, float] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that has a meaning."""
        return tuple(self._triggers)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each name with each line that it may type."""
        for name, trigger in self._triggers.items():
            for line in trigger.lines or (self._line(trigger),):
                if line is not None:
                    yield name, line

    def interpret(self, press: KeyPress) -> Trigger | StageCommand | None:
        """Return what a press asks for; an unknown name is typed as it stands; None if the press only bounced."""
        trigger = self._triggers.get(press.name)
        if (trigger is None or trigger.kind not in _IDEMPOTENT) and self._bounced(press):
            return None
        actor = Actor(press.source, "Streamer", Role.BROADCASTER)
        if trigger is not None and isinstance(trigger.kind, StageAction):
            return StageCommand(press.id, trigger.kind, trigger.layer, "", actor, press.at, press.source)
        return Trigger(press.id, press.source, self._text(press.name, trigger), actor, press.at)

    def _bounced(self, press: KeyPress) -> bool:
        self._pressed_at = {name: at for name, at in self._pressed_at.items() if press.at - at < SAME_PRESS_S}
        return self._pressed_at.setdefault(press.name, press.at) != press.at

    def _text(self, name: str, trigger: NamedTrigger | None) -> str:
        if trigger is None:
            return name
        return self._choosers[name]() if name in self._choosers else self._line(trigger) or ""

    def _line(self, trigger: NamedTrigger) -> str | None:
        return f"{self._prefix}{trigger.command} {trigger.prompt}" if trigger.prompt is not None else trigger.line


def _chooser(trigger: NamedTrigger, rng: random.Random) -> Callable[[], str]:
    """Return a function that gives the next line: in turn, or at random and never the same line twice in a row."""
    lines = trigger.lines
    index = -1

    def choose() -> str:
        nonlocal index
        if trigger.kind is TypingKind.CYCLE:
            index += 1
        elif index >= 0 and len(lines) > 1:
            index += rng.randrange(1, len(lines))
        else:
            index = rng.randrange(len(lines))
        index %= len(lines)
        return lines[index]

    return choose
