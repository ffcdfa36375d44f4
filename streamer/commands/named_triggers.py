"""Named triggers: what a hotkey, a deck button, a pad or a notice does, defined once in config.yaml."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from streamer.types import Actor, KeyPress, NoticeKind, Role, StageCommand, Trigger

NamedOrder = Literal["undo", "redo", "clear", "pause", "resume", "panic", "next", "free", "warm", "cut"]
ORDERS: tuple[str, ...] = get_args(NamedOrder)
"""Kinds that need no more words; each is a name, too, unless config.yaml gives that name another meaning."""

SCENE = "scene "
AGAIN_S = 0.15
"""A second press of one name within this time is the same press: decks send twice, pads bounce."""

# Doing these twice is doing them once, so they are never taken for a bounce.
_HARMLESS = frozenset({"clear", "panic", "resume", "next", "warm", "cut"})
_NEEDS = {"command": "line", "prompt": "prompt", "random": "lines", "cycle": "lines"}
_MAY_HAVE = {"prompt": {"command"}, "undo": {"layer"}, "redo": {"layer"}, "clear": {"layer"}}


class NamedTrigger(BaseModel):
    """One entry of ``named_triggers``; a bare line in the file is the kind ``command``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["command", "prompt", "random", "cycle"] | NamedOrder = Field(description="what it does")
    line: str | None = Field(None, min_length=1, description="what the streamer would type; kind command")
    prompt: str | None = Field(None, min_length=1, description="what to draw; kind prompt")
    command: str = Field("bg", min_length=1, description="the drawing command that a prompt is given to")
    lines: tuple[str, ...] = Field((), description="what to choose from; kinds random and cycle")
    layer: str | None = Field(None, min_length=1, description="which layer; undo, redo and clear")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> NamedTrigger:
        needed = _NEEDS.get(self.kind)
        if needed is not None and not getattr(self, needed):
            raise ValueError(f"{needed} is missing; kind {self.kind} needs it")
        allowed = {"kind", needed} | _MAY_HAVE.get(self.kind, set())
        if extra := sorted(self.model_fields_set - allowed):
            raise ValueError(f"{', '.join(extra)} means nothing for kind {self.kind}; remove it")
        return self


def _spelled_out(value: object) -> object:
    return {"kind": "command", "line": value} if isinstance(value, str) else value


def _occasion(name: str) -> str:
    kinds = [kind.value for kind in NoticeKind]
    if name not in kinds and not (name.startswith(SCENE) and name.removeprefix(SCENE).strip()):
        raise ValueError(f"'{name}' is nothing that happens; use one of {', '.join(kinds)}, or scene NAME")
    return name


NamedTriggerTable = Mapping[str, Annotated[NamedTrigger, BeforeValidator(_spelled_out)]]


class NamedTriggers:
    """Turn presses into what they stand for; ``seed`` makes what random chooses the same every time."""

    def __init__(self, triggers: Mapping[str, NamedTrigger], prefix: str = "!", seed: int | None = None) -> None:
        self._triggers = {name: NamedTrigger(kind=name) for name in ORDERS} | dict(triggers)
        self._prefix = prefix
        chance = random.Random(seed)
        self._choices = {name: _chooser(trigger, chance) for name, trigger in triggers.items() if trigger.lines}
        self._pressed: dict[str, float] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that means something."""
        return tuple(self._triggers)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each name with each line that it may type."""
        for name, trigger in self._triggers.items():
            for line in trigger.lines or (self._line(trigger),):
                if line is not None:
                    yield name, line

    def interpret(self, press: KeyPress) -> Trigger | StageCommand | None:
        """Say what a press asks for; a name that is none is typed as it stands; None when it is the same press."""
        trigger = self._triggers.get(press.name)
        if (trigger is None or trigger.kind not in _HARMLESS) and self._bounced(press):
            return None
        actor = Actor(press.source, "Streamer", Role.BROADCASTER)
        if trigger is not None and trigger.kind in ORDERS:
            return StageCommand(press.id, trigger.kind, trigger.layer, "", actor, press.at, press.source)
        return Trigger(press.id, press.source, self._typed(press.name, trigger), actor, press.at)

    def _bounced(self, press: KeyPress) -> bool:
        self._pressed = {name: at for name, at in self._pressed.items() if press.at - at < AGAIN_S}
        return self._pressed.setdefault(press.name, press.at) != press.at

    def _typed(self, name: str, trigger: NamedTrigger | None) -> str:
        if trigger is None:
            return name
        return self._choices[name]() if name in self._choices else self._line(trigger) or ""

    def _line(self, trigger: NamedTrigger) -> str | None:
        return f"{self._prefix}{trigger.command} {trigger.prompt}" if trigger.prompt is not None else trigger.line


def _chooser(trigger: NamedTrigger, chance: random.Random) -> Callable[[], str]:
    """Return what gives the next line: in turn, or by chance and then never the same twice in a row."""
    lines = trigger.lines
    place = -1

    def choose() -> str:
        nonlocal place
        if trigger.kind == "random" and place >= 0 and len(lines) > 1:
            place += chance.randrange(1, len(lines))
        elif trigger.kind == "random":
            place = chance.randrange(len(lines))
        else:
            place += 1
        place %= len(lines)
        return lines[place]

    return choose
