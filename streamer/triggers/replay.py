"""Trigger source: a recorded chat, replayed at its own pace or faster."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from streamer.errors import ConfigError
from streamer.interfaces import Health, HealthState, Source
from streamer.types import Actor, Retraction, Role, Trigger

SOURCE = "replay"
LATEST_S = 1e9
"""Beyond it a float cannot hold the milliseconds of a cooldown."""
LOOP_PAUSE_S = 3.0
"""The pause between two rounds of a recording that loops."""

_EXAMPLE = '{"at": 1.5, "actor": {"id": "1", "name": "ann", "role": "viewer"}, "text": "!bg stormy harbour"}'


class Options(BaseModel):
    """Which recording to play, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(
        "demo",
        min_length=1,
        description='demo: the built-in recording; or a file of JSON lines: {"at": seconds, "actor": {"id", '
        '"name", "role"}, "text"}',
    )
    speed: float = Field(1.0, gt=0, allow_inf_nan=False, description="2 replays twice as fast")
    loop: bool = Field(False, description="true: start again at the end")


def _parse_role(value: object) -> object:
    names = [role.name.lower() for role in Role]
    if value not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return Role[str(value).upper()]


class _RecordedActor(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    role: Annotated[Role, BeforeValidator(_parse_role)]
    login: str = ""


class RecordedLine(BaseModel):
    """One line of a recording; ``at`` is seconds since its beginning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float = Field(ge=0, le=LATEST_S, allow_inf_nan=False)
    actor: _RecordedActor
    text: str
    paid: bool = False
    first_time: bool = False


def read(path: str) -> tuple[RecordedLine, ...]:
    """Read a recording; ConfigError with file, line, field and fix for the first malformed line."""
    name = "evening.jsonl" if path == "demo" else path
    file = files("streamer") / "demo" / name if path == "demo" else Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "path", f"'{path}' cannot be read: {error}", fix="name a file of JSON lines, or demo"
        ) from error
    lines: list[RecordedLine] = []
    # Not splitlines(): U+2028 and its like may stand inside JSON text.
    for number, row in enumerate(text.split("\n"), start=1):
        if row.strip():
            line = _parse_line(row, name, number)
            if lines and line.at < lines[-1].at:
                raise ConfigError(
                    "at", f"{line.at:g} is earlier than the line before", line=number, path=name, fix="sort it"
                )
            lines.append(line)
    if not lines:
        raise ConfigError("path", f"'{path}' holds no lines", fix=f"write lines like {_EXAMPLE}")
    return tuple(lines)


def create(options: Options) -> Source:
    """Build the source; reads and checks the recording."""
    return Replay(read(options.path), options)


class Replay:
    """Replay lines on time; ids depend only on line and round, so a second run draws the same pictures."""

    def __init__(
        self,
        lines: Sequence[RecordedLine],
        options: Options,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = lines
        self._options = options
        self._sleep = sleep
        self._clock = clock
        self._state = HealthState.READY
        self._played = 0
        self._round = 1

    def health(self) -> Health:
        """Say how far the replay is."""
        round_number = f", round {self._round}" if self._options.loop else ""
        name = Path(self._options.path).name
        return Health(SOURCE, self._state, f"{name}: line {self._played} of {len(self._lines)}{round_number}")

    async def listen(self) -> AsyncIterator[Trigger | Retraction]:
        """Yield every line at its time; end after the last one unless the recording loops."""
        started_at = self._clock()
        while True:
            for number, line in enumerate(self._lines, start=1):
                await self._sleep(max(0.0, started_at + line.at / self._options.speed - self._clock()))
                self._played = number
                yield self._trigger(line)
            if not self._options.loop:
                self._state = HealthState.ENDED
                return
            # Counted from when the round should have ended, so that rounds never drift.
            started_at += (self._lines[-1].at + LOOP_PAUSE_S) / self._options.speed
            self._round += 1

    def _trigger(self, line: RecordedLine) -> Trigger:
        actor = Actor(line.actor.id, line.actor.name, line.actor.role, line.actor.login)
        trigger_id = f"{SOURCE}-{Path(self._options.path).stem}-{self._round}-{self._played}"
        return Trigger(trigger_id, SOURCE, line.text, actor, self._clock(), line.paid, line.first_time)


def _parse_line(row: str, name: str, number: int) -> RecordedLine:
    try:
        return RecordedLine.model_validate(json.loads(row))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "line"
        raise ConfigError(
            field, first["msg"].lower(), line=number, path=name, fix=f"write lines like {_EXAMPLE}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            "line", f"is not JSON ({error})", line=number, path=name, fix=f"write lines like {_EXAMPLE}"
        ) from error
