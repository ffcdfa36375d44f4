"""Trigger source: keys pressed anywhere on this computer, each a named trigger or a line of the broadcaster's."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streamer.errors import ConfigError
from streamer.interfaces import Health, HealthState, Source
from streamer.triggers._device_thread import Tell, presses
from streamer.types import KeyPress

SOURCE = "hotkey"
HELD_S = 2.0
"""A key not heard of for so long has been let go: a locked screen swallows releases."""

log = logging.getLogger(__name__)

_INSTEAD = (
    "bind a desktop shortcut to curl -X POST 'http://127.0.0.1:8710/trigger/NAME?token=...' instead"
    " (the panel has the whole line to copy, under Keys and decks), or use a Stream Deck"
)
_MODIFIERS = frozenset({"ctrl", "alt", "alt_gr", "shift", "cmd"})
_OTHER_NAMES = {"control": "ctrl", "option": "alt", "win": "cmd", "super": "cmd", "escape": "esc", "return": "enter"}
_TYPING = frozenset({"space", "enter", "tab", "backspace", "delete", "up", "down", "left", "right", "home", "end"})
_NAMED = (
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


def chord_of(keys: str) -> Chord:
    """Read ``<ctrl>+<alt>+1``; raise ConfigError when it is no chord."""
    names = [_name_of(part.strip().lower(), keys) for part in keys.split("+")]
    modifiers, others = _MODIFIERS.intersection(names), [name for name in names if name not in _MODIFIERS]
    if len(others) != 1 or len(modifiers) + 1 != len(names):
        raise ConfigError("keys", f"'{keys}' must name exactly one key beside its modifiers", fix="like <ctrl>+<alt>+1")
    if not modifiers and (len(others[0]) == 1 or others[0] in _TYPING):
        fix = f"write <ctrl>+<alt>+{keys}"
        raise ConfigError("keys", f"'{keys}' would fire whenever you type; it needs a modifier", fix=fix)
    return Chord(modifiers, others[0])


def _name_of(part: str, keys: str) -> str:
    name = part[1:-1] if part.startswith("<") and part.endswith(">") else part
    name = _OTHER_NAMES.get(name, name)
    if len(name) != 1 and name not in _NAMED:
        raise ConfigError("keys", f"'{keys}': there is no key '{name}'", fix=f"use one of {', '.join(sorted(_NAMED))}")
    return name


def chords_of(keys: Mapping[str, str]) -> Mapping[str, str]:
    """Check a table of chords and what they stand for; return it unchanged."""
    written: dict[Chord, str] = {}
    for chord, command in keys.items():
        if (same := written.setdefault(chord_of(chord), chord)) != chord:
            raise ConfigError("keys", f"'{chord}' and '{same}' are the same keys", fix="remove one of them")
        if not command.strip():
            raise ConfigError(
                "keys", f"'{chord}' does nothing", fix='write a named trigger, or a line like "!bg stormy harbour"'
            )
    return keys


class Options(BaseModel):
    """Which keys stand for what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: Annotated[Mapping[str, str], AfterValidator(chords_of)] = Field(
        description="chords like <ctrl>+<alt>+1 and the named trigger, or the line, that each stands for"
    )
    debounce_s: float = Field(
        0.15, ge=0.02, le=HELD_S, description="how long a key must be up before it counts as pressed again"
    )


class Keyboard:
    """Decide which presses fire, told every press and release; belongs to one thread."""

    def __init__(self, options: Options) -> None:
        self._names = {chord_of(keys): name for keys, name in options.keys.items()}
        self._debounce_s = options.debounce_s
        self._pressed: dict[str, float] = {}
        self._released: dict[str, float] = {}

    @property
    def names(self) -> Collection[str]:
        """Return what the keys stand for."""
        return self._names.values()

    def press(self, key: str, now: float) -> str | None:
        """Return what this press stands for; None for other keys and for a key that is only held."""
        repeated = self._is_held(key, now) or now - self._released.get(key, -HELD_S) < self._debounce_s
        self._pressed[key] = now
        if repeated:
            return None
        modifiers = frozenset(name for name in _MODIFIERS if name != key and self._is_held(name, now))
        return self._names.get(Chord(modifiers, key))

    def release(self, key: str, now: float) -> None:
        """Note that a key went up."""
        self._pressed.pop(key, None)
        self._released[key] = now

    def _is_held(self, key: str, now: float) -> bool:
        # Modifiers do not repeat while they are held, so they are believed for longer than a key that does.
        patience = 10 * HELD_S if key in _MODIFIERS else HELD_S
        return now - self._pressed.get(key, -patience) < patience


def outlook(platform: str, environ: Mapping[str, str]) -> Health:
    """Say what can be expected of global hotkeys on this platform, before anything is tried."""
    if platform == "darwin":
        detail = "if keys do nothing, allow the terminal under Privacy & Security: Accessibility and Input Monitoring"
        return Health(SOURCE, HealthState.READY, detail)
    if not platform.startswith("linux"):
        return Health(SOURCE, HealthState.READY)
    wayland = environ.get("XDG_SESSION_TYPE") == "wayland" or bool(environ.get("WAYLAND_DISPLAY"))
    if not environ.get("DISPLAY"):
        why = "Wayland shows no program the keys of another" if wayland else "there is no display to watch"
        return Health(SOURCE, HealthState.FAILED, f"{why}; {_INSTEAD}")
    if wayland:
        return Health(
            SOURCE, HealthState.LIMITED, f"under Wayland keys arrive only while an X11 window has focus; {_INSTEAD}"
        )
    return Health(SOURCE, HealthState.READY)


def create(options: Options) -> Source:
    """Build the source; keys are watched only once somebody listens."""
    return Hotkeys(Keyboard(options), outlook(sys.platform, os.environ))


class Hotkeys:
    """Watch the keyboard with pynput, in a thread of its own named hotkey, and yield what the keys stand for."""

    def __init__(self, keyboard: Keyboard, expected: Health) -> None:
        self._keyboard = keyboard
        self._expected = expected
        self._health = Health(SOURCE, HealthState.CONNECTING)

    def health(self) -> Health:
        """Say whether keys are watched, and if not, what to do instead."""
        return self._health

    def names(self) -> Collection[str]:
        """Return what the keys stand for."""
        return self._keyboard.names

    async def listen(self) -> AsyncIterator[KeyPress]:
        """Yield a press for every chord; end when keys cannot be watched here."""
        if self._expected.state is HealthState.FAILED:
            self._health = self._expected
            log.warning("hotkey: %s", self._expected.detail)
            return
        async with aclosing(presses(SOURCE, self._watch)) as heard:
            async for press in heard:
                yield press

    def _watch(self, tell: Tell, closed: threading.Event) -> None:
        try:
            watcher = self._watcher(importlib.import_module("pynput.keyboard"), tell, closed)
            self._health = self._expected
            watcher.start()
            # The plain join: pynput's own, and its wait(), never return when X11 fails before the first event.
            threading.Thread.join(watcher)
            if not closed.is_set():
                self._fail(f"the keyboard can no longer be watched; restart the program, or {_INSTEAD}")
        except ImportError as error:
            self._fail(_explained(error))
        finally:
            tell(None)

    def _watcher(self, pynput: Any, tell: Tell, closed: threading.Event) -> Any:
        # False ends the watcher from within, at the next key: its stop() may block, and touches X11 from two threads.
        def on_press(key: Any) -> bool:
            if name := self._keyboard.press(_spoken(key, watcher), time.monotonic()):
                tell(name)
            return not closed.is_set()

        def on_release(key: Any) -> bool:
            self._keyboard.release(_spoken(key, watcher), time.monotonic())
            return not closed.is_set()

        watcher = pynput.Listener(on_press=on_press, on_release=on_release)
        return watcher

    def _fail(self, detail: str) -> None:
        self._health = Health(SOURCE, HealthState.FAILED, detail)
        log.warning("hotkey: %s", detail)


def _explained(error: ImportError) -> str:
    if (error.name or "").partition(".")[0] == "pynput":
        return f'pynput is not installed: pip install "streamer[hotkey]", or {_INSTEAD}'
    return f"keys cannot be watched here ({error}); {_INSTEAD}"


def _spoken(key: Any, watcher: Any) -> str:
    """Name a pynput key as config.yaml does: left and right modifiers are one, letters are small."""
    if name := getattr(key, "name", None):
        return str(name).removesuffix("_l").removesuffix("_r")
    plain = watcher.canonical(key)
    return str(plain.char or f"<{plain.vk}>").lower()
