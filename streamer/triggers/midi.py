"""Trigger source: notes and controls of a MIDI pad, each a named trigger or a line of the broadcaster's."""

from __future__ import annotations

import importlib
import logging
import re
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamer.errors import ConfigError, in_words
from streamer.interfaces import Health, HealthState, Source
from streamer.triggers._device_thread import Tell, presses
from streamer.types import KeyPress

SOURCE = "midi"
RETRY_S = 2.0
"""How often a pad that is not there is looked for, and one that is there counted."""

LOOK_EVERY_S = 0.005
PRESSED = 64
"""A control counts as pressed from the middle of its way on, as MIDI says of switches."""

log = logging.getLogger(__name__)

_KEY = re.compile(r"(note|control|program) (\d{1,3})(?: channel (\d{1,2}))?")
_SHAPE = "write note 36, control 64 or program 3, with channel 1 to 16 behind it if that matters"


@dataclass(frozen=True, slots=True)
class Pad:
    """One pad, knob or switch: ``number`` counts from 0 to 127, ``channel`` from 1 to 16, None for any."""

    kind: str
    number: int
    channel: int | None


def pad_of(key: str) -> Pad:
    """Read ``note 36 channel 10``; raise ConfigError when it is no pad."""
    found = _KEY.fullmatch(" ".join(key.lower().split()))
    if found is None:
        raise ConfigError("keys", f"'{key}' is no pad", fix=_SHAPE)
    kind, number, channel = found[1], int(found[2]), None if found[3] is None else int(found[3])
    if number > 127 or (channel is not None and not 1 <= channel <= 16):
        raise ConfigError("keys", f"'{key}' is out of range: numbers go from 0 to 127", fix=_SHAPE)
    return Pad(kind, number, channel)


def _checked(keys: Mapping[str, str]) -> Mapping[str, str]:
    written: dict[Pad, str] = {}
    for key, name in keys.items():
        if (same := written.setdefault(pad_of(key), key)) != key:
            raise ConfigError("keys", f"'{key}' and '{same}' are the same pad", fix="remove one of them")
        if not name.strip():
            raise ConfigError("keys", f"'{key}' does nothing", fix="write a named trigger, or a line")
    return keys


class Options(BaseModel):
    """Which pads stand for what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: str | None = Field(None, min_length=1, description="a part of the pad's name; None: the first that is there")
    keys: Annotated[Mapping[str, str], AfterValidator(_checked)] = Field(
        description="pads like note 36 or control 64, and the named trigger or the line that each stands for"
    )


class Pads:
    """Decide which messages press something; belongs to one thread."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._names = {pad_of(key): name for key, name in keys.items()}
        self._down: set[tuple[int, int]] = set()

    @property
    def names(self) -> Collection[str]:
        """Return what the pads stand for."""
        return self._names.values()

    def press(self, message: Any) -> str | None:
        """Return what a message presses; None for releases, for others' pads, and for a control that stays down."""
        channel = int(getattr(message, "channel", -1)) + 1
        match message.type:
            case "note_on" if message.velocity > 0:
                return self._name("note", message.note, channel)
            case "program_change":
                return self._name("program", message.program, channel)
            case "control_change":
                return self._control(message.control, message.value, channel)
        return None

    def _control(self, number: int, value: int, channel: int) -> str | None:
        was_down = (number, channel) in self._down
        if value < PRESSED:
            self._down.discard((number, channel))
            return None
        self._down.add((number, channel))
        return None if was_down else self._name("control", number, channel)

    def _name(self, kind: str, number: int, channel: int) -> str | None:
        return self._names.get(Pad(kind, number, channel)) or self._names.get(Pad(kind, number, None))


def chosen(ports: Sequence[str], wanted: str | None) -> str | None:
    """Find the pad among the ports; without a wish the first that is no loop through the system itself."""
    if wanted is not None:
        return next((port for port in ports if wanted.casefold() in port.casefold()), None)
    return next((port for port in ports if "through" not in port.casefold()), None)


def create(options: Options) -> Source:
    """Build the source; pads are looked for only once somebody listens."""
    return Midi(options)


class Midi:
    """Read one pad, in a thread of its own named midi; looks for it again for ever when it is unplugged."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._pads = Pads(options.keys)
        self._health = Health(SOURCE, HealthState.CONNECTING)

    def health(self) -> Health:
        """Say which pad is read, or what is missing."""
        return self._health

    def names(self) -> Collection[str]:
        """Return what the pads stand for."""
        return self._pads.names

    async def listen(self) -> AsyncIterator[KeyPress]:
        """Yield a press for every pad pressed; end where MIDI cannot be used at all."""
        async with aclosing(presses(SOURCE, self._watch)) as heard:
            async for press in heard:
                yield press

    def _watch(self, tell: Tell, closed: threading.Event) -> None:
        try:
            backend = importlib.import_module("mido").Backend(load=True)
        except ImportError as error:
            self._enter(HealthState.FAILED, f'MIDI cannot be used here ({error}): pip install "streamer[midi]"')
            tell(None)
            return
        while not closed.is_set():
            try:
                self._read(backend, tell, closed)
            except OSError as error:
                # Unplugged, taken by another program, or (Linux) no sequencer: all of that may change.
                self._enter(HealthState.FAILED, f"the pad cannot be read, trying again: {in_words(error)}")
            closed.wait(RETRY_S)

    def _read(self, backend: Any, tell: Tell, closed: threading.Event) -> None:
        """Read the pad until it is gone."""
        ports = backend.get_input_names()
        port = chosen(ports, self._options.port)
        if port is None:
            found = f"there is: {', '.join(ports)}" if ports else "no pad is plugged in"
            self._enter(HealthState.CONNECTING, f"waiting for {self._options.port or 'a pad'}; {found}")
            return
        with backend.open_input(port) as pad:
            self._enter(HealthState.READY, port)
            look_again = time.monotonic() + RETRY_S
            while not closed.wait(LOOK_EVERY_S) and not pad.closed:
                for message in pad.iter_pending():
                    if name := self._pads.press(message):
                        tell(name)
                if time.monotonic() >= look_again:
                    # Nobody says that a pad was unplugged; it is merely no longer listed.
                    if port not in backend.get_input_names():
                        return
                    look_again = time.monotonic() + RETRY_S

    def _enter(self, state: HealthState, detail: str) -> None:
        health = Health(SOURCE, state, detail)
        if health != self._health:
            log.log(logging.INFO if state is HealthState.READY else logging.WARNING, "midi: %s: %s", state, detail)
        self._health = health
