"""Trigger source: keys pressed anywhere on this computer, each a named trigger or a line of the broadcaster."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamer import installation
from streamer.errors import ConfigError
from streamer.interfaces import Health, HealthState, Source
from streamer.triggers._device_thread import ReportPress, device_presses
from streamer.triggers._key_table import check_keys
from streamer.triggers._physical_keys import key_of, with_keycodes
from streamer.types import KeyPress

SOURCE = "hotkey"
HELD_TIMEOUT_S = 2.0
"""A key without events for so long counts as released: a locked screen swallows releases."""
MODIFIER_TIMEOUT_S = 10 * HELD_TIMEOUT_S
"""The same for modifiers, which do not repeat while they are held."""

log = logging.getLogger(__name__)

_ALTERNATIVES = (
    "bind a desktop shortcut to curl -X POST 'http://127.0.0.1:8710/trigger/NAME?token=...' instead"
    " (the panel has the whole line to copy, under Keys and decks), or use a Stream Deck"
)
_MODIFIERS = frozenset({"ctrl", "alt", "alt_gr", "shift", "cmd"})
_ALIASES = {"control": "ctrl", "option": "alt", "win": "cmd", "super": "cmd", "escape": "esc", "return": "enter"}
_TYPING = frozenset({"space", "enter", "tab", "backspace", "delete", "up", "down", "left", "right", "home", "end"})
_KEY_NAMES = (
    _MODIFIERS
    | _TYPING
    | {f"f{number}" for number in range(1, 25)}
    | {"esc", "insert", "page_up", "page_down", "caps_lock", "num_lock", "scroll_lock", "print_screen", "pause", "menu"}
    | {"media_play_pause", "media_next", "media_previous", "media_volume_mute", "media_volume_up", "media_volume_down"}
)


@dataclass(frozen=True, slots=True)
class Chord:
    """One key, and exactly the modifiers held with it."""

    modifiers: frozenset[str]
    key: str


def parse_chord(keys: str) -> Chord:
    """Parse ``<ctrl>+<alt>+1``; ConfigError when it is not a chord."""
    names = [_parse_key(part.strip().lower(), keys) for part in keys.split("+")]
    modifiers, others = _MODIFIERS.intersection(names), [name for name in names if name not in _MODIFIERS]
    if len(others) != 1 or len(modifiers) + 1 != len(names):
        raise ConfigError(
            "keys", f"'{keys}' must name exactly one key besides its modifiers", fix="like <ctrl>+<alt>+1"
        )
    if not modifiers and (len(others[0]) == 1 or others[0] in _TYPING):
        fix = f"write <ctrl>+<alt>+{keys}"
        raise ConfigError("keys", f"'{keys}' would fire whenever you type; it needs a modifier", fix=fix)
    return Chord(modifiers, others[0])


def _parse_key(part: str, keys: str) -> str:
    name = part[1:-1] if part.startswith("<") and part.endswith(">") else part
    name = _ALIASES.get(name, name)
    if len(name) != 1 and name not in _KEY_NAMES:
        raise ConfigError(
            "keys", f"'{keys}': there is no key '{name}'", fix=f"use one of {', '.join(sorted(_KEY_NAMES))}"
        )
    return name


class Options(BaseModel):
    """Which chord types which named trigger or line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: Annotated[Mapping[str, str], AfterValidator(lambda keys: check_keys(keys, parse_chord, "keys"))] = Field(
        description="what each key runs: a name of named_triggers, or a line typed as the streamer; a key is named by "
        "what is printed on it, and fires whatever keyboard layout is active"
    )
    debounce_s: float = Field(
        0.15, ge=0.02, le=HELD_TIMEOUT_S, description="how long a key must be up before it counts as pressed again"
    )


class ChordDetector:
    """Decide from every press and release which chords fire; used by one thread."""

    def __init__(self, options: Options) -> None:
        self._names = {parse_chord(keys): name for keys, name in options.keys.items()}
        self._debounce_s = options.debounce_s
        self._pressed: dict[str, float] = {}
        self._released: dict[str, float] = {}

    @property
    def names(self) -> Collection[str]:
        """Return the names and lines that the chords type."""
        return self._names.values()

    def press(self, key: str, now: float, names: Sequence[str] = ()) -> str | None:
        """Return what the chord completed by this press types; None for other keys and for a key that repeats.

        ``key`` stands for the key itself, whatever is held with it; ``names`` are its names in config.yaml if it has
        others, the likeliest first.
        """
        repeated = self._is_held(key, now) or now - self._released.get(key, -HELD_TIMEOUT_S) < self._debounce_s
        self._pressed[key] = now
        if repeated:
            return None
        modifiers = frozenset(name for name in _MODIFIERS if name != key and self._is_held(name, now))
        typed = (self._names.get(Chord(modifiers, name)) for name in names or (key,))
        return next(filter(None, typed), None)

    def release(self, key: str, now: float) -> None:
        """Record that a key was released."""
        self._pressed.pop(key, None)
        self._released[key] = now

    def _is_held(self, key: str, now: float) -> bool:
        timeout_s = MODIFIER_TIMEOUT_S if key in _MODIFIERS else HELD_TIMEOUT_S
        return now - self._pressed.get(key, -timeout_s) < timeout_s


def expected_health(platform: str, environ: Mapping[str, str]) -> Health:
    """Return how well global hotkeys can work on this platform, before anything is tried."""
    if platform == "darwin":
        detail = "if keys do nothing, allow the terminal under Privacy & Security: Accessibility and Input Monitoring"
        return Health(SOURCE, HealthState.READY, detail)
    if not platform.startswith("linux"):
        return Health(SOURCE, HealthState.READY)
    wayland = environ.get("XDG_SESSION_TYPE") == "wayland" or bool(environ.get("WAYLAND_DISPLAY"))
    if not environ.get("DISPLAY"):
        why = (
            "Wayland does not let a program see keys pressed in another" if wayland else "there is no display to watch"
        )
        return Health(SOURCE, HealthState.FAILED, f"{why}; {_ALTERNATIVES}")
    if wayland:
        return Health(
            SOURCE,
            HealthState.LIMITED,
            f"under Wayland keys arrive only while an X11 window has focus; {_ALTERNATIVES}",
        )
    return Health(SOURCE, HealthState.READY)


def create(options: Options) -> Source:
    """Build the source; it watches keys only while somebody listens."""
    return Hotkeys(ChordDetector(options), expected_health(sys.platform, os.environ))


class Hotkeys:
    """Watch the keyboard with pynput in a thread named hotkey, and yield a press for every chord."""

    def __init__(self, chords: ChordDetector, expected: Health) -> None:
        self._chords = chords
        self._expected = expected
        self._health = Health(SOURCE, HealthState.CONNECTING)

    def health(self) -> Health:
        """Say whether keys are watched, and if not, what to use instead."""
        return self._health

    def names(self) -> Collection[str]:
        """Return the names and lines that the chords type."""
        return self._chords.names

    async def listen(self) -> AsyncIterator[KeyPress]:
        """Yield a press for every chord; end when keys cannot be watched here."""
        if self._expected.state is HealthState.FAILED:
            self._health = self._expected
            log.warning("hotkey: %s", self._expected.detail)
            return
        async with aclosing(device_presses(SOURCE, self._watch)) as presses:
            async for press in presses:
                yield press

    def _watch(self, report: ReportPress, closed: threading.Event) -> None:
        try:
            listener = self._listener(importlib.import_module("pynput.keyboard"), report, closed)
            self._health = self._expected
            listener.start()
            # Thread.join, because pynput's own join() and wait() never return when X11 fails before the first event.
            threading.Thread.join(listener)
            if not closed.is_set():
                self._fail(f"the keyboard can no longer be watched; restart the program, or {_ALTERNATIVES}")
        except ImportError as error:
            self._fail(_import_problem(error))
        finally:
            report(None)

    def _listener(self, pynput: Any, report: ReportPress, closed: threading.Event) -> Any:
        # Returning False ends the listener at the next key. Its stop() may block, and touches X11 from two threads.
        def on_press(key: Any) -> bool:
            pressed = key_of(key, sys.platform)
            if name := self._chords.press(pressed.id, time.monotonic(), pressed.names):
                report(name)
            return not closed.is_set()

        def on_release(key: Any) -> bool:
            self._chords.release(key_of(key, sys.platform).id, time.monotonic())
            return not closed.is_set()

        return with_keycodes(pynput.Listener)(on_press=on_press, on_release=on_release)

    def _fail(self, detail: str) -> None:
        self._health = Health(SOURCE, HealthState.FAILED, detail)
        log.warning("hotkey: %s", detail)


def _import_problem(error: ImportError) -> str:
    if (error.name or "").partition(".")[0] == "pynput":
        return f"pynput is not installed: {installation.add_extra('hotkey')}, or {_ALTERNATIVES}"
    return f"keys cannot be watched here ({error}); {_ALTERNATIVES}"
