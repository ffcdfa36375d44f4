"""Trigger source: notes and controls of a MIDI pad, each a named trigger or a line of the broadcaster."""

from __future__ import annotations

import importlib
import logging
import re
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamer import installation
from streamer.errors import ConfigError, in_words
from streamer.interfaces import Health, HealthState, Source
from streamer.triggers._device_thread import ReportPress, device_presses
from streamer.triggers._key_table import check_keys
from streamer.types import KeyPress

SOURCE = "midi"
RETRY_S = 2.0
"""How often to look for a missing pad, and to check that an open one is still plugged in."""
POLL_S = 0.005
PRESSED_FROM = 64
"""The value from which a control counts as pressed, as MIDI defines it for switches."""

log = logging.getLogger(__name__)

_KEY = re.compile(r"(note|control|program) (\d{1,3})(?: channel (\d{1,2}))?")
_SHAPE = "write note 36, control 64 or program 3, and add channel 1 to 16 if it matters"


class PadKind(StrEnum):
    """The MIDI messages that can press something."""

    NOTE = "note"
    CONTROL = "control"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Pad:
    """One pad, knob or switch: ``number`` counts from 0 to 127, ``channel`` from 1 to 16, None for any."""

    kind: PadKind
    number: int
    channel: int | None


def parse_pad(key: str) -> Pad:
    """Parse ``note 36 channel 10``; ConfigError when it is not a pad."""
    match = _KEY.fullmatch(" ".join(key.lower().split()))
    if match is None:
        raise ConfigError("keys", f"'{key}' is not a pad", fix=_SHAPE)
    kind, number = PadKind(match[1]), int(match[2])
    channel = None if match[3] is None else int(match[3])
    if number > 127 or (channel is not None and not 1 <= channel <= 16):
        raise ConfigError("keys", f"'{key}' is out of range: numbers go from 0 to 127", fix=_SHAPE)
    return Pad(kind, number, channel)


class Options(BaseModel):
    """Which pad types which named trigger or line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: str | None = Field(
        None, min_length=1, description="part of the pad's name; null: the first pad that is plugged in"
    )
    keys: Annotated[Mapping[str, str], AfterValidator(lambda keys: check_keys(keys, parse_pad, "pad"))] = Field(
        description='note, control (pressed from 64 on) or program, with "channel 10" after it if the channel '
        "matters, and what it runs"
    )


class PadDetector:
    """Decide which MIDI messages press something; used by one thread."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._names = {parse_pad(key): name for key, name in keys.items()}
        self._down: set[tuple[int, int]] = set()

    @property
    def names(self) -> Collection[str]:
        """Return the names and lines that the pads type."""
        return self._names.values()

    def press(self, message: Any) -> str | None:
        """Return what a message types; None for releases, other pads, and a control that stays down."""
        channel = int(getattr(message, "channel", -1)) + 1
        match message.type:
            case "note_on" if message.velocity > 0:
                return self._name(PadKind.NOTE, message.note, channel)
            case "program_change":
                return self._name(PadKind.PROGRAM, message.program, channel)
            case "control_change":
                return self._control(message.control, message.value, channel)
        return None

    def _control(self, number: int, value: int, channel: int) -> str | None:
        was_down = (number, channel) in self._down
        if value < PRESSED_FROM:
            self._down.discard((number, channel))
            return None
        self._down.add((number, channel))
        return None if was_down else self._name(PadKind.CONTROL, number, channel)

    def _name(self, kind: PadKind, number: int, channel: int) -> str | None:
        return self._names.get(Pad(kind, number, channel)) or self._names.get(Pad(kind, number, None))


def pick_port(ports: Sequence[str], wanted: str | None) -> str | None:
    """Return the port whose name contains ``wanted``, else the first that is not a loop through the system itself."""
    if wanted is not None:
        return next((port for port in ports if wanted.casefold() in port.casefold()), None)
    return next((port for port in ports if "through" not in port.casefold()), None)


def create(options: Options) -> Source:
    """Build the source; it looks for a pad only while somebody listens."""
    return Midi(options)


class Midi:
    """Read one pad in a thread named midi; look for it again for ever when it is unplugged."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._pads = PadDetector(options.keys)
        self._health = Health(SOURCE, HealthState.CONNECTING)

    def health(self) -> Health:
        """Say which pad is read, or what is missing."""
        return self._health

    def names(self) -> Collection[str]:
        """Return the names and lines that the pads type."""
        return self._pads.names

    async def listen(self) -> AsyncIterator[KeyPress]:
        """Yield a press for every pad pressed; end where MIDI cannot be used at all."""
        async with aclosing(device_presses(SOURCE, self._watch)) as presses:
            async for press in presses:
                yield press

    def _watch(self, report: ReportPress, closed: threading.Event) -> None:
        try:
            backend = importlib.import_module("mido").Backend(load=True)
        except ImportError as error:
            self._set_health(
                HealthState.FAILED, f"MIDI cannot be used here ({error}): {installation.add_extra('midi')}"
            )
            report(None)
            return
        while not closed.is_set():
            try:
                self._read(backend, report, closed)
            except OSError as error:
                # Unplugged, in use by another program, or (Linux) no sequencer: each of these may change.
                self._set_health(HealthState.FAILED, f"the pad cannot be read, trying again: {in_words(error)}")
            closed.wait(RETRY_S)

    def _read(self, backend: Any, report: ReportPress, closed: threading.Event) -> None:
        """Read the pad until it is unplugged."""
        ports = backend.get_input_names()
        port = pick_port(ports, self._options.port)
        if port is None:
            available = f"there is: {', '.join(ports)}" if ports else "no pad is plugged in"
            self._set_health(HealthState.CONNECTING, f"waiting for {self._options.port or 'a pad'}; {available}")
            return
        with backend.open_input(port) as pad:
            self._set_health(HealthState.READY, port)
            next_check = time.monotonic() + RETRY_S
            while not closed.wait(POLL_S) and not pad.closed:
                for message in pad.iter_pending():
                    if name := self._pads.press(message):
                        report(name)
                if time.monotonic() >= next_check:
                    # MIDI reports no unplugging; the pad is merely no longer listed.
                    if port not in backend.get_input_names():
                        return
                    next_check = time.monotonic() + RETRY_S

    def _set_health(self, state: HealthState, detail: str) -> None:
        health = Health(SOURCE, state, detail)
        if health != self._health:
            log.log(logging.INFO if state is HealthState.READY else logging.WARNING, "midi: %s: %s", state, detail)
        self._health = health
